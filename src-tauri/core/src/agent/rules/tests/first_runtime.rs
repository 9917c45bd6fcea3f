//! A session whose cell has not run yet.

use super::*;
use crate::agent::snapshot::Action;

/// `colab` as `moorline cell` begins it.
fn begun() -> Session {
    let place = Place { host: "colab.invalid".parse().unwrap(), port: "1".parse().unwrap() };
    Session { link: Link::Ngrok(place), ..session("colab") }
}

fn play(loaded: Loaded) -> (Play, Vec<Effect>) {
    let mut play = Play { state: State::default(), second: 0, kept: Vec::new() };
    let effects = play.send(Msg::Loaded(vec![loaded]));
    (play, effects)
}

fn dials(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Watch(_) | Effect::Redial(_) | Effect::Probe(_)))
}

#[test]
fn it_waits_for_its_cell_and_nothing_is_dialled() {
    let (mut play, effects) = play(Loaded::new(begun(), Vec::new()));
    assert!(!dials(&effects), "{effects:?}");
    let shown = play.state.snapshot();
    assert_eq!(shown.sessions[0].state, "waiting for you to run the cell");
    assert_eq!((shown.light, shown.sessions[0].action), (Light::Idle, None), "nothing is wrong");

    for request in [Request::Reload, Request::Repair(name("colab")), Request::Pause(name("colab"))] {
        let effects = play.send(Msg::Asked(request.clone()));
        assert!(!dials(&effects), "{request:?}: {effects:?}");
    }
    assert_eq!(play.state.snapshot().sessions[0].state, "paused");
    let effects = play.send(Msg::Asked(Request::Resume(name("colab"))));
    assert!(
        !dials(&effects) && effects.contains(&Effect::File(FileJob::RememberPause(name("colab"), false))),
        "{effects:?}"
    );
    assert_eq!(play.state.snapshot().sessions[0].state, "waiting for you to run the cell");
}

#[test]
fn it_is_watched_once_somebody_leads_it_to_a_runtime() {
    let (mut play, _) = play(Loaded::new(begun(), Vec::new()));
    let pasted = Loaded::new(session("colab"), vec![(key(1), Trust::Approved)]);
    assert!(dials(&play.send(Msg::Loaded(vec![pasted]))));
    assert_eq!(play.state.snapshot().sessions[0].state, "waiting");
    play.online("colab");
}

#[test]
fn one_that_is_begun_anew_is_left_alone_and_no_drop_is_told() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", REFUSED);
    let effects = play.send(Msg::Loaded(vec![Loaded::new(begun(), vec![(key(1), Trust::Approved)])]));
    assert!(effects.contains(&Effect::Unwatch(name("colab"))) && !dials(&effects), "{effects:?}");
    let effects = [play.saw("colab", REFUSED), play.after(60)].concat();
    assert!(notices(&effects).is_empty(), "a watcher's last words: {effects:?}");
    assert_eq!(play.health("colab"), Health::Waiting);
}

#[test]
fn its_notebook_is_one_click_away() {
    let notebook = Some("https://colab.research.google.com/drive/x".parse().unwrap());
    let remembered = Remembered { notebook, ..Remembered::default() };
    let (play, _) = play(Loaded { remembered, ..Loaded::new(begun(), Vec::new()) });
    assert_eq!(play.state.snapshot().sessions[0].action, Some(Action::OpenNotebook));
}

/// `colab` as a cell begins it behind a relay, whose port is known before the cell runs.
fn behind_relay() -> Loaded {
    let relay =
        RelayLink { relay: "me@relay".parse().unwrap(), port: "7423".parse().unwrap(), mine_alone: false };
    let session = Session { link: Link::Relay(relay), ..session("colab") };
    Loaded::new(session, vec![(key(1), Trust::Derived)])
}

#[test]
fn behind_a_relay_nothing_is_gone_before_its_cell_has_run() {
    let (mut play, effects) = play(behind_relay());
    assert!(dials(&effects), "nobody may tell when it is there: {effects:?}");
    let relay_is_down = Obstacle::Relay("relay refuses connections".to_owned());
    for (found, words) in [
        (Obstacle::NothingBehindRelay, "waiting for you to run the cell"),
        (relay_is_down, "waiting for you to run the cell; relay refuses connections"),
        (Obstacle::NothingBehindRelay, "waiting for you to run the cell"),
    ] {
        play.saw("colab", Sight::Dialling);
        let effects = [play.saw("colab", Sight::Failed(found)), play.after(60)].concat();
        assert!(notices(&effects).is_empty(), "{effects:?}");
        let shown = play.state.snapshot();
        assert_eq!((shown.sessions[0].state.as_str(), shown.light), (words, Light::Idle));
        assert_eq!(shown.sessions[0].health, Health::Waiting);
    }
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", Sight::Failed(Obstacle::NothingBehindRelay));
    assert_eq!(
        play.state.snapshot().sessions[0].state,
        "down: its tunnel is gone, the machine may still run"
    );
}

#[test]
fn one_that_ran_once_is_gone_even_after_a_restart_of_the_agent() {
    let recalled = Recalled { machine: Some("boot-1".to_owned()), dropped: None };
    let (mut play, _) = play(Loaded { recalled, ..behind_relay() });
    play.saw("colab", Sight::Failed(Obstacle::NothingBehindRelay));
    assert!(matches!(play.health("colab"), Health::Down { .. }));
}

#[test]
fn what_answered_once_behind_a_relay_is_not_waited_for_in_silence() {
    let (mut play, _) = play(behind_relay());
    play.saw("colab", Sight::Failed(Obstacle::NothingBehindRelay));
    only(&play.saw("colab", new_key(2, false)));
    play.send(Msg::Asked(Request::Approve(name("colab"), key(2).fingerprint())));
    let told = only(&play.saw("colab", Sight::Failed(Obstacle::NothingBehindRelay)));
    assert!(told.title.contains("does not answer"), "what was approved was not asked again: {told:?}");
    assert!(
        matches!(play.health("colab"), Health::Down { .. }),
        "something was there: {:?}",
        play.health("colab")
    );
}

#[test]
fn this_computer_s_own_network_ends_no_waiting() {
    let (mut play, _) = play(behind_relay());
    for (found, health) in
        [(Obstacle::OwnNetwork, "offline"), (Obstacle::NothingBehindRelay, "waiting for you to run the cell")]
    {
        play.saw("colab", Sight::Failed(found));
        assert!(play.state.snapshot().sessions[0].state.contains(health), "{health}");
    }
}
