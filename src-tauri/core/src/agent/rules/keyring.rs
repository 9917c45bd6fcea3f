//! A locked keyring, when a kept password is wanted.

use jiff::Timestamp;
use moorline_model::health::Health;
use moorline_ssh_files::Alias;

use super::since;
use crate::agent::effect::Effect;
use crate::agent::notices;
use crate::agent::state::{Followed, State, Told};

/// Told once. Until the keyring is open it is left alone: each further try could put its unlock dialog before a person
/// who does something else.
pub(super) fn shut(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    followed.install_tried.clear();
    followed.vault_shut = true;
    followed.returning = None;
    followed.health = Health::AuthFailed { since: since(&followed.health, now) };
    if followed.told == Told::VaultShut {
        return Vec::new();
    }
    followed.told = Told::VaultShut;
    vec![Effect::Notify(notices::vault_shut(&followed.session.name))]
}

/// It goes on where it stopped.
pub(super) fn opened(state: &mut State, name: &Alias) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    if !std::mem::take(&mut followed.vault_shut) || !matches!(followed.health, Health::AuthFailed { .. }) {
        return Vec::new();
    }
    followed.installing = true;
    followed.install_tried = followed.keys();
    vec![Effect::InstallKey(followed.session.clone())]
}
