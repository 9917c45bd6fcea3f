//! What follows when a session's account at ngrok has one place alone that could be its runtime.

use jiff::{SignedDuration, Timestamp};
use moorline_model::session::Link;
use moorline_model::trust::channel_may_replace;
use moorline_ssh_files::{Alias, Place};

use super::dial::watch;
use super::keys;
use crate::agent::effect::{Effect, FileJob};
use crate::agent::followed::Followed;
use crate::agent::moments::later;
use crate::agent::returning::Return;
use crate::agent::state::State;
use crate::announce::channels::Lone;

/// How long a place that gave no answer is left alone.
const LEFT_ALONE: SignedDuration = SignedDuration::from_mins(2);

/// A session whose runtime is gone goes on there if a key that is pinned answers. Another key is for a person to
/// compare, and nothing is written before they approved it; where the session key vouches for the runtime's key,
/// another one is not even worth a question.
pub(super) fn found(state: &mut State, name: &Alias, lone: Lone, now: Timestamp) -> Vec<Effect> {
    // With two sessions adrift nobody can tell whose it is, and one that belongs to another session is no news.
    let others = state.sessions.values().filter(|other| other.session.name != *name);
    let mut places = others.filter_map(|other| Some((other, place(&other.session.link)?)));
    if places.any(|(other, there)| *there == lone.place || other.is_adrift()) {
        return Vec::new();
    }
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let elsewhere = place(&followed.session.link).is_some_and(|now| *now != lone.place);
    let left_alone =
        followed.lead.lone_again.as_ref().is_some_and(|(gone, again)| *gone == lone.place && now < *again);
    if !elsewhere
        || left_alone
        || !followed.is_adrift()
        || followed.course.is_adopting()
        || followed.announced.rival.is_some()
    {
        return Vec::new();
    }
    let pinned = followed.pinned.iter().find(|(key, _)| *key == lone.key).cloned();
    if pinned.is_none() && !channel_may_replace(followed.pinned.iter().map(|(_, trust)| *trust)) {
        return Vec::new();
    }
    let was = followed.lead.moved_from.get_or_insert_with(|| followed.session.clone()).clone();
    followed.session.link = Link::Ngrok(lone.place);
    let Some(key) = pinned else {
        // The watcher goes there, too: what people approve is what answers then.
        return [keys::unvouched(followed, &lone.key, now), vec![watch(followed, 0)]].concat();
    };
    followed.course.vouch(lone.key, Return::new(None, now), now);
    vec![Effect::File(FileJob::Move { was, session: followed.session.clone(), key })]
}

/// What was only looked at is gone, too: the session leads where it led before.
pub(super) fn given_up(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    match followed.lead.moved_from.take_if(|was| matches!(was.link, Link::Ngrok(_))) {
        Some(was) => {
            followed.lead.lone_again =
                place(&followed.session.link).map(|gone| (gone.clone(), later(now, LEFT_ALONE)));
            followed.session = was;
            vec![watch(followed, 0)]
        }
        None => Vec::new(),
    }
}

fn place(link: &Link) -> Option<&Place> {
    match link {
        Link::Ngrok(place) => Some(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
