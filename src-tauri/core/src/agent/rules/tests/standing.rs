//! What stands on the desktop is true, and what is owed is told.

use super::*;

fn unnotified(effects: &[Effect], slot: &str) -> bool {
    effects.contains(&Effect::Unnotify(slot.to_owned()))
}

/// Dropped, and told of.
fn dropped() -> Play {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    only(&play.after(1));
    play
}

/// Back, but its files could not be written.
fn refused() -> Play {
    let mut play = dropped();
    play.saw("colab", Sight::Online);
    play.saw("colab", Sight::Vitals(vitals("boot-2")));
    only(&play.send(Msg::Settled(name("colab"), Err("read-only".to_owned()))));
    play
}

#[test]
fn files_that_are_written_after_all_tell_the_return_that_waited_for_them() {
    let mut play = refused();
    let repair = play.send(Msg::Asked(Request::Repair(name("colab"))));
    assert!(matches!(repair[..], [Effect::File(FileJob::Settle { .. }), Effect::Redial(_)]), "{repair:?}");
    let notice = only(&play.send(Msg::Settled(name("colab"), Ok(()))));
    assert_eq!(
        notice.title, "colab has a new machine; the disk is empty",
        "what was seen before is remembered"
    );
}

#[test]
fn files_that_could_not_be_written_are_tried_again_and_another_reason_is_told() {
    let mut play = refused();
    assert!(play.after(59).is_empty());
    assert_eq!(play.after(1), [Effect::File(FileJob::Settle { session: session("colab"), key: None })]);
    let again = play.send(Msg::Settled(name("colab"), Err("read-only".to_owned())));
    assert!(again.is_empty(), "the same reason is told once: {again:?}");
    assert!(matches!(play.after(60)[..], [Effect::File(FileJob::Settle { .. })]));
    let other = only(&play.send(Msg::Settled(name("colab"), Err("the disk is full".to_owned()))));
    assert_eq!(other.body, "the disk is full");
    assert!(matches!(play.after(60)[..], [Effect::File(FileJob::Settle { .. })]));
    assert_eq!(only(&play.send(Msg::Settled(name("colab"), Ok(())))).kind, NoticeKind::Back);
    assert!(play.after(600).is_empty());
}

#[test]
fn a_return_that_nobody_wants_to_hear_of_takes_the_drop_away() {
    for silence in [Msg::Asked(Request::Snooze(60)), Msg::Configured(without(NoticeKind::Back))] {
        let mut play = dropped();
        play.send(silence);
        play.saw("colab", Sight::Online);
        play.send(Msg::Settled(name("colab"), Ok(())));
        let effects = play.saw("colab", Sight::Vitals(vitals("boot-1")));
        assert_eq!(effects, [Effect::Unnotify("colab".to_owned())]);
    }
}

fn without(kind: NoticeKind) -> moorline_model::settings::Settings {
    moorline_model::settings::Settings { silent: vec![kind], ..Default::default() }
}

#[test]
fn the_same_boot_is_the_same_machine_whatever_its_key() {
    let mut play = dropped();
    play.saw("colab", new_key(2, true));
    play.send(Msg::Settled(name("colab"), Ok(())));
    play.saw("colab", Sight::Online);
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-1"))));
    assert_eq!(notice.title, "colab is back on the same machine");
}

#[test]
fn a_new_key_without_any_vitals_counts_as_a_new_machine() {
    let mut play = dropped();
    play.saw("colab", new_key(2, true));
    play.send(Msg::Settled(name("colab"), Ok(())));
    play.saw("colab", Sight::Online);
    assert_eq!(only(&play.after(5)).title, "colab has a new machine; the disk is empty");
}

#[test]
fn a_password_that_is_refused_after_the_keyring_was_opened_is_told() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", refused_login());
    assert!(only(&play.send(installed(KeyInstall::VaultShut))).title.contains("keyring is locked"));
    assert!(matches!(play.send(Msg::VaultOpened(name("colab")))[..], [Effect::InstallKey(_)]));
    let notice = only(&play.send(installed(KeyInstall::Failed("wrong password".to_owned()))));
    assert_eq!(notice.body, "wrong password");
}

#[test]
fn what_was_owed_before_a_silence_is_owed_after_it() {
    let mut play = dropped();
    play.send(Msg::Asked(Request::Snooze(1)));
    play.saw("colab", refused_login());
    assert!(notices(&play.send(installed(KeyInstall::NoPassword))).is_empty(), "held back");
    play.second += 60;
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-1"))));
    assert_eq!(notice.kind, NoticeKind::Back, "the drop was told before");
}

#[test]
fn a_session_that_is_forgotten_leaves_nothing_on_the_desktop() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    let full = Vitals { disk: Some(Usage { used: 95, total: 100 }), ..vitals("boot-1") };
    only(&play.saw("colab", Sight::Vitals(full)));
    play.send(Msg::NotOpened(name("colab"), "no editor".to_owned()));
    play.second = 12 * 3600 - 60;
    only(&play.after(0));
    let effects = play.send(Msg::Loaded(Vec::new()));
    for slot in ["colab disk", "colab open", "colab lifetime"] {
        assert!(unnotified(&effects, slot), "{slot}: {effects:?}");
    }
}

#[test]
fn nothing_is_taken_away_that_does_not_stand() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    let effects = play.send(Msg::Asked(Request::Pause(name("colab"))));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Unnotify(_))), "{effects:?}");
}

#[test]
fn a_choice_that_could_not_be_written_down_is_told() {
    let mut play = Play::new(&["colab"]);
    play.send(Msg::Asked(Request::Pause(name("colab"))));
    let notice = only(&play.send(Msg::NotKept(name("colab"), "the disk is full".to_owned())));
    assert_eq!(
        (notice.slot.as_str(), notice.body.as_str()),
        ("colab kept", "the disk is full. Once that is mended, choose it again.")
    );
}

#[test]
fn the_first_login_that_works_ends_the_talk_of_passwords() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", refused_login());
    play.send(installed(KeyInstall::Failed("no".to_owned())));
    assert!(play.state.snapshot().sessions[0].password_only);
    play.saw("colab", Sight::Online);
    assert!(!play.state.snapshot().sessions[0].password_only);
}

/// Another agent, which knows of `colab` what the one before kept.
fn restarted(before: &Play) -> Play {
    let mut play = Play::new(&[]);
    let known = Loaded::new(session("colab"), vec![(key(1), Trust::Approved)]);
    play.send(Msg::Loaded(vec![Loaded { recalled: before.recalled("colab"), ..known }]));
    play
}

#[test]
fn a_drop_that_was_told_before_a_restart_is_told_to_be_over_after_it_and_not_again() {
    let mut play = restarted(&dropped());
    play.saw("colab", REFUSED);
    assert!(play.after(60).is_empty(), "it was told");
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-1"))));
    assert_eq!(notice.title, "colab is back on the same machine");
    let mut play = restarted(&play);
    play.online("colab");
}

#[test]
fn a_machine_that_was_replaced_while_no_agent_ran_is_told_of() {
    let mut before = Play::new(&["colab"]);
    before.online("colab");
    let mut play = restarted(&before);
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-2"))));
    assert_eq!(notice.title, "colab has a new machine; the disk is empty");
    play.send(Msg::Loaded(Vec::new()));
    assert_eq!(play.recalled("colab"), Recalled::default(), "nothing is kept of what was forgotten");
}
