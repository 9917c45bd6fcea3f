//! What a person wants to add.

use moorline_model::session::{RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, Fingerprint, IdentityFile, UserName};
use serde::{Deserialize, Serialize};

/// What the person said besides the text, and cannot be asked about any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// The session's name.
    pub name: Option<Alias>,
    /// The relay that holds the runtime's port.
    pub relay: Option<RelayTarget>,
    /// "This relay is mine alone."
    pub mine_alone: bool,
    /// The user on the runtime.
    pub user: Option<UserName>,
    /// The folder to open.
    pub folder: Option<RemotePath>,
    /// The person's own key to log in with.
    pub identity_file: Option<IdentityFile>,
    /// Exactly this key, whatever the text says.
    pub fingerprint: Option<Fingerprint>,
    /// Whatever key answers is to be taken without comparing.
    pub first_use: bool,
    /// Stop before anything is written.
    pub dry_run: bool,
}
