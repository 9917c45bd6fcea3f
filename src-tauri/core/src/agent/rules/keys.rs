//! A key that is not pinned: what the way there vouches for is written, and a person is asked about all else.

use jiff::Timestamp;
use moorline_model::trust::Trust;
use moorline_ssh_files::HostKey;

use super::approve;
use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, Told};
use crate::agent::notices;
use crate::agent::returning::Return;

/// The way there proves the key: the files are written first, then the watcher goes on with it.
pub(super) fn vouched(followed: &mut Followed, key: HostKey, now: Timestamp) -> Vec<Effect> {
    if followed.course.is_writing(&key) {
        return Vec::new();
    }
    // One that was moved leads to another runtime for certain.
    let new_machine = followed.lead.moved_from.is_some().then_some(true);
    let returning = Return::with_key(followed.knew_another_key(), new_machine, now);
    followed.course.vouch(key.clone(), returning, now);
    vec![followed.write_with(key, Trust::Channel)]
}

/// A person has to compare it, unless it is what they approved a moment ago.
pub(super) fn unvouched(followed: &mut Followed, key: &HostKey, now: Timestamp) -> Vec<Effect> {
    let fingerprint = key.fingerprint();
    if let Some(approved) = followed.course.ask(key.clone(), now) {
        return approve::answered(followed, key, approved, now);
    }
    if followed.told == Told::NewKey(fingerprint) {
        return Vec::new();
    }
    followed.told = Told::NewKey(fingerprint);
    vec![Effect::Notify(notices::new_key(&followed.session.name))]
}
