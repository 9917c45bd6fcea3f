//! What a person carries from here into a notebook: the cell, and the session key for the notebook's secrets.

use moorline_ssh_files::Alias;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::make::{Begun, way_to_relay};
use super::plan::MakeCellError;
use crate::ssh::context::Tools;
use crate::store::config_toml::SessionsFile;
use crate::store::session_keys;

/// What is to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum CellCopy {
    /// The cell, which holds no secret.
    Cell,
    /// The session key.
    Secret,
}

/// The text of a session's cell. Asks the relay where it is, if there is one; blocks as the keyring does.
///
/// # Errors
/// There is no such session, its relay cannot be reached, or a key that is needed cannot be read or made.
pub async fn cell_text(tools: &Tools, session: &Alias) -> Result<String, MakeCellError> {
    let file = SessionsFile::load(&tools.dirs.sessions_file())?;
    let found = file.get(session).ok_or_else(|| MakeCellError::NoSession(session.clone()))?.clone();
    let relay = way_to_relay(tools, &found).await?;
    let begun = Begun { session: found, is_new: false, channels: file.channels(session), relay };
    Ok(begun.cell(tools)?.setup())
}

/// The session key as it belongs into the notebook's secrets. Blocks as the keyring does.
///
/// # Errors
/// There is no such session, it has no key, or the keyring cannot be read.
pub fn notebook_secret(tools: &Tools, session: &Alias) -> Result<SecretString, MakeCellError> {
    let file = SessionsFile::load(&tools.dirs.sessions_file())?;
    file.get(session).ok_or_else(|| MakeCellError::NoSession(session.clone()))?;
    let key =
        session_keys::load(&*tools.vault, session)?.ok_or_else(|| MakeCellError::NoKey(session.clone()))?;
    Ok(key.text())
}
