//! Approving a key. What a person compared is minutes old: the runtime is dialled once more, and only if it still shows
//! that very key is anything written.

use jiff::Timestamp;
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostKey};

use super::{RECOGNISE, later};
use crate::agent::effect::Effect;
use crate::agent::notices;
use crate::agent::state::{Followed, Return, State, Told};

/// An approval carries the fingerprint that the person compared: if another key is known to answer, it is void.
pub(super) fn asked(state: &mut State, name: &Alias, fingerprint: Fingerprint) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    // Whoever asked is told that no key waits.
    let Some(seen) = followed.seen_key.as_ref().map(HostKey::fingerprint) else { return Vec::new() };
    let waits = seen == fingerprint;
    followed.approval = waits.then_some(fingerprint);
    let redial = Effect::Redial(name.clone());
    if waits {
        return vec![redial];
    }
    followed.told = Told::NewKey(seen);
    vec![Effect::Notify(notices::key_changed_again(name)), redial]
}

/// A key answers that nobody vouched for but, perhaps, a person a moment ago; `None` when nobody did.
pub(super) fn answered(followed: &mut Followed, key: &HostKey, now: Timestamp) -> Option<Vec<Effect>> {
    let approved = followed.approval.take()?;
    let fingerprint = key.fingerprint();
    if fingerprint != approved {
        followed.told = Told::NewKey(fingerprint);
        return Some(vec![Effect::Notify(notices::key_changed_again(&followed.session.name))]);
    }
    followed.returning = Some(Return::with_key(followed.knew_another_key(), later(now, RECOGNISE)));
    let (session, key) = (followed.session.clone(), (key.clone(), Trust::Approved));
    Some(vec![match followed.moved_from.clone() {
        Some(was) => Effect::Move { was, session, key },
        None => Effect::Settle { session, key: Some(key) },
    }])
}

/// It does not answer any more: what was approved is asked again when it does.
pub(super) fn unanswered(followed: &mut Followed) -> Vec<Effect> {
    match followed.approval.take() {
        Some(_) => {
            // So that the key is told of when it shows again.
            followed.told = Told::Nothing;
            vec![Effect::Notify(notices::not_approved(&followed.session.name))]
        }
        None => Vec::new(),
    }
}
