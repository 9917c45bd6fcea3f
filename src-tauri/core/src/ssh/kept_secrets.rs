//! The secrets that are kept for a session, each with what it was given for: see [`purposes`].
//!
//! While a session changes, the old secret and the new one lie side by side: whoever changes it writes the new one first
//! ([`keep_password`]), commits, and then lets go of what is left over ([`drop_stale`]). Whatever is interrupted, each
//! opens only for its own. All of this blocks for as long as the vault does.

pub mod purposes;
mod rebinding;

use std::fmt::Display;
use std::time::Duration;

use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{Link, RelayTarget, Session};
use moorline_ssh_files::{Alias, HostKey, HostName};
use secrecy::SecretString;

pub(crate) use rebinding::Rebinding;

use crate::ssh::context::Tools;
use crate::store::config_toml::{SessionsFile, SessionsFileError};
use crate::store::dirs::Dirs;
use crate::store::pins_json::{Pins, PinsError};
use crate::store::vault::{Found, Purpose, SecretName, Vault, VaultError, find, keep, name_for, purpose_in};
use purposes::{PasswordFor, RelayPasswordFor, ServiceTokenFor};

/// What is said of a secret that does not say what it was given for.
const NAMELESS: &str = "something that it does not name";

/// `ssh -G` answers at once; a canonical name in the person's config may make it ask a name server.
const LOGIN_LIMIT: Duration = Duration::from_secs(5);

/// What is kept for a session as it is now.
#[derive(Debug)]
pub enum Kept {
    /// What was given for exactly that.
    Here(SecretString),
    /// There is only what was given for this, in words, and it is not sent elsewhere.
    GivenFor(String),
    /// Nothing.
    None,
}

/// Why it is not known what is kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The sessions.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// The pins.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

/// Keeps a password for the session's user and link, and for the machine with this key. To be called before the change
/// that makes it so.
///
/// # Errors
/// The vault cannot be written.
pub fn keep_password(
    tools: &Tools,
    session: &Session,
    key: &HostKey,
    password: &SecretString,
) -> Result<(), VaultError> {
    keep(&*tools.vault, &PasswordFor::of(session, Some(key.fingerprint())), password)
}

/// As [`keep_password`], where no key is known yet: it is sent nowhere before one was settled for exactly this user and
/// link (see [`purposes::may_rebind`]).
///
/// # Errors
/// The vault cannot be written.
pub fn keep_password_without_key(
    tools: &Tools,
    session: &Session,
    password: &SecretString,
) -> Result<(), VaultError> {
    keep(&*tools.vault, &PasswordFor::of(session, None), password)
}

/// Lets go of the session's passwords that were given for anything else. To be called after the change; what fails is
/// logged.
pub fn drop_stale(tools: &Tools, session: &Session, key: &HostKey) {
    drop_others(&*tools.vault, &PasswordFor::of(session, Some(key.fingerprint())));
}

/// As [`drop_stale`], after [`keep_password_without_key`].
pub fn drop_stale_without_key(tools: &Tools, session: &Session) {
    drop_others(&*tools.vault, &PasswordFor::of(session, None));
}

/// Lets go of the password for exactly this: the runtime has refused it.
///
/// # Errors
/// The vault cannot be written.
pub fn drop_password(tools: &Tools, session: &Session, key: &HostKey) -> Result<(), VaultError> {
    let purpose = PasswordFor::of(session, Some(key.fingerprint()));
    tools.vault.delete(&name_for(&purpose)).map(drop)
}

/// The password that was given for the session's user and link, and for a machine with one of these keys.
///
/// # Errors
/// The vault cannot be read.
pub fn password_for(tools: &Tools, session: &Session, pinned: &[HostKey]) -> Result<Kept, VaultError> {
    Ok(match password_and_key(&*tools.vault, session, pinned)? {
        Password::Here(password, _) => Kept::Here(password),
        Password::GivenFor(what) => Kept::GivenFor(what),
        Password::None => Kept::None,
    })
}

/// The password of this session as it stands in Moorline's files, for the person's own hands: also one for which a host
/// key is still to be settled.
///
/// # Errors
/// The files or the vault cannot be read.
pub fn password_to_show(dirs: &Dirs, vault: &dyn Vault, name: &Alias) -> Result<Kept, KeptError> {
    let sessions = SessionsFile::load(&dirs.sessions_file())?;
    let Some(session) = sessions.get(name) else { return Ok(Kept::None) };
    let pinned = Pins::load(&dirs.pins_file())?.keys_of(name);
    let found = password_and_key(vault, session, &pinned)?;
    if let Password::Here(password, _) = found {
        return Ok(Kept::Here(password));
    }
    Ok(match (find(vault, &PasswordFor::of(session, None))?, found) {
        (Found::Here(early), _) => Kept::Here(early),
        (_, Password::GivenFor(what)) => Kept::GivenFor(what),
        _ => Kept::None,
    })
}

/// As [`Kept`], with the only key to whose holder the password may be sent.
pub(crate) enum Password {
    Here(SecretString, HostKey),
    GivenFor(String),
    None,
}

/// As [`password_for`].
pub(crate) fn password_and_key(
    vault: &dyn Vault,
    session: &Session,
    pinned: &[HostKey],
) -> Result<Password, VaultError> {
    for key in pinned {
        if let Found::Here(password) = find(vault, &PasswordFor::of(session, Some(key.fingerprint())))? {
            return Ok(Password::Here(password, key.clone()));
        }
    }
    let here = PasswordFor::of(session, None);
    let beside = |other: &PasswordFor| other.is_beside(&here);
    Ok(what_else(vault, &session.name, beside).map_or(Password::None, Password::GivenFor))
}

/// Keeps the password of the session's relay, for the login that the person's ssh makes of it now.
///
/// # Errors
/// The vault cannot be written, or the session goes through no relay.
pub fn keep_relay_password(
    tools: &Tools,
    session: &Session,
    password: &SecretString,
) -> Result<(), VaultError> {
    let no_relay = || VaultError::Failed(format!("{} goes through no relay", session.name));
    let purpose = relay_purpose(tools, session).ok_or_else(no_relay)?;
    keep(&*tools.vault, &purpose, password)
}

/// Lets go of the session's relay passwords that were given for another relay. What fails is logged.
pub fn drop_stale_relay_passwords(tools: &Tools, session: &Session) {
    if let Link::Relay(link) = &session.link {
        drop_others(&*tools.vault, &RelayPasswordFor::of(&session.name, &link.relay, None));
    }
}

/// The password that was given for the session's relay, if the person's ssh still understands the relay as it did then.
///
/// # Errors
/// The vault cannot be read.
pub fn relay_password_for(tools: &Tools, session: &Session) -> Result<Kept, VaultError> {
    Ok(match relay_password(tools, session)? {
        Some(password) => Kept::Here(password),
        None => what_else::<RelayPasswordFor>(&*tools.vault, &session.name, |_| true)
            .map_or(Kept::None, Kept::GivenFor),
    })
}

/// As [`relay_password_for`], without a look at what else there is.
pub(crate) fn relay_password(tools: &Tools, session: &Session) -> Result<Option<SecretString>, VaultError> {
    let Link::Relay(link) = &session.link else { return Ok(None) };
    password_of_relay(tools, &session.name, &link.relay)
}

/// As [`relay_password`], where the session may not be on file yet.
pub(crate) fn password_of_relay(
    tools: &Tools,
    session: &Alias,
    relay: &RelayTarget,
) -> Result<Option<SecretString>, VaultError> {
    let vault = &*tools.vault;
    // ssh need not be asked where there is nothing.
    if matches!(find(vault, &RelayPasswordFor::of(session, relay, None))?, Found::None) {
        return Ok(None);
    }
    let purpose = RelayPasswordFor::of(session, relay, relay_login(tools, relay));
    Ok(match find(vault, &purpose)? {
        Found::Here(password) => Some(password),
        Found::OfAnother | Found::None => None,
    })
}

/// Keeps the service token of a session's tunnel, for this host name.
///
/// # Errors
/// The vault cannot be written.
pub fn keep_service_token(
    vault: &dyn Vault,
    session: &Alias,
    host: &HostName,
    token: &SecretString,
) -> Result<(), VaultError> {
    keep(vault, &ServiceTokenFor::of(session, host), token)
}

/// Lets go of the session's service tokens that were given for another host name. What fails is logged.
pub fn drop_stale_service_tokens(vault: &dyn Vault, session: &Alias, host: &HostName) {
    drop_others(vault, &ServiceTokenFor::of(session, host));
}

/// The service token that was given for this host name.
///
/// # Errors
/// The vault cannot be read.
pub fn service_token_for(
    vault: &dyn Vault,
    session: &Alias,
    host: &HostName,
) -> Result<Option<SecretString>, VaultError> {
    Ok(match find(vault, &ServiceTokenFor::of(session, host))? {
        Found::Here(token) => Some(token),
        Found::OfAnother | Found::None => None,
    })
}

/// Deletes a session's secrets of one kind, whatever they were given for; says how many there were.
///
/// # Errors
/// The vault cannot be read or written; what was deleted until then is gone.
pub fn delete(vault: &dyn Vault, session: &Alias, kind: SecretKind) -> Result<usize, VaultError> {
    let mut deleted = 0;
    for name in names(vault, session, kind)? {
        deleted += usize::from(vault.delete(&name)?);
    }
    Ok(deleted)
}

/// Every item of this session and kind.
fn names(vault: &dyn Vault, session: &Alias, kind: SecretKind) -> Result<Vec<SecretName>, VaultError> {
    let mut names = vault.list()?;
    names.retain(|name| name.kind == kind && name.session.as_ref() == Some(session));
    Ok(names)
}

/// What the session's secrets of this kind were given for, in words, `near` ones first; `None` if there are none. For a
/// message: nobody is asked to unlock anything for it.
fn what_else<P: Purpose + Display>(
    vault: &dyn Vault,
    session: &Alias,
    near: impl Fn(&P) -> bool,
) -> Option<String> {
    let look = || -> Result<Option<String>, VaultError> {
        let mut found = None;
        for name in names(vault, session, P::KIND)? {
            match purpose_in::<P>(vault, &name)? {
                Some(purpose) if near(&purpose) => return Ok(Some(purpose.to_string())),
                Some(purpose) => found = Some(purpose.to_string()),
                None => drop(found.get_or_insert_with(|| NAMELESS.to_owned())),
            }
        }
        Ok(found)
    };
    if vault.is_locked() {
        return None;
    }
    look().unwrap_or_else(|error| {
        tracing::debug!(%session, kind = %P::KIND, %error, "what else is kept is not known");
        None
    })
}

fn drop_others<P: Purpose>(vault: &dyn Vault, purpose: &P) {
    let Some(session) = purpose.session() else { return };
    let stays = name_for(purpose);
    let dropped = names(vault, session, P::KIND).and_then(|names| {
        names.iter().filter(|name| **name != stays).try_for_each(|name| vault.delete(name).map(drop))
    });
    if let Err(error) = dropped {
        tracing::warn!(%session, kind = %P::KIND, %error, "a secret that is not used any more is left in the keyring");
    }
}

fn relay_purpose(tools: &Tools, session: &Session) -> Option<RelayPasswordFor> {
    let Link::Relay(link) = &session.link else { return None };
    Some(RelayPasswordFor::of(&session.name, &link.relay, relay_login(tools, &link.relay)))
}

/// The user, host and port that ssh makes of the relay's name. On a thread of its own: the caller's may drive async tasks.
fn relay_login(tools: &Tools, relay: &RelayTarget) -> Option<String> {
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(tools.ssh.login_at(relay, LOGIN_LIMIT)).ok()
        });
        asking.join().ok().flatten().map(|login| login.to_string())
    })
}

#[cfg(test)]
mod tests;
