//! When the only endpoint of an account is a session's, and when it is not.

use moorline_model::cause::Obstacle;
use moorline_model::session::Session;
use moorline_model::trust::Trust;
use moorline_ssh_files::HostKey;

use super::super::update;
use super::*;
use crate::agent::message::{Loaded, Msg, Request};
use crate::watch::order::{Sight, WatchOrder};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn key(n: u8) -> HostKey {
    HostKey::from_ed25519(&[n; 32])
}

fn there(port: u16) -> Place {
    Place { host: "0.tcp.eu.ngrok.io".parse().unwrap(), port: port.try_into().unwrap() }
}

fn session(name: &str, port: u16) -> Session {
    let (name, link) = (name.parse().unwrap(), Link::Ngrok(there(port)));
    Session { name, link, user: "root".parse().unwrap(), folder: None, identity_file: None }
}

fn colab() -> Alias {
    "colab".parse().unwrap()
}

struct Play {
    state: State,
    second: i64,
}

impl Play {
    /// `colab` at port 1 with key 1 of this trust, and its tunnel is gone.
    fn adrift(trust: Trust) -> Self {
        let mut play = Self { state: State::default(), second: 0 };
        play.send(Msg::Loaded(vec![Loaded::new(session("colab", 1), vec![(key(1), trust)])]));
        play.fails();
        play
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.state, msg, at(self.second))
    }

    fn fails(&mut self) -> Vec<Effect> {
        self.send(Msg::Saw(colab(), Sight::Failed(Obstacle::Refused)))
    }

    fn alone(&mut self, port: u16, n: u8) -> Vec<Effect> {
        self.send(Msg::Alone(colab(), Lone { place: there(port), key: key(n) }))
    }

    fn followed(&self) -> &Followed {
        &self.state.sessions[&colab()]
    }
}

fn looks_at(effects: &[Effect], port: u16) -> bool {
    let there = Link::Ngrok(there(port));
    let order = |effect: &Effect| matches!(effect, Effect::Watch(WatchOrder { session, .. }) if session.link == there);
    effects.iter().any(order)
}

fn writes(effects: &[Effect]) -> Option<(&Session, &Session, &(HostKey, Trust))> {
    effects.iter().find_map(|effect| match effect {
        Effect::File(FileJob::Move { was, session, key }) => Some((was, session, key)),
        Effect::File(FileJob::Settle { .. } | FileJob::Adopt(_)) => panic!("it is no move: {effect:?}"),
        _ => None,
    })
}

#[test]
fn the_pinned_key_is_followed_without_a_question_and_keeps_its_trust() {
    for trust in [Trust::FirstUse, Trust::Approved, Trust::Derived] {
        let mut play = Play::adrift(trust);
        let effects = play.alone(2, 1);
        let (was, session, pinned) = writes(&effects).expect("the files follow");
        assert_eq!((was, &session.link), (&self::session("colab", 1), &Link::Ngrok(there(2))));
        assert_eq!(pinned, &(key(1), trust));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Notify(_))), "{effects:?}");
        assert_eq!(play.alone(2, 1), [], "once");
        let effects = play.send(Msg::Settled(colab(), Ok(())));
        assert!(looks_at(&effects, 2), "{effects:?}");
        assert_eq!(play.followed().lead.moved_from, None);
    }
}

#[test]
fn another_key_is_for_a_person_to_compare_and_nothing_is_written_before() {
    let mut play = Play::adrift(Trust::Approved);
    let effects = play.alone(2, 2);
    assert!(writes(&effects).is_none() && looks_at(&effects, 2), "{effects:?}");
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Notify(_))),
        "a person is asked: {effects:?}"
    );
    assert_eq!(play.state.comparison(&colab()).unwrap().seen, Some(key(2).fingerprint()));
    assert_eq!(play.alone(2, 2), [], "asked once");

    assert_eq!(
        play.send(Msg::Asked(Request::Approve(colab(), key(2).fingerprint()))),
        [Effect::Redial(colab())]
    );
    let shows = |n| Msg::Saw(colab(), Sight::Failed(Obstacle::Key { key: key(n), channel: false }));
    let effects = play.send(shows(3));
    assert!(writes(&effects).is_none(), "not the key that was compared: {effects:?}");
    play.send(Msg::Asked(Request::Approve(colab(), key(3).fingerprint())));
    let effects = play.send(shows(3));
    let (was, session, pinned) = writes(&effects).expect("approved");
    assert_eq!((was, &session.link), (&self::session("colab", 1), &Link::Ngrok(there(2))));
    assert_eq!(pinned, &(key(3), Trust::Approved));
}

#[test]
fn where_the_session_key_vouches_no_other_key_is_worth_a_question() {
    for trust in [Trust::Announced, Trust::Derived] {
        let mut play = Play::adrift(trust);
        assert_eq!(play.alone(2, 2), []);
        assert_eq!(play.followed().session, session("colab", 1));
    }
}

#[test]
fn a_session_that_is_there_or_whose_own_network_is_away_is_left_alone() {
    let mut play = Play::adrift(Trust::Approved);
    play.send(Msg::Saw(colab(), Sight::Online));
    play.send(Msg::Settled(colab(), Ok(())));
    assert_eq!(play.alone(2, 1), []);
    play.send(Msg::Saw(colab(), Sight::Failed(Obstacle::OwnNetwork)));
    assert_eq!(play.alone(2, 1), []);
    play.fails();
    assert!(writes(&play.alone(2, 1)).is_some());
}

#[test]
fn nobody_can_tell_whose_it_is_while_two_are_adrift_and_what_is_anothers_is_not_taken() {
    let mut play = Play::adrift(Trust::Approved);
    let both =
        [session("colab", 1), session("trainer", 3)].map(|s| Loaded::new(s, vec![(key(1), Trust::Approved)]));
    play.send(Msg::Loaded(both.to_vec()));
    let trainer = |sight| Msg::Saw("trainer".parse().unwrap(), sight);
    play.send(trainer(Sight::Failed(Obstacle::Refused)));
    assert_eq!(play.alone(2, 1), [], "two are adrift");
    play.send(trainer(Sight::Online));
    assert_eq!(play.alone(3, 1), [], "the other one's place");
    assert!(writes(&play.alone(2, 1)).is_some());
}

#[test]
fn a_place_that_gives_no_answer_is_left_and_tried_again_after_a_while() {
    let mut play = Play::adrift(Trust::Approved);
    play.alone(2, 2);
    let effects = play.fails();
    assert!(looks_at(&effects, 1), "back to where it led: {effects:?}");
    assert_eq!(play.followed().session, session("colab", 1));
    assert_eq!(play.alone(2, 2), []);
    play.second += 121;
    assert!(looks_at(&play.alone(2, 2), 2));
}

#[test]
fn another_place_is_looked_at_at_once_when_one_gave_no_answer() {
    let mut play = Play::adrift(Trust::Approved);
    play.alone(2, 2);
    play.fails();
    assert!(looks_at(&play.alone(3, 2), 3));
}
