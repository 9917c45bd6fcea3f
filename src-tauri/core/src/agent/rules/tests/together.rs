//! Several sessions that drop and come back at once, and when a drop is told.

use super::*;

#[test]
fn several_with_one_cause_are_one_message() {
    let mut play = Play::new(&["a", "b", "c"]);
    for who in ["a", "b", "c"] {
        play.online(who);
    }
    for who in ["a", "b"] {
        play.saw(who, closed());
        play.saw(who, REFUSED);
    }
    play.saw("c", closed());
    play.saw("c", Sight::Failed(Obstacle::ClosedAtOnce));
    let told = notices(&play.after(1));
    let titles: Vec<_> = told.iter().map(|notice| notice.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "2 sessions dropped: no SSH server is at its address, the machine may still run",
            "c dropped: its address answers, sshd does not",
        ]
    );
}

/// Brings a session that dropped back on the same machine.
fn back(play: &mut Play, who: &str) -> Vec<Effect> {
    play.saw(who, Sight::Online);
    play.send(Msg::Settled(name(who), Ok(())));
    play.saw(who, Sight::Vitals(vitals("boot-1")))
}

/// Three that dropped with one cause and were told of together.
fn dropped_together() -> Play {
    let mut play = Play::new(&["a", "b", "c"]);
    for who in ["a", "b", "c"] {
        play.online(who);
    }
    for who in ["a", "b", "c"] {
        play.saw(who, closed());
        play.saw(who, REFUSED);
    }
    assert_eq!(only(&play.after(1)).slot, "all");
    play
}

#[test]
fn what_dropped_together_is_told_back_together() {
    let mut play = dropped_together();
    assert!(back(&mut play, "a").is_empty(), "the others may follow");
    assert!(back(&mut play, "b").is_empty());
    let notice = only(&back(&mut play, "c"));
    assert_eq!((notice.slot.as_str(), notice.title.as_str()), ("all", "3 sessions are back"));
    assert_eq!(notice.body, "The same machines: a, b, c. In VS Code: Reload Window.");
    assert!(play.after(60).is_empty());
}

#[test]
fn nobody_waits_long_for_one_that_stays_away() {
    let mut play = dropped_together();
    back(&mut play, "a");
    play.saw("b", Sight::Online);
    play.send(Msg::Settled(name("b"), Ok(())));
    play.saw("b", Sight::Vitals(vitals("boot-2")));
    assert!(play.after(2).is_empty());
    let notice = only(&play.after(1));
    assert_eq!(notice.sessions, [name("a"), name("b")]);
    assert_eq!(
        notice.body,
        "New machines, with empty disks: b. The same machines: a. In VS Code: Reload Window."
    );
    let effects = back(&mut play, "c");
    assert_eq!(only(&effects).title, "c is back on the same machine", "{effects:?}");
}

#[test]
fn one_that_is_lost_again_while_it_waits_is_not_told_back() {
    let mut play = dropped_together();
    back(&mut play, "a");
    back(&mut play, "b");
    play.saw("b", closed());
    let notice = only(&play.after(3));
    assert_eq!(notice.title, "a is back on the same machine");
}

#[test]
fn the_message_about_several_goes_when_it_is_true_of_none() {
    let mut play = dropped_together();
    for who in ["a", "b"] {
        play.send(Msg::Asked(Request::Pause(name(who))));
    }
    let effects = play.send(Msg::Asked(Request::Pause(name("c"))));
    assert!(effects.contains(&Effect::Unnotify("all".to_owned())), "{effects:?}");
}

#[test]
fn a_drop_is_told_within_five_seconds_however_long_the_redial_took() {
    for (redial, told) in [(100, 1_100), (3_700, 4_700), (4_500, 4_800), (4_790, 4_890), (9_000, 10_000)] {
        let mut play = Play::new(&["colab"]);
        play.online("colab");
        play.saw("colab", closed());
        let after = |milliseconds| SignedDuration::from_millis(milliseconds);
        let failed = Msg::Saw(name("colab"), Sight::Failed(Obstacle::Silent));
        assert!(update(&mut play.state, failed, at(0) + after(redial)).is_empty());
        assert_eq!(play.state.next_drop(), Some(at(0) + after(told)), "a redial of {redial} ms");
        assert!(update(&mut play.state, Msg::Tick, at(0) + after(told - 1)).is_empty());
        only(&update(&mut play.state, Msg::Tick, at(0) + after(told)));
    }
}

#[test]
fn a_drop_that_would_be_told_a_moment_later_is_told_with_the_first() {
    let mut play = Play::new(&["a", "b"]);
    play.online("a");
    play.online("b");
    for (who, failed) in [("a", 4_500), ("b", 4_790)] {
        play.saw(who, closed());
        let failed_at = at(0) + SignedDuration::from_millis(failed);
        update(&mut play.state, Msg::Saw(name(who), REFUSED), failed_at);
    }
    let effects = update(&mut play.state, Msg::Tick, at(0) + SignedDuration::from_millis(4_800));
    assert_eq!(only(&effects).sessions, [name("a"), name("b")]);
}
