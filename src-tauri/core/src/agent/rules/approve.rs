//! Approving a key. What a person compared is minutes old: the runtime is dialled once more, and only if it still shows
//! that very key is anything written.

use jiff::Timestamp;
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostKey};

use crate::agent::course::Approval;
use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, Told};
use crate::agent::notices;
use crate::agent::returning::Return;
use crate::agent::state::State;

/// An approval carries the fingerprint that the person compared: if another key is known to answer, it is void.
pub(super) fn asked(state: &mut State, name: &Alias, fingerprint: Fingerprint) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let redial = Effect::Redial(name.clone());
    match followed.course.approve(fingerprint) {
        // Whoever asked is told that no key waits.
        Approval::Nothing => Vec::new(),
        Approval::Same => vec![redial],
        Approval::Another(seen) => {
            followed.told = Told::NewKey(seen);
            vec![Effect::Notify(notices::key_changed_again(name)), redial]
        }
    }
}

/// A key answers that nobody vouched for but, perhaps, a person a moment ago.
pub(super) fn answered(
    followed: &mut Followed,
    key: &HostKey,
    approved: Fingerprint,
    now: Timestamp,
) -> Vec<Effect> {
    let fingerprint = key.fingerprint();
    if fingerprint != approved {
        followed.told = Told::NewKey(fingerprint);
        return vec![Effect::Notify(notices::key_changed_again(&followed.session.name))];
    }
    followed.course.write_approved(Return::with_key(followed.knew_another_key(), None, now));
    vec![followed.write_with(key.clone(), Trust::Approved)]
}
