//! A locked keyring, when a kept password is wanted.

use jiff::Timestamp;
use moorline_ssh_files::Alias;

use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, LoginKeyWork, Told};
use crate::agent::notices;
use crate::agent::phase::Phase;
use crate::agent::state::State;

/// Told once. Until the keyring is open it is left alone: each further try could put its unlock dialog before a person
/// who does something else.
pub(super) fn shut(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    followed.login_key.tried.clear();
    followed.login_key.work = LoginKeyWork::VaultShut;
    followed.course.need_login(now);
    if followed.told == Told::VaultShut {
        return Vec::new();
    }
    followed.told = Told::VaultShut;
    vec![Effect::Notify(notices::vault_shut(&followed.session.name))]
}

/// It goes on where it stopped.
pub(super) fn opened(state: &mut State, name: &Alias) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    if followed.login_key.work != LoginKeyWork::VaultShut {
        return Vec::new();
    }
    if !matches!(followed.course.phase(), Phase::AuthFailed { .. }) {
        followed.login_key.work = LoginKeyWork::None;
        return Vec::new();
    }
    followed.login_key.work = LoginKeyWork::UnderWay;
    followed.login_key.tried = followed.keys();
    vec![Effect::InstallKey(followed.session.clone())]
}
