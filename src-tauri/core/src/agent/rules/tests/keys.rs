//! Keys that nobody vouched for, that a channel proves, and that a person approves.

use super::*;

#[test]
fn a_key_that_a_channel_proves_is_written_before_anybody_logs_in() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    let effects = play.saw("colab", new_key(2, true));
    assert_eq!(
        effects,
        [Effect::File(FileJob::Settle { session: session("colab"), key: Some((key(2), Trust::Channel)) })]
    );
    assert!(play.saw("colab", new_key(2, true)).is_empty(), "once");
    let effects = play.send(Msg::Settled(name("colab"), Ok(())));
    let [Effect::Watch(order), Effect::File(FileJob::Reload)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(order.pinned, [key(2)]);
    assert!(notices(&play.saw("colab", Sight::Online)).is_empty(), "the machine is looked at first");
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-2"))));
    assert_eq!(notice.title, "colab has a new machine; the disk is empty");
}

#[test]
fn a_channel_does_not_replace_what_the_session_key_vouches_for() {
    let mut play = Play::new(&["colab"]);
    play.send(Msg::Loaded(vec![Loaded::new(session("colab"), vec![(key(1), Trust::Derived)])]));
    play.online("colab");
    play.saw("colab", closed());
    let effects = play.saw("colab", new_key(2, true));
    assert!(
        !effects.iter().any(|effect| matches!(effect, Effect::File(FileJob::Settle { .. }))),
        "{effects:?}"
    );
    assert!(matches!(play.health("colab"), Health::NewHostKey { .. }), "a person decides");
}

#[test]
fn a_key_nobody_vouched_for_is_told_once_and_never_taken() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    let notice = only(&play.saw("colab", new_key(2, false)));
    assert_eq!(notice.actions, [NoticeAction::Compare(name("colab"))], "approving is not a button");
    assert!(play.saw("colab", new_key(2, false)).is_empty());
    assert!(
        matches!(play.health("colab"), Health::NewHostKey { fingerprint, .. } if fingerprint == key(2).fingerprint())
    );
    only(&play.saw("colab", new_key(3, false)));
    let repair = play.send(Msg::Asked(Request::Repair(name("colab"))));
    assert_eq!(repair, [Effect::ShowWindow(Some(name("colab")))], "repairing means comparing");
}

#[test]
fn an_approval_is_for_exactly_the_key_that_was_compared() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", new_key(2, false));
    play.saw("colab", new_key(3, false));
    let void = play.send(Msg::Asked(Request::Approve(name("colab"), key(2).fingerprint())));
    assert!(only(&void).title.contains("another fingerprint"), "swapped between showing and approving");
    assert!(!void.iter().any(|effect| matches!(effect, Effect::File(FileJob::Settle { .. }))));
    let good = Msg::Asked(Request::Approve(name("colab"), key(3).fingerprint()));
    assert_eq!(play.send(good), [Effect::Redial(name("colab"))], "it is looked at once more");
    let seen = play.saw("colab", new_key(3, false));
    assert_eq!(
        seen,
        [Effect::File(FileJob::Settle { session: session("colab"), key: Some((key(3), Trust::Approved)) })]
    );
}

#[test]
fn an_approval_is_void_when_the_key_is_swapped_or_nobody_answers() {
    let approve = |n| Msg::Asked(Request::Approve(name("colab"), key(n).fingerprint()));
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", new_key(2, false));
    play.send(approve(2));
    let swapped = play.saw("colab", new_key(3, false));
    assert!(only(&swapped).title.contains("another fingerprint"), "{swapped:?}");
    assert_eq!(swapped.len(), 1, "and nothing is written: {swapped:?}");
    assert!(play.saw("colab", new_key(3, false)).is_empty(), "told once");
    assert!(play.saw("colab", new_key(2, false)).iter().all(|effect| matches!(effect, Effect::Notify(_))));

    play.send(approve(2));
    let gone = play.saw("colab", REFUSED);
    assert_eq!(only(&gone).title, "colab does not answer any more");
    let back = play.saw("colab", new_key(2, false));
    assert!(
        !back.iter().any(|effect| matches!(effect, Effect::File(FileJob::Settle { .. }))),
        "an old approval: {back:?}"
    );
}

#[test]
fn who_asks_is_told_why_not() {
    let mut play = Play::new(&["colab"]);
    let approve = |n| Request::Approve(name("colab"), key(n).fingerprint());
    let why_not = |play: &Play, request: &Request| objection(&play.state, request).unwrap_or_default();
    assert!(why_not(&play, &Request::Repair(name("gone"))).contains("no session gone"));
    assert!(why_not(&play, &approve(2)).contains("no fingerprint that waits"));
    play.saw("colab", new_key(3, false));
    assert!(why_not(&play, &approve(2)).contains("not the fingerprint that you compared"));
    assert_eq!(objection(&play.state, &approve(3)), None);
    assert_eq!(objection(&play.state, &Request::Snooze(5)), None);
}

#[test]
fn a_key_that_was_seen_in_a_snooze_is_told_of_after_it() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.send(Msg::Asked(Request::Snooze(1)));
    play.saw("colab", closed());
    assert!(notices(&play.saw("colab", new_key(2, false))).is_empty());
    play.second += 60;
    assert_eq!(only(&play.saw("colab", new_key(2, false))).kind, NoticeKind::Needed);
}
