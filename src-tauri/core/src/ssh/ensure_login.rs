//! Making sure that the login key opens a runtime, with the kept password if need be.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::Session;
use secrecy::SecretString;

use crate::ssh::SystemSsh;
use crate::ssh::context::Tools;
use crate::ssh::kept_secrets::{self, Password};
use crate::ssh::login::{Installed, LoginError, install_login_key, key_login_works};
use crate::ssh::login_key::{LoginKey, LoginKeyError};
use crate::ssh::reach::{ReachError, route};
use crate::store::pins_json::{Pins, PinsError};
use crate::store::vault::VaultError;

/// How the login stands.
#[derive(Debug)]
pub enum Login {
    /// The session logs in with a key of the person's own, which only their ssh can use.
    OwnKey,
    /// The runtime knows the key already.
    KeyWorks,
    /// The key was put there with the password just now, or by somebody else meanwhile.
    KeyInstalled(Installed),
    /// The runtime does not know the key, and no password is kept.
    NoPassword(LoginKey),
    /// The runtime does not know the key, and the kept password was given for another link or machine, which is named;
    /// it was not sent here.
    PasswordOfAnother(LoginKey, String),
    /// The runtime does not know the key, and the vault cannot be read just now; no password was sent.
    VaultShut(LoginKey, VaultError),
    /// The runtime does not know the key, and the password did not help.
    NotInstalled(LoginKey, LoginError),
    /// No login could be tried.
    NotTried(LoginError),
}

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum EnsureLoginError {
    /// The login key itself cannot be made or read.
    #[error(transparent)]
    Key(#[from] LoginKeyError),
    /// The pins cannot be read.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The way there needs a program that is missing.
    #[error(transparent)]
    Reach(#[from] ReachError),
}

impl EnsureLoginError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Reach(error) = self { error.next_step() } else { None }
    }
}

/// Tries the login key within `limit`, and where it is missing installs it with the `pasted` or else the kept
/// password, within `limit` again. The password leaves this computer only after the runtime has proven a pinned key,
/// and is tried once. Over `ssh` where the way leads through a relay. May block for as long as the vault takes.
///
/// # Errors
/// Nothing could be tried.
pub async fn ensure(
    tools: &Tools,
    ssh: &SystemSsh,
    session: &Session,
    pasted: Option<&SecretString>,
    limit: Duration,
) -> Result<Login, EnsureLoginError> {
    if session.identity_file.is_some() {
        return Ok(Login::OwnKey);
    }
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let key = LoginKey::ensure(&tools.dirs.login_key())?;
    let route = route(tools, ssh, session)?;
    match key_login_works(&route, &pins.keys_of(&session.name), &session.user, &key, limit).await {
        Ok(true) => return Ok(Login::KeyWorks),
        Ok(false) => {}
        Err(error) => return Ok(Login::NotTried(error)),
    }
    install(tools, ssh, session, pasted, limit, Duration::ZERO).await
}

/// As [`ensure`], where the runtime has just refused the key: nobody connects unless there is a password, and then
/// not before `pause` is over.
///
/// # Errors
/// Nothing could be tried.
pub async fn install(
    tools: &Tools,
    ssh: &SystemSsh,
    session: &Session,
    pasted: Option<&SecretString>,
    limit: Duration,
    pause: Duration,
) -> Result<Login, EnsureLoginError> {
    if session.identity_file.is_some() {
        return Ok(Login::OwnKey);
    }
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let key = LoginKey::ensure(&tools.dirs.login_key())?;
    let mut pinned = pins.keys_of(&session.name);
    let kept = match pasted {
        Some(_) => None,
        None => match kept_secrets::password_and_key(&*tools.vault, session, &pinned) {
            Ok(Password::Here(password, given_for)) => {
                pinned = vec![given_for];
                Some(password)
            }
            Ok(Password::GivenFor(other)) => return Ok(Login::PasswordOfAnother(key, other)),
            // Without a keyring nothing was ever stored.
            Ok(Password::None) | Err(VaultError::NoKeyring(_)) => None,
            Err(error) => return Ok(Login::VaultShut(key, error)),
        },
    };
    let Some(password) = pasted.or(kept.as_ref()) else { return Ok(Login::NoPassword(key)) };
    let route = route(tools, ssh, session)?;
    tokio::time::sleep(pause).await;
    Ok(match install_login_key(&route, &pinned, &session.user, password, &key, limit).await {
        Ok(installed) => Login::KeyInstalled(installed),
        Err(error) => Login::NotInstalled(key, error),
    })
}
