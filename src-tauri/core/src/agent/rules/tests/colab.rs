//! Runtimes of a Google account: when a session goes on with another, when a person is asked, what is warned of.

use moorline_model::cause::{Cause, Other};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::ColabLink;
use moorline_model::vitals::{Colab, Units};

use super::*;

fn id(text: &str) -> EndpointId {
    text.parse().unwrap()
}

fn on(who: &str, runtime: &str) -> Session {
    Session { link: Link::Colab(ColabLink { runtime: id(runtime) }), ..session(who) }
}

fn play(all: &[(&str, &str)]) -> Play {
    let mut play = Play { state: State::default(), second: 0, kept: Vec::new() };
    let all = all.iter().map(|(who, runtime)| Loaded::new(on(who, runtime), vec![(key(1), Trust::Channel)]));
    play.send(Msg::Loaded(all.collect()));
    play
}

fn ended(others: &[(&str, bool)]) -> Sight {
    let others =
        others.iter().map(|(runtime, beside)| Other { runtime: id(runtime), beside: *beside }).collect();
    Sight::Failed(Obstacle::Ended { others })
}

fn leads_to(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Watch(order) => Some(order.session.link.to_string()),
        _ => None,
    })
}

fn reading(colab: Colab) -> Sight {
    Sight::Vitals(Vitals { machine: Some("gpu-1".to_owned()), colab: Some(colab), ..Vitals::default() })
}

#[test]
fn a_restarted_runtime_is_followed_and_told_of_once_its_files_are_written() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    play.saw("colab", closed());
    let effects = play.saw("colab", ended(&[("gpu-2", false)]));
    assert_eq!(leads_to(&effects).as_deref(), Some("gpu-2"), "{effects:?}");
    assert!(notices(&effects).is_empty(), "nothing is told before it is done: {effects:?}");
    play.saw("colab", Sight::Dialling);
    let effects = play.saw("colab", Sight::Failed(Obstacle::Key { key: key(2), channel: true }));
    let [Effect::File(FileJob::Move { was, session, key: (seen, Trust::Channel) })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((was, session), (&on("colab", "gpu-1"), &on("colab", "gpu-2")));
    assert_eq!(seen, &key(2));
    let effects = play.send(Msg::Settled(name("colab"), Ok(())));
    assert_eq!(leads_to(&effects).as_deref(), Some("gpu-2"));
    play.send(Msg::Loaded(vec![Loaded::new(on("colab", "gpu-2"), vec![(key(2), Trust::Channel)])]));
    let told = notices(&play.saw("colab", Sight::Online));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].title.contains("new machine"), "{told:?}");
    let effects = play.saw("colab", Sight::Failed(Obstacle::Key { key: key(3), channel: true }));
    assert!(matches!(effects[..], [Effect::File(FileJob::Settle { .. })]), "it has arrived: {effects:?}");
}

#[test]
fn mending_that_ends_meanwhile_does_not_pass_for_the_key_that_is_being_settled() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    play.saw("colab", ended(&[("gpu-2", false)]));
    play.send(Msg::Asked(Request::Repair(name("colab"))));
    play.saw("colab", Sight::Failed(Obstacle::Key { key: key(2), channel: true }));
    assert_eq!(play.send(Msg::Settled(name("colab"), Ok(()))), [], "that was the mending");
    assert_eq!(leads_to(&play.send(Msg::Settled(name("colab"), Ok(())))).as_deref(), Some("gpu-2"));
}

#[test]
fn a_file_that_is_read_meanwhile_does_not_turn_it_back() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    play.saw("colab", ended(&[("gpu-2", false)]));
    let unchanged = || Msg::Loaded(vec![Loaded::new(on("colab", "gpu-1"), vec![(key(1), Trust::Channel)])]);
    assert_eq!(play.send(unchanged()), []);
    assert_eq!(play.state.sessions[&name("colab")].session, on("colab", "gpu-2"));
    let other = Msg::Loaded(vec![Loaded::new(on("colab", "gpu-9"), vec![(key(1), Trust::Channel)])]);
    assert_eq!(leads_to(&play.send(other)).as_deref(), Some("gpu-9"), "what the person wrote counts");
}

#[test]
fn one_that_was_there_all_the_time_is_offered_and_not_taken() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    play.saw("colab", closed());
    let told = only(&play.saw("colab", ended(&[("gpu-2", true)])));
    assert_eq!(told.actions, [NoticeAction::Follow(name("colab"), id("gpu-2"))]);
    assert!(matches!(play.health("colab"), Health::Down { cause: Cause::Ended, .. }));
    assert!(notices(&play.saw("colab", ended(&[("gpu-2", true)]))).is_empty(), "it is asked once");
    assert_eq!(play.state.snapshot().sessions[0].offered.as_deref(), Some("gpu-2"));
    let effects = play.send(Msg::Asked(Request::Pressed(told.actions[0].clone())));
    assert_eq!(leads_to(&effects).as_deref(), Some("gpu-2"));
    assert_eq!(play.state.snapshot().sessions[0].offered, None);
}

#[test]
fn what_is_not_certain_is_a_drop() {
    let two = [("gpu-2", false), ("gpu-3", false)];
    for others in [&[][..], &two] {
        let mut play = play(&[("colab", "gpu-1")]);
        play.online("colab");
        play.saw("colab", closed());
        assert_eq!(leads_to(&play.saw("colab", ended(others))), None);
        let told = only(&play.after(2));
        assert!(told.title.contains("its runtime has ended"), "{told:?}");
    }
    // Whose the new one is cannot be told: the first takes nothing that the second may be meant by.
    let mut play = play(&[("a", "gpu-1"), ("b", "gpu-2")]);
    play.saw("a", ended(&[]));
    assert_eq!(leads_to(&play.saw("b", ended(&[("gpu-3", false)]))), None);
    let mut play = self::play(&[("a", "gpu-1"), ("b", "gpu-2")]);
    assert_eq!(leads_to(&play.saw("a", ended(&[("gpu-2", false)]))), None, "another session follows it");
}

#[test]
fn a_session_that_is_online_or_paused_is_never_led_elsewhere() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    let ask = || Msg::Asked(Request::Follow { name: name("colab"), runtime: id("gpu-2") });
    assert_eq!(play.send(ask()), []);
    play.send(Msg::Asked(Request::Pause(name("colab"))));
    assert_eq!(play.send(ask()), []);
    assert_eq!(play.saw("colab", ended(&[("gpu-2", false)])), []);
    let mut other = Play::new(&["direct"]);
    let ask = Msg::Asked(Request::Follow { name: name("direct"), runtime: id("gpu-2") });
    assert_eq!(other.send(ask), [], "another link has no runtimes");
}

#[test]
fn google_out_of_reach_is_not_a_runtime_that_ended() {
    let mut play = play(&[("colab", "gpu-1")]);
    play.saw("colab", Sight::Failed(Obstacle::Provider("the sign-in is over".to_owned())));
    let Health::Down { cause: Cause::Way { sentence }, .. } = play.health("colab") else {
        panic!("{:?}", play.health("colab"))
    };
    assert_eq!(sentence, "the sign-in is over");
}

#[test]
fn idle_is_warned_of_once_until_something_happens() {
    let idle = |minutes| reading(Colab { idle_minutes: minutes, ..Colab::default() });
    let mut play = play(&[("colab", "gpu-1")]);
    play.online("colab");
    assert!(notices(&play.saw("colab", idle(Some(14)))).is_empty());
    let told = only(&play.saw("colab", idle(Some(15))));
    assert_eq!((told.kind, told.slot.as_str()), (NoticeKind::Idle, "colab idle"));
    assert!(notices(&play.saw("colab", idle(Some(16)))).is_empty());
    play.saw("colab", idle(None));
    assert_eq!(notices(&play.saw("colab", idle(Some(20)))).len(), 1);
    play.state.settings.idle = SignedDuration::ZERO;
    play.saw("colab", idle(None));
    assert!(notices(&play.saw("colab", idle(Some(99)))).is_empty(), "it is switched off");
}

#[test]
fn few_units_are_warned_of_once_for_the_whole_account() {
    let left = |left, per_hour| reading(Colab { units: Some(Units { left, per_hour }), ..Colab::default() });
    let mut play = play(&[("a", "gpu-1"), ("b", "gpu-2")]);
    play.online("a");
    play.online("b");
    assert!(notices(&play.saw("a", left(87.4, 1.5))).is_empty());
    assert!(
        notices(&play.saw("a", left(0.0, 0.0))).is_empty(),
        "an account that pays nothing uses up nothing"
    );
    let told = only(&play.saw("a", left(1.5, 1.5)));
    assert_eq!(
        (told.kind, told.title.as_str()),
        (NoticeKind::Units, "Colab: compute units for about 60 min")
    );
    assert!(notices(&play.saw("b", left(1.4, 1.5))).is_empty(), "it is one account");
    play.saw("a", left(50.0, 1.5));
    play.saw("b", left(50.0, 1.5));
    assert_eq!(notices(&play.saw("a", left(1.0, 1.5))).len(), 1);
}
