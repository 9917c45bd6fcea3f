//! The session key in the vault. All of this blocks for as long as the keyring does.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session_key::SessionKey;
use moorline_ssh_files::Alias;
use secrecy::ExposeSecret;

use crate::store::dirs::Dirs;
use crate::store::state_lock::StateLock;
use crate::store::vault::{SecretName, Vault, VaultError};

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Why there is no session key to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionKeyError {
    /// The keyring.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What lies in the keyring is something else.
    #[error(
        "what the keyring holds as the session key of {0} is none; store the right one, or make a new one"
    )]
    Unreadable(Alias),
    /// The system has no randomness.
    #[error("the system gives no random bytes ({0}), so no session key was made; try again")]
    Random(String),
    /// Another process is making one, or changes files.
    #[error("{0}")]
    Lock(String),
}

impl SessionKeyError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Vault(error) => error.next_step(),
            Self::Unreadable(name) => {
                Some(NextStep::StoreSecret { session: Some(name.clone()), kind: SecretKind::SessionKey })
            }
            Self::Random(_) | Self::Lock(_) => None,
        }
    }
}

/// The session's key; `None` where none was made.
///
/// # Errors
/// The keyring cannot be read, or holds something else under the name.
pub fn load(vault: &dyn Vault, session: &Alias) -> Result<Option<SessionKey>, SessionKeyError> {
    load_in(vault, session)
}

fn load_in(vault: &dyn Vault, session: &Alias) -> Result<Option<SessionKey>, SessionKeyError> {
    let Some(text) = vault.get(&name(session))? else { return Ok(None) };
    let key = text.expose_secret().parse().map_err(|_| SessionKeyError::Unreadable(session.clone()))?;
    Ok(Some(key))
}

/// The session's key, made now if there is none.
///
/// # Errors
/// As [`load`]; or it cannot be stored. A key that cannot be read is never replaced.
pub fn create(dirs: &Dirs, vault: &dyn Vault, session: &Alias) -> Result<SessionKey, SessionKeyError> {
    // One that is there needs nobody to wait.
    if let Some(key) = load(vault, session)? {
        return Ok(key);
    }
    let lock =
        StateLock::acquire(dirs, LOCK_WAIT).map_err(|error| SessionKeyError::Lock(error.to_string()))?;
    create_under(&lock, vault, session)
}

/// As [`create`], for who holds the state lock already: two at once make one key.
pub(crate) fn create_under(
    _: &StateLock,
    vault: &dyn Vault,
    session: &Alias,
) -> Result<SessionKey, SessionKeyError> {
    create_in(vault, session)
}

fn create_in(vault: &dyn Vault, session: &Alias) -> Result<SessionKey, SessionKeyError> {
    if let Some(key) = load_in(vault, session)? {
        return Ok(key);
    }
    let key = next_in(vault, session)?;
    keep_in(vault, session, &key)?;
    Ok(key)
}

/// A key of the generation after the session's, which is not kept yet: what the old one opens elsewhere (the relay's
/// key line) is replaced first. [`renew`](crate::repoint::session_key::renew) makes it the
/// session's.
///
/// # Errors
/// The keyring cannot be read.
pub fn next(vault: &dyn Vault, session: &Alias) -> Result<SessionKey, SessionKeyError> {
    next_in(vault, session)
}

fn next_in(vault: &dyn Vault, session: &Alias) -> Result<SessionKey, SessionKeyError> {
    let generation = match load_in(vault, session) {
        Ok(Some(key)) => key.generation().saturating_add(1),
        // One that cannot be read derives nothing that could still be in use.
        Ok(None) | Err(SessionKeyError::Unreadable(_)) => 1,
        Err(error) => return Err(error),
    };
    SessionKey::random(generation).map_err(|error| SessionKeyError::Random(error.to_string()))
}

/// Makes this the session's key, in the place of the one before, for who holds the state lock. What was derived from
/// that ends.
///
/// # Errors
/// The keyring cannot be written; then the old key is still there.
pub(crate) fn keep_under(
    _: &StateLock,
    vault: &dyn Vault,
    session: &Alias,
    key: &SessionKey,
) -> Result<(), SessionKeyError> {
    keep_in(vault, session, key)
}

fn keep_in(vault: &dyn Vault, session: &Alias, key: &SessionKey) -> Result<(), SessionKeyError> {
    Ok(vault.set(&name(session), &key.text())?)
}

fn name(session: &Alias) -> SecretName {
    SecretName::of(session.clone(), SecretKind::SessionKey)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::store::vault::MemoryVault;

    #[test]
    fn a_key_is_made_once_and_rotated_on_request() {
        let (vault, colab) = (MemoryVault::default(), "colab".parse().unwrap());
        assert!(load_in(&vault, &colab).unwrap().is_none());
        let first = create_in(&vault, &colab).unwrap();
        assert_eq!(create_in(&vault, &colab).unwrap().id(), first.id(), "made once");
        let second = next_in(&vault, &colab).unwrap();
        assert_eq!(load_in(&vault, &colab).unwrap().unwrap().id(), first.id(), "not kept yet");
        keep_in(&vault, &colab, &second).unwrap();
        assert_eq!((first.generation(), second.generation()), (1, 2));
        assert_eq!(load_in(&vault, &colab).unwrap().unwrap().id(), second.id());
        assert!(load_in(&vault, &"other".parse().unwrap()).unwrap().is_none());
    }

    #[test]
    fn what_is_no_key_is_never_replaced_unasked() {
        let (vault, colab): (_, Alias) = (MemoryVault::default(), "colab".parse().unwrap());
        vault.set(&name(&colab), &SecretString::from("geheim")).unwrap();
        let error = create_in(&vault, &colab).unwrap_err();
        assert_eq!(error, SessionKeyError::Unreadable(colab.clone()));
        assert!(!error.to_string().contains("geheim"));
        assert_eq!(next_in(&vault, &colab).unwrap().generation(), 1);
    }
}
