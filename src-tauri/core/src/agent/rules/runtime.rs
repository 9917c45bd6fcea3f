//! What follows when a runtime of the person's account is there no more: whether the session goes on with another.

use std::collections::BTreeSet;

use jiff::Timestamp;
use moorline_model::cause::{Cause, Other};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{ColabLink, Link};
use moorline_ssh_files::Alias;

use super::dial::watch;
use super::dropped;
use crate::agent::effect::Effect;
use crate::agent::followed::Followed;
use crate::agent::notices;
use crate::agent::phase::Phase;
use crate::agent::state::State;

/// The session's runtime has ended. If the account has exactly one other that no session follows and that appeared in
/// its place, that is the restarted notebook: the session goes on there. One that was there all the time is for
/// something else, so a person is asked.
pub(super) fn ended(state: &mut State, name: &Alias, others: &[Other], now: Timestamp) -> Vec<Effect> {
    let grace = state.settling_in_until;
    let taken: BTreeSet<EndpointId> = state.sessions.values().filter_map(runtime).cloned().collect();
    // With two sessions adrift nobody can tell whose the new runtime is.
    let adrift =
        state.sessions.values().filter(|other| other.session.name != *name && has_ended(other)).count();
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    if followed.course.is_paused() {
        return Vec::new();
    }
    let free: Vec<&Other> = others.iter().filter(|other| !taken.contains(&other.runtime)).collect();
    match free[..] {
        [only] if !only.beside && adrift == 0 => go_on(followed, only.runtime.clone(), now),
        [only] => {
            let mut effects = dropped::down(followed, Cause::Ended, grace, now);
            if followed.lead.offered.as_ref() != Some(&only.runtime) {
                followed.lead.offered = Some(only.runtime.clone());
                // It is all that is said, whatever else went without an answer.
                effects = vec![Effect::Notify(notices::offered(name, &only.runtime))];
            }
            effects
        }
        _ => {
            followed.lead.offered = None;
            dropped::down(followed, Cause::Ended, grace, now)
        }
    }
}

/// A person said so. A session that is online is left alone: it would be torn from under an editor.
pub(super) fn follow(state: &mut State, name: &Alias, to: EndpointId, now: Timestamp) -> Vec<Effect> {
    let taken = state.sessions.values().any(|other| runtime(other) == Some(&to));
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let leads_there = matches!(followed.session.link, Link::Colab(_));
    if taken || !leads_there || followed.course.is_online() || followed.course.is_paused() {
        return Vec::new();
    }
    go_on(followed, to, now)
}

/// Leads the session to another runtime. The files are written once its key is known.
fn go_on(followed: &mut Followed, to: EndpointId, now: Timestamp) -> Vec<Effect> {
    followed.lead.moved_from.get_or_insert_with(|| followed.session.clone());
    followed.session.link = Link::Colab(ColabLink { runtime: to });
    followed.course.doubt(now);
    followed.lead.offered = None;
    vec![watch(followed, 0)]
}

fn runtime(followed: &Followed) -> Option<&EndpointId> {
    match &followed.session.link {
        Link::Colab(link) => Some(&link.runtime),
        _ => None,
    }
}

fn has_ended(followed: &Followed) -> bool {
    matches!(followed.course.phase(), Phase::Down { cause: Cause::Ended, .. })
}
