//! The session key and the host key that follows from it, written in one step: two processes at once would leave the
//! keyring with the one's and the pins with the other's. All of this blocks for as long as the keyring does.

use super::change::{Change, LOCK_WAIT, SettleError};
use jiff::Timestamp;
use moorline_model::session::Session;
use moorline_model::session_key::{KeyId, SessionKey};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Report};

use super::write::settle_under;
use crate::ssh::context::Tools;
use crate::store::config_toml::SessionsFile;
use crate::store::pins_json::Pins;
use crate::store::session_keys::{self, SessionKeyError};
use crate::store::state_lock::StateLock;

/// Makes a session that has had no runtime yet, and its session key if there is none; pins the host key that follows.
///
/// # Errors
/// As [`settle`](super::write::settle); there is such a session by now, or its key cannot be read or made.
pub async fn begin(tools: &Tools, session: &Session, now: Timestamp) -> Result<Report, SettleError> {
    // A keyring that is locked asks its person before others have to wait.
    session_keys::load(&*tools.vault, &session.name)?;
    let lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let key = session_keys::create_under(&lock, &*tools.vault, &session.name)?;
    let keys = vec![(key.host_key(), Trust::Derived)];
    let change = Change { keys, ..Change::of(session.clone(), now) };
    settle_under(&lock, tools, &change, None).await
}

/// Puts `key` in the place of the session key that has the id `was`. Where the pinned host key follows from that one,
/// the new one's is pinned in its stead: then there is a report.
///
/// # Errors
/// As [`settle`](super::write::settle); another key is there by now, or the keyring cannot be read or written.
pub async fn renew(
    tools: &Tools,
    name: &Alias,
    was: Option<&KeyId>,
    key: &SessionKey,
    now: Timestamp,
) -> Result<Option<Report>, SettleError> {
    let lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let there = match session_keys::load(&*tools.vault, name) {
        Ok(there) => there.map(|key| key.id()),
        // What is no key is replaced on request.
        Err(SessionKeyError::Unreadable(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if there.as_ref() != was {
        return Err(SettleError::Overtaken(name.clone()));
    }
    let sessions = SessionsFile::load(&tools.dirs.sessions_file())?;
    let pins = Pins::load(&tools.dirs.pins_file())?;
    session_keys::keep_under(&lock, &*tools.vault, name, key)?;
    let derived =
        pins.get(name).and_then(|pins| pins.keys.first()).is_some_and(|key| key.trust == Trust::Derived);
    // Whoever has the old session key can show the host key that follows from it.
    let Some(session) = sessions.get(name).filter(|_| derived) else { return Ok(None) };
    let keys = vec![(key.host_key(), Trust::Derived)];
    let change = Change { was: Some(session.clone()), keys, ..Change::of(session.clone(), now) };
    settle_under(&lock, tools, &change, None).await.map(Some)
}
