//! What each announcement leads to, and what none may do.

mod numbers;

use moorline_model::announcement::Info;
use moorline_model::cause::{Loss, Obstacle};
use moorline_model::health::Health;
use moorline_model::session::RelayLink;
use moorline_model::settings::NoticeKind;
use moorline_model::trust::Trust;
use proptest::prelude::*;

use super::super::update;
use super::*;
use crate::agent::message::{Loaded, Msg, Request};
use crate::agent::notice::{Notice, NoticeAction};
use crate::watch::order::Sight;

const BORN: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BORN + second).unwrap()
}

fn colab() -> Alias {
    "colab".parse().unwrap()
}

fn key(n: u8) -> HostKey {
    HostKey::from_ed25519(&[n; 32])
}

fn place(port: u16) -> Place {
    Place { host: "h".parse().unwrap(), port: port.try_into().unwrap() }
}

fn session(link: Link) -> Session {
    Session { name: colab(), link, user: "root".parse().unwrap(), folder: None, identity_file: None }
}

/// What the runtime `n`, born in its own second, says as its `seq`th announcement.
fn said(n: u8, seq: u64, kind: Kind, port: u16) -> Announcement {
    Announcement {
        kid: "AAAAAAAAAAAA".parse().unwrap(),
        kind,
        runtime: RuntimeId::of([n; 16]),
        born: at(i64::from(n)),
        seq,
        at: at(100),
        endpoints: vec![Endpoint::Ngrok(place(port))],
        user: "root".parse().unwrap(),
        host_keys: Vec::new(),
        info: Info::default(),
    }
}

fn derived(n: u8) -> Vec<(HostKey, Trust)> {
    vec![(key(n), Trust::Derived)]
}

fn news(said: Announcement) -> News {
    News { channel: ChannelKind::Ntfy, said: Ok((said, None)), derived: key(7) }
}

struct Play {
    state: State,
    second: i64,
}

impl Play {
    /// A session whose runtime was never seen: its way leads nowhere.
    fn new() -> Self {
        let mut play = Self { state: State::default(), second: 101 };
        let channels = ChannelSettings { channels: vec![ChannelKind::Ntfy], ..ChannelSettings::default() };
        let loaded = Loaded { channels, ..Loaded::new(session(Link::Ngrok(place(9))), Vec::new()) };
        let effects = play.send(Msg::Loaded(vec![loaded]));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Listen(..))), "{effects:?}");
        play.saw(Sight::Failed(Obstacle::NameUnknown));
        play
    }

    /// Nobody has dialled yet since the program was started; the runtime 1 was followed before.
    fn started() -> Self {
        let accepted = Play::online().followed().announced.accepted.clone();
        let mut play = Self { state: State::default(), second: 101 };
        let loaded = Loaded { accepted, ..Loaded::new(session(Link::Ngrok(place(1))), derived(7)) };
        play.send(Msg::Loaded(vec![loaded]));
        play
    }

    /// The runtime 1 announced itself at port 1, its files were written, and it is online.
    fn online() -> Self {
        let mut play = Self::new();
        play.hears(said(1, 1, Kind::Up, 1));
        play.send(Msg::Adopted(colab(), Ok(())));
        play.saw(Sight::Online);
        play.after(10);
        play
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = update(&mut self.state, msg, at(self.second));
        effects.retain(|effect| !matches!(effect, Effect::File(FileJob::RememberTold(..))));
        effects
    }

    fn hears(&mut self, said: Announcement) -> Vec<Effect> {
        self.send(Msg::Announced(colab(), Box::new(news(said))))
    }

    fn saw(&mut self, sight: Sight) -> Vec<Effect> {
        self.send(Msg::Saw(colab(), sight))
    }

    fn after(&mut self, seconds: i64) -> Vec<Effect> {
        self.second += seconds;
        self.send(Msg::Tick)
    }

    fn followed(&self) -> &Followed {
        &self.state.sessions[&colab()]
    }
}

fn adoption(effects: &[Effect]) -> Option<&Adoption> {
    effects.iter().find_map(|effect| match effect {
        Effect::File(FileJob::Adopt(adoption)) => Some(adoption),
        _ => None,
    })
}

fn notices(effects: &[Effect]) -> Vec<&Notice> {
    let mut all = Vec::new();
    for effect in effects {
        if let Effect::Notify(notice) = effect {
            all.push(notice);
        }
    }
    all
}

fn outcome(effects: &[Effect]) -> Option<Result<(), Refusal>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Heard(_, _, outcome) => Some(outcome.clone()),
        _ => None,
    })
}

#[test]
fn the_files_come_before_the_watcher_goes_there() {
    let mut play = Play::new();
    let effects = play.hears(said(1, 1, Kind::Up, 1));
    assert_eq!(outcome(&effects), Some(Ok(())));
    let adopted = adoption(&effects).unwrap();
    assert_eq!(adopted.link, Link::Ngrok(place(1)));
    assert_eq!(adopted.keys, [(key(7), Trust::Derived)]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Watch(_))), "{effects:?}");
    let effects = play.send(Msg::Adopted(colab(), Ok(())));
    let Some(Effect::Watch(order)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((&order.session.link, &order.pinned[..]), (&Link::Ngrok(place(1)), &[key(7)][..]));
}

#[test]
fn one_announcement_over_two_channels_counts_once_and_a_replay_is_said() {
    let mut play = Play::online();
    assert!(play.hears(said(1, 1, Kind::Up, 1)).is_empty(), "known");
    play.hears(said(1, 3, Kind::Beat, 1));
    let effects = play.hears(said(1, 2, Kind::Up, 5));
    assert_eq!(outcome(&effects), Some(Err(Refusal::Replayed)));
    assert_eq!(effects.len(), 1, "{effects:?}");
}

#[test]
fn a_beat_of_the_same_place_is_remembered_and_changes_nothing_else() {
    let mut play = Play::online();
    let effects = play.hears(said(1, 2, Kind::Beat, 1));
    let [Effect::Heard(..), Effect::File(FileJob::RememberAccepted(_, accepted))] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(accepted.seq, 2);
}

#[test]
fn the_same_runtime_at_another_endpoint_is_followed_once_the_old_way_is_dead() {
    let mut play = Play::online();
    let effects = play.hears(said(1, 2, Kind::Up, 2));
    assert!(adoption(&effects).is_none() && effects.contains(&Effect::Probe(colab())), "{effects:?}");
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert_eq!(adoption(&effects).map(|adoption| &adoption.link), Some(&Link::Ngrok(place(2))));
    play.send(Msg::Adopted(colab(), Ok(())));
    let effects = [play.saw(Sight::Dialling), play.saw(Sight::Online), play.after(10)].concat();
    assert!(notices(&effects).is_empty(), "nobody was told of a drop: {effects:?}");
}

#[test]
fn the_old_way_that_dies_while_the_new_one_is_written_is_no_drop() {
    let mut play = Play::online();
    play.saw(Sight::Lost(Loss::Closed));
    assert!(play.hears(said(1, 2, Kind::Up, 2)).contains(&Effect::Redial(colab())), "it waits for a dial");
    let mut effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert!(adoption(&effects).is_some(), "{effects:?}");
    effects.extend(play.saw(Sight::Failed(Obstacle::Refused)));
    assert!(matches!(play.followed().course.phase().health(), Health::Down { .. }));
    effects.extend(play.after(10));
    effects.extend(play.send(Msg::Adopted(colab(), Ok(()))));
    effects.extend([play.saw(Sight::Dialling), play.saw(Sight::Online), play.after(10)].concat());
    assert!(notices(&effects).is_empty(), "{effects:?}");
}

#[test]
fn a_new_way_that_cannot_be_written_or_is_dead_too_is_a_drop() {
    for written in [Ok(()), Err("the disk is full".to_owned())] {
        let mut play = Play::online();
        play.saw(Sight::Lost(Loss::Closed));
        play.hears(said(1, 2, Kind::Up, 2));
        assert!(adoption(&play.saw(Sight::Failed(Obstacle::Refused))).is_some());
        play.send(Msg::Adopted(colab(), written.clone()));
        if written.is_ok() {
            play.saw(Sight::Failed(Obstacle::Refused));
        }
        let effects = play.after(5);
        let told = notices(&effects).iter().any(|notice| notice.kind == NoticeKind::Dropped);
        assert!(told, "{written:?}: {effects:?}");
    }
}

#[test]
fn a_thief_of_the_session_key_cannot_lead_an_online_session_away_as_the_very_runtime() {
    let mut play = Play::online();
    play.hears(said(1, 2, Kind::Up, 2));
    let effects = play.after(16);
    assert!(adoption(&effects).is_none());
    let [notice] = notices(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(notice.actions, [NoticeAction::TakeOver(colab(), RuntimeId::of([1; 16]))]);
    assert_eq!(notice.title, "colab: its runtime says that it moved");
    // The runtime itself says that it is where it was.
    let effects = play.hears(said(1, 3, Kind::Beat, 1));
    assert!(effects.contains(&Effect::Unnotify(notices::rival_slot(&colab()))), "{effects:?}");
    assert_eq!(play.followed().announced.rival, None);
}

#[test]
fn a_forged_goodbye_does_not_let_another_runtime_in() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    let effects = play.hears(said(1, 2, Kind::Down, 1));
    assert_eq!(adoption(&effects), None, "{effects:?}");
    assert_eq!(adoption(&play.after(5)), None, "nobody has looked yet");
    play.saw(Sight::Dialling);
    assert_eq!(adoption(&play.saw(Sight::Online)), None, "it is still there");

    play.hears(said(1, 3, Kind::Down, 1));
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert!(adoption(&effects).is_some(), "now it is gone: {effects:?}");
}

#[test]
fn a_forged_goodbye_does_not_lead_elsewhere_in_the_name_of_the_very_runtime() {
    let mut play = Play::online();
    play.hears(said(1, 2, Kind::Down, 1));
    let effects = play.hears(said(1, 3, Kind::Up, 2));
    assert_eq!(adoption(&effects), None, "{effects:?}");
    let effects = [play.saw(Sight::Dialling), play.saw(Sight::Online), play.after(16)].concat();
    assert_eq!(adoption(&effects), None, "it is still there");
    assert!(notices(&effects).iter().any(|notice| notice.title == "colab: its runtime says that it moved"));
}

#[test]
fn nothing_is_followed_unasked_before_a_dial_has_shown_that_the_way_is_dead() {
    for n in [1, 2] {
        let mut play = Play::started();
        let effects = play.hears(said(n, 2, Kind::Up, 2));
        assert!(adoption(&effects).is_none() && effects.contains(&Effect::Redial(colab())), "{effects:?}");
        let effects = [play.saw(Sight::Dialling), play.saw(Sight::Failed(Obstacle::OwnNetwork))].concat();
        assert_eq!(adoption(&[effects, play.after(20)].concat()), None);
        assert!(adoption(&play.saw(Sight::Failed(Obstacle::Refused))).is_some());
    }
}

#[test]
fn a_session_that_had_no_runtime_yet_waits_for_no_dial() {
    let mut play = Play { state: State::default(), second: 101 };
    let nowhere = Place { host: "colab.invalid".parse().unwrap(), ..place(1) };
    play.send(Msg::Loaded(vec![Loaded::new(session(Link::Ngrok(nowhere)), derived(7))]));
    assert!(adoption(&play.hears(said(1, 1, Kind::Up, 1))).is_some());
    let effects = play.send(Msg::Adopted(colab(), Ok(())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Watch(_))), "now there is one: {effects:?}");
    play.saw(Sight::Dialling);
    assert_eq!(play.followed().course.phase().health(), Health::Connecting);
}

#[test]
fn what_stands_in_between_proves_nothing_and_a_person_is_asked() {
    let mut play = Play::online();
    play.saw(Sight::Lost(Loss::Closed));
    play.saw(Sight::Failed(Obstacle::Edge("a sign-in is wanted".to_owned())));
    play.hears(said(2, 1, Kind::Up, 2));
    let effects = [play.hears(said(1, 2, Kind::Down, 1)), play.after(16)].concat();
    assert_eq!(adoption(&effects), None, "{effects:?}");
    let asked = notices(&effects).into_iter().find(|notice| notice.slot == notices::rival_slot(&colab()));
    assert_eq!(asked.unwrap().body, "Nothing shows that the one before is gone. Follow the new one?");
}

#[test]
fn what_was_heard_under_the_session_key_before_counts_for_nothing() {
    let mut play = Play::started();
    play.saw(Sight::Online);
    play.hears(said(2, 1, Kind::Up, 2));
    assert_eq!(notices(&play.after(16)).len(), 1, "a person is asked");
    let accepted = play.followed().announced.accepted.clone();
    let loaded = Loaded { accepted, ..Loaded::new(session(Link::Ngrok(place(1))), derived(8)) };
    let effects = play.send(Msg::Loaded(vec![loaded]));
    assert!(effects.contains(&Effect::Unnotify(notices::rival_slot(&colab()))), "{effects:?}");
    let shown = Sight::Failed(Obstacle::Key { key: key(7), channel: false });
    assert_eq!(
        adoption(&[play.saw(shown), play.after(20)].concat()),
        None,
        "the thief's place waits no more"
    );
}

#[test]
fn another_runtime_is_asked_about_once_while_the_first_is_online() {
    let mut play = Play::online();
    let effects = play.hears(said(2, 1, Kind::Up, 2));
    assert_eq!(adoption(&effects), None);
    assert!(notices(&play.after(5)).is_empty(), "the first may be on its way out");
    let effects = play.after(11);
    let [notice] = notices(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(notice.actions, [NoticeAction::TakeOver(colab(), RuntimeId::of([2; 16]))]);
    assert!(notices(&play.hears(said(2, 2, Kind::Beat, 2))).is_empty());
    assert!(notices(&play.after(60)).is_empty(), "asked once");
    assert_eq!(outcome(&play.hears(said(1, 2, Kind::Beat, 1))), Some(Ok(())), "the first still counts");

    let third = Request::TakeOver(colab(), RuntimeId::of([3; 16]));
    assert!(super::super::objection(&play.state, &third).is_some());
    assert_eq!(adoption(&play.send(Msg::Asked(third))), None, "an answer is for one runtime");
    let yes = Request::TakeOver(colab(), RuntimeId::of([2; 16]));
    assert_eq!(super::super::objection(&play.state, &yes), None);
    let effects = play.send(Msg::Asked(yes));
    assert_eq!(adoption(&effects).map(|adoption| &adoption.link), Some(&Link::Ngrok(place(2))));
    assert_eq!(outcome(&play.hears(said(1, 9, Kind::Up, 1))), Some(Err(Refusal::Older)));
}

#[test]
fn another_runtime_is_followed_unasked_once_the_first_is_gone() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    play.saw(Sight::Lost(Loss::Closed));
    assert!(play.followed().announced.rival.is_some(), "a loss alone proves nothing");
    play.saw(Sight::Failed(Obstacle::OwnNetwork));
    assert!(play.followed().announced.rival.is_some(), "nor does this computer's own network");
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert_eq!(adoption(&effects).map(|adoption| &adoption.link), Some(&Link::Ngrok(place(2))));
    play.send(Msg::Adopted(colab(), Ok(())));
    let effects = [play.saw(Sight::Online), play.after(10)].concat();
    let [notice] = notices(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(notice.title, "colab has a new machine; the disk is empty");
}

#[test]
fn goodbye_counts_at_once_and_only_from_the_runtime_itself() {
    let mut play = Play::online();
    let effects = play.hears(said(2, 1, Kind::Down, 1));
    assert!(
        !effects.iter().any(|effect| matches!(effect, Effect::File(FileJob::RememberAccepted(..)))),
        "{effects:?}"
    );
    assert!(
        matches!(play.followed().course.phase().health(), Health::Online { .. }),
        "another one's goodbye is not its own"
    );
    let effects = play.hears(said(1, 2, Kind::Down, 1));
    assert!(matches!(play.followed().course.phase().health(), Health::Down { cause: Cause::Ended, .. }));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Unwatch(_))), "{effects:?}");
    let effects = play.after(1);
    let [notice] = notices(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(notice.title, "colab dropped: its runtime has ended");
}

#[test]
fn announced_keys_are_pinned_as_such_and_a_relay_is_never_announced() {
    let mut play = Play::new();
    let own = Announcement { host_keys: vec![key(3)], ..said(1, 1, Kind::Up, 1) };
    let effects = play.hears(own);
    assert_eq!(adoption(&effects).unwrap().keys, [(key(3), Trust::Announced)]);
    let relay = vec![Endpoint::Relay(7423.try_into().unwrap())];
    assert_eq!(way(&Link::Ngrok(place(1)), &relay, None, ChannelKind::Ntfy), None, "it has no relay");
    let there =
        RelayLink { relay: "me@home".parse().unwrap(), port: 1.try_into().unwrap(), mine_alone: true };
    let moved = RelayLink { port: 7423.try_into().unwrap(), ..there.clone() };
    assert_eq!(way(&Link::Relay(there), &relay, None, ChannelKind::Ntfy), Some(Link::Relay(moved)));
}

#[test]
fn what_the_channel_knows_is_where_it_is() {
    let found = way(&Link::Ngrok(place(1)), &[], Some(place(4)), ChannelKind::Ngrok);
    assert_eq!(found, Some(Link::Ngrok(place(4))));
    let mut play = Play::online();
    let without = Announcement { endpoints: Vec::new(), ..said(1, 2, Kind::Beat, 1) };
    assert_eq!(adoption(&play.hears(without)), None, "a sign of life without a way changes nothing");
}

#[test]
fn files_that_cannot_be_written_are_told_and_nothing_is_dialled() {
    let mut play = Play::new();
    play.hears(said(1, 1, Kind::Up, 1));
    let effects = play.send(Msg::Adopted(colab(), Err("the disk is full".to_owned())));
    assert_eq!(notices(&effects).len(), 1);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Watch(_))), "{effects:?}");
    assert_eq!(play.followed().session.link, Link::Ngrok(place(9)), "it leads where it led");
}

#[test]
fn a_paused_session_hears_nothing() {
    let mut play = Play::online();
    let effects = play.send(Msg::Asked(Request::Pause(colab())));
    assert!(effects.contains(&Effect::Unlisten(colab())), "{effects:?}");
    assert!(play.hears(said(1, 2, Kind::Up, 2)).is_empty());
    let effects = play.send(Msg::Asked(Request::Resume(colab())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Listen(..))), "{effects:?}");
}

#[test]
fn what_was_accepted_before_a_restart_is_refused_after_it() {
    let accepted = Play::online().followed().announced.accepted.clone();
    let mut play = Play { state: State::default(), second: 101 };
    let loaded = Loaded { accepted, ..Loaded::new(session(Link::Ngrok(place(1))), Vec::new()) };
    play.send(Msg::Loaded(vec![loaded]));
    assert!(play.hears(said(1, 1, Kind::Up, 5)).is_empty(), "known");
    assert_eq!(outcome(&play.hears(said(0, 9, Kind::Up, 5))), Some(Err(Refusal::Older)));
}

fn step() -> impl Strategy<Value = Msg> {
    let heard = (0_u8..3, 1_u64..5, 0_u16..3, 0_u8..3).prop_map(|(n, seq, port, kind)| {
        let kind = [Kind::Up, Kind::Beat, Kind::Down][usize::from(kind)];
        Msg::Announced(colab(), Box::new(news(said(n, seq, kind, port + 1))))
    });
    let sights = prop::sample::select(vec![
        Sight::Dialling,
        Sight::Online,
        Sight::Lost(Loss::Closed),
        Sight::Failed(Obstacle::Refused),
        Sight::Failed(Obstacle::OwnNetwork),
    ]);
    prop_oneof![
        4 => heard,
        3 => sights.prop_map(|sight| Msg::Saw(colab(), sight)),
        2 => Just(Msg::Adopted(colab(), Ok(()))),
        1 => Just(Msg::Settled(colab(), Ok(()))),
        1 => Just(Msg::Tick),
    ]
}

proptest! {
    #[test]
    fn nothing_is_led_elsewhere_unasked_but_by_a_dial_that_found_the_way_dead(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut play = Play::online();
        let mut found_dead = false;
        for msg in steps {
            match &msg {
                Msg::Saw(_, Sight::Online) => found_dead = false,
                Msg::Saw(_, Sight::Failed(Obstacle::Refused)) => found_dead = true,
                _ => {}
            }
            play.second += 1;
            let effects = play.send(msg);
            prop_assert!(found_dead || adoption(&effects).is_none(), "{effects:?}");
        }
    }
}
