//! What is left out because a person wants silence.

use super::*;

/// `colab` dropped, and nobody hears of it for so many minutes.
fn dropped_while_snoozed(minutes: u16) -> Play {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.send(Msg::Asked(Request::Snooze(minutes)));
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    assert!(play.after(1).is_empty());
    play
}

#[test]
fn silence_is_kept_where_it_was_asked_for() {
    let mut play = dropped_while_snoozed(10);
    assert!(play.after(600).is_empty() && play.state.snapshot().snoozed_until.is_none());

    assert!(play.saw("colab", REFUSED).is_empty());
    assert_eq!(only(&play.after(1)).kind, NoticeKind::Dropped, "it is still down, and the silence is over");

    for kind in [NoticeKind::Dropped, NoticeKind::Needed] {
        let mut play = Play::new(&["colab"]);
        play.state.settings.silent.push(kind);
        play.online("colab");
        play.saw("colab", closed());
        play.saw("colab", if kind == NoticeKind::Needed { new_key(2, false) } else { REFUSED });
        assert!(play.after(1).is_empty(), "{kind:?}");
    }
}

#[test]
fn nobody_is_told_of_a_return_from_a_drop_that_the_snooze_swallowed() {
    let mut play = dropped_while_snoozed(1);
    play.second += 60;
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    assert!(notices(&play.saw("colab", Sight::Vitals(vitals("boot-1")))).is_empty());
}
