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
