//! What is held to the numbers of other runtimes, and what is tried or asked again.

use super::*;
use crate::agent::message::KeyInstall;

#[test]
fn a_runtime_that_said_goodbye_is_not_believed_again_and_its_number_outlives_a_restart() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    let effects = play.hears(said(2, 2, Kind::Down, 2));
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::File(FileJob::RememberHeard(_, heard)) => Some(heard.clone()),
        _ => None,
    });
    let kept = kept.unwrap();
    assert_eq!(kept.iter().map(|heard| heard.seq).collect::<Vec<_>>(), [2]);
    let replayed = Some(Err(Refusal::Replayed));
    assert_eq!(outcome(&play.hears(said(2, 1, Kind::Up, 2))), replayed);

    let accepted = play.followed().announced.accepted.clone();
    let mut play = Play { state: State::default(), second: play.second };
    let loaded = Loaded { accepted, heard: kept, ..Loaded::new(session(Link::Ngrok(place(1))), derived(7)) };
    play.send(Msg::Loaded(vec![loaded]));
    assert_eq!(outcome(&play.hears(said(2, 1, Kind::Up, 2))), replayed);
    assert_eq!(adoption(&play.saw(Sight::Failed(Obstacle::Refused))), None);
}

#[test]
fn one_that_goes_on_is_followed_again_once_its_younger_successor_is_dead() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    play.saw(Sight::Lost(Loss::Closed));
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert!(adoption(&effects).is_some());
    play.send(Msg::Adopted(colab(), Ok(())));
    let older = Some(Err(Refusal::Older));
    assert_eq!(outcome(&play.hears(said(1, 2, Kind::Beat, 1))), older, "nobody has looked there yet");
    play.saw(Sight::Failed(Obstacle::Refused));
    assert_eq!(play.hears(said(1, 1, Kind::Up, 1)), [], "that was heard before");
    let effects = play.hears(said(1, 2, Kind::Beat, 1));
    assert_eq!(adoption(&effects).map(|adoption| &adoption.link), Some(&Link::Ngrok(place(1))));
    // What is on disk until that is written brings the other one not back.
    let accepted = play.followed().announced.accepted.clone();
    let two = play.followed().announced.heard.iter().find(|heard| heard.seq == 1).cloned();
    let loaded = Loaded { accepted: two, ..Loaded::new(session(Link::Ngrok(place(1))), derived(7)) };
    play.send(Msg::Loaded(vec![loaded]));
    assert_eq!(play.followed().announced.accepted, accepted);
    // A third one is younger than both.
    assert_eq!(outcome(&play.hears(said(3, 1, Kind::Up, 3))), Some(Ok(())));
}

#[test]
fn numbers_rise_for_the_very_runtime_elsewhere() {
    let mut play = Play::online();
    play.hears(said(1, 5, Kind::Beat, 5));
    play.hears(said(1, 6, Kind::Beat, 6));
    assert_eq!(outcome(&play.hears(said(1, 5, Kind::Beat, 5))), Some(Err(Refusal::Replayed)));
    play.saw(Sight::Lost(Loss::Closed));
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert_eq!(adoption(&effects).unwrap().accepted.seq, 6);
}

#[test]
fn a_question_that_nobody_answered_is_over_after_a_day() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    assert_eq!(notices(&play.after(20)).len(), 1);
    let effects = play.after(24 * 3600);
    assert!(effects.contains(&Effect::Unnotify(notices::rival_slot(&colab()))), "{effects:?}");
    play.saw(Sight::Lost(Loss::Closed));
    let effects = [play.saw(Sight::Failed(Obstacle::Silent)), play.after(60)].concat();
    assert_eq!(adoption(&effects), None, "what was said yesterday tells nothing any more");
}

#[test]
fn a_runtime_that_proves_its_key_and_refuses_the_login_is_not_gone() {
    let mut play = Play::online();
    play.hears(said(2, 1, Kind::Up, 2));
    play.saw(Sight::Lost(Loss::Closed));
    let tried = play.saw(Sight::Failed(Obstacle::Login));
    let refused = play.send(Msg::KeyInstalled(colab(), KeyInstall::NoPassword));
    let later = play.after(60);
    assert_eq!(adoption(&[tried, refused, later].concat()), None);
}

#[test]
fn what_a_person_pasted_is_dialled_before_an_announcement_overrules_it() {
    let mut play = Play::online();
    play.saw(Sight::Lost(Loss::Closed));
    play.saw(Sight::Failed(Obstacle::Refused));
    let accepted = play.followed().announced.accepted.clone();
    let channels = ChannelSettings { channels: vec![ChannelKind::Ntfy], ..ChannelSettings::default() };
    let pasted = session(Link::Direct(place(77)));
    play.send(Msg::Loaded(vec![Loaded { channels, accepted, ..Loaded::new(pasted, derived(7)) }]));
    let effects = play.hears(said(1, 2, Kind::Beat, 1));
    assert_eq!(adoption(&effects), None, "nobody has dialled the new way yet");
    let effects = play.saw(Sight::Failed(Obstacle::Refused));
    assert_eq!(adoption(&effects).map(|adoption| &adoption.link), Some(&Link::Ngrok(place(1))));
}

#[test]
fn an_adoption_whose_files_could_not_be_written_is_tried_again() {
    let mut play = Play::new();
    let first = play.hears(said(1, 1, Kind::Up, 1));
    assert!(adoption(&first).is_some());
    let effects = play.send(Msg::Adopted(colab(), Err("the disk is full".to_owned())));
    assert_eq!(notices(&effects).len(), 1);
    let effects = [play.after(30), play.hears(said(1, 1, Kind::Up, 1))].concat();
    assert_eq!((adoption(&effects), notices(&effects).len()), (None, 0), "not all the time");
    let effects = play.after(30);
    assert_eq!(adoption(&effects), adoption(&first));
    let effects = play.send(Msg::Adopted(colab(), Err("the disk is full".to_owned())));
    assert_eq!(notices(&effects).len(), 0, "told once");
    assert!(adoption(&play.after(60)).is_some());
    play.send(Msg::Adopted(colab(), Ok(())));
    assert_eq!(play.followed().session.link, Link::Ngrok(place(1)));
    assert_eq!(adoption(&play.after(60)), None);
}

#[test]
fn a_person_is_asked_if_the_old_way_answers_again_before_the_files_can_be_written() {
    let mut play = Play::online();
    play.saw(Sight::Lost(Loss::Closed));
    play.saw(Sight::Failed(Obstacle::Refused));
    assert!(adoption(&play.hears(said(2, 1, Kind::Up, 2))).is_some());
    play.send(Msg::Adopted(colab(), Err("the disk is full".to_owned())));
    play.saw(Sight::Online);
    let effects = play.after(61);
    assert_eq!(adoption(&effects), None);
    let asked = |notice: &&Notice| notice.slot == notices::rival_slot(&colab());
    assert_eq!(notices(&effects).into_iter().filter(asked).count(), 1, "{effects:?}");
}
