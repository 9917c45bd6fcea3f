//! Returns: told once, when the files are written and the machine is known.

use super::*;

#[test]
fn files_that_could_be_written_after_all_are_no_return() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", Sight::Online);
    let refused = only(&play.send(Msg::Settled(name("colab"), Err("read-only".to_owned()))));
    assert_eq!(refused.kind, NoticeKind::Needed);
    play.saw("colab", closed());
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    let effects = play.saw("colab", Sight::Vitals(vitals("boot-1")));
    assert_eq!(effects, [Effect::Unnotify("colab".to_owned())]);
}

#[test]
fn a_redial_that_succeeds_tells_nobody() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    let effects = play.saw("colab", Sight::Vitals(vitals("boot-1")));
    assert!(notices(&effects).is_empty() && notices(&play.after(10)).is_empty());
}

#[test]
fn back_is_told_only_when_the_files_are_written_and_the_machine_is_known() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    only(&play.after(1));
    let effects = play.saw("colab", Sight::Online);
    assert!(matches!(effects[..], [Effect::File(FileJob::Settle { .. })]), "{effects:?}");
    assert!(notices(&play.saw("colab", Sight::Vitals(vitals("boot-1")))).is_empty(), "not before the files");
    let notice = only(&play.send(Msg::Settled(name("colab"), Ok(()))));
    assert_eq!(notice.title, "colab is back on the same machine");
    assert!(notice.body.contains("Reload Window"));
}

#[test]
fn another_boot_is_a_new_machine_and_a_silent_one_is_not_waited_for_long() {
    for (sight, title) in [
        (Some(vitals("boot-2")), "colab has a new machine; the disk is empty"),
        (None, "colab is back on the same machine"),
    ] {
        let mut play = Play::new(&["colab"]);
        play.online("colab");
        play.saw("colab", closed());
        play.saw("colab", REFUSED);
        play.after(1);
        play.saw("colab", Sight::Online);
        play.send(Msg::Settled(name("colab"), Ok(())));
        let effects = if let Some(vitals) = sight {
            play.saw("colab", Sight::Vitals(vitals))
        } else {
            assert!(play.after(4).is_empty(), "the vitals may still come");
            play.after(1)
        };
        assert_eq!(only(&effects).title, title);
    }
}

#[test]
fn a_reading_that_was_cut_short_makes_no_new_machine() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    assert!(play.saw("colab", Sight::Vitals(Vitals::default())).is_empty());
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    play.after(1);
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    assert!(play.saw("colab", Sight::Vitals(Vitals::default())).is_empty());
    assert_eq!(
        only(&play.saw("colab", Sight::Vitals(vitals("boot-1")))).title,
        "colab is back on the same machine"
    );
}

#[test]
fn files_that_cannot_be_written_are_told_instead_of_a_return() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    play.after(1);
    play.saw("colab", Sight::Online);
    let refused = play.send(Msg::Settled(name("colab"), Err("the config is read-only".to_owned())));
    let notice = only(&refused);
    assert!(notice.title.contains("could not be written") && notice.body == "the config is read-only");
    assert!(notices(&play.after(60)).is_empty(), "no word of a return");
}
