//! A login that is refused, and installing the login key.

use jiff::Timestamp;
use moorline_ssh_files::Alias;

use super::keyring;
use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, LoginKeyWork, Told};
use crate::agent::message::KeyInstall;
use crate::agent::notices;
use crate::agent::phase::Phase;
use crate::agent::state::State;

/// The pinned key answers and does not know this desktop: a new disk, most likely. The login key is installed with
/// the stored password, once for each runtime; only if that fails is a person needed.
pub(super) fn refused(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    followed.course.refuse_login();
    if followed.login_key.work != LoginKeyWork::None {
        return Vec::new();
    }
    let keys = followed.keys();
    if followed.session.identity_file.is_some() {
        return needs_login(followed, "It refuses your own key: put its public half there.", now);
    }
    if keys.iter().any(|key| followed.login_key.tried.contains(key)) {
        return needs_login(followed, "Its disk may be new. Repair tries the stored password again.", now);
    }
    followed.login_key.work = LoginKeyWork::UnderWay;
    followed.login_key.tried = keys;
    if !matches!(followed.course.phase(), Phase::AuthFailed { .. }) {
        followed.course.doubt(now);
    }
    vec![Effect::InstallKey(followed.session.clone())]
}

pub(super) fn installed(state: &mut State, name: &Alias, outcome: KeyInstall, now: Timestamp) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    if followed.login_key.work == LoginKeyWork::UnderWay {
        followed.login_key.work = LoginKeyWork::None;
    }
    followed.login_key.password_only = matches!(outcome, KeyInstall::Failed(_));
    if followed.course.is_paused() || followed.course.is_online() {
        return Vec::new();
    }
    match outcome {
        KeyInstall::Done => {
            if let Some(returning) = followed.course.returning_mut() {
                returning.wait_for_vitals(now);
            }
            vec![Effect::Redial(name.clone())]
        }
        KeyInstall::NoPassword => {
            followed.login_key.tried.clear();
            let why = "Its disk may be new. Run the cell again, or store the password again.";
            needs_login(followed, why, now)
        }
        KeyInstall::VaultShut => keyring::shut(followed, now),
        KeyInstall::NotTried(sentence) => {
            followed.login_key.tried.clear();
            needs_login(followed, &sentence, now)
        }
        KeyInstall::Failed(sentence) => needs_login(followed, &sentence, now),
    }
}

/// Told once: what helps is a person.
fn needs_login(followed: &mut Followed, why: &str, now: Timestamp) -> Vec<Effect> {
    followed.course.need_login(now);
    if followed.told == Told::LoginRefused {
        return Vec::new();
    }
    followed.told = Told::LoginRefused;
    vec![Effect::Notify(notices::login_refused(&followed.session.name, why))]
}
