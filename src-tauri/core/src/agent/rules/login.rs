//! A login that is refused, and installing the login key.

use jiff::Timestamp;
use moorline_model::health::Health;
use moorline_ssh_files::Alias;

use super::{RECOGNISE, keyring, later, since};
use crate::agent::effect::Effect;
use crate::agent::message::KeyInstall;
use crate::agent::notices;
use crate::agent::state::{Followed, State, Told};

/// The pinned key answers and does not know this desktop: a new disk, most likely. The login key is installed with
/// the stored password, once for each runtime; only if that fails is a person needed.
pub(super) fn refused(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    followed.drop_due = None;
    // A return on a key that was just vouched for goes on once the login works, and mends the files again then.
    followed.returning.take_if(|returning| returning.online);
    if let Some(returning) = &mut followed.returning {
        returning.files_written = false;
    }
    if followed.installing || followed.vault_shut {
        return Vec::new();
    }
    let keys = followed.keys();
    if followed.session.identity_file.is_some() {
        return needs_login(followed, "It refuses your own key: put its public half there.", now);
    }
    if keys.iter().any(|key| followed.install_tried.contains(key)) {
        return needs_login(followed, "Its disk may be new. Repair tries the stored password again.", now);
    }
    followed.installing = true;
    followed.install_tried = keys;
    if !matches!(followed.health, Health::AuthFailed { .. }) {
        followed.health = Health::Suspect { since: since(&followed.health, now) };
    }
    vec![Effect::InstallKey(followed.session.clone())]
}

pub(super) fn installed(state: &mut State, name: &Alias, outcome: KeyInstall, now: Timestamp) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    followed.installing = false;
    followed.password_only = matches!(outcome, KeyInstall::Failed(_));
    if followed.health == Health::Paused || matches!(followed.health, Health::Online { .. }) {
        return Vec::new();
    }
    match outcome {
        KeyInstall::Done => {
            if let Some(returning) = &mut followed.returning {
                returning.until = returning.until.max(later(now, RECOGNISE));
            }
            vec![Effect::Redial(name.clone())]
        }
        KeyInstall::NoPassword => {
            followed.install_tried.clear();
            let why = "Its disk may be new. Run the cell again, or store the password again.";
            needs_login(followed, why, now)
        }
        KeyInstall::VaultShut => keyring::shut(followed, now),
        KeyInstall::NotTried(sentence) => {
            followed.install_tried.clear();
            needs_login(followed, &sentence, now)
        }
        KeyInstall::Failed(sentence) => needs_login(followed, &sentence, now),
    }
}

/// Told once: what helps is a person.
fn needs_login(followed: &mut Followed, why: &str, now: Timestamp) -> Vec<Effect> {
    followed.returning = None;
    followed.health = Health::AuthFailed { since: since(&followed.health, now) };
    if followed.told == Told::LoginRefused {
        return Vec::new();
    }
    followed.told = Told::LoginRefused;
    vec![Effect::Notify(notices::login_refused(&followed.session.name, why))]
}
