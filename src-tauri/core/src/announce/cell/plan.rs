//! What a session with a cell is to be, and why there is none.

use std::path::PathBuf;

use moorline_model::session::{Link, RelayTarget};
use moorline_ssh_files::{Alias, InvalidName, UserName};

use super::gather::{CellError, Listen, ListenError};
use crate::repoint::change::SettleError;
use crate::ssh::relay_identity::RelayPlaceError;
use crate::ssh::relay_setup::PrepareSessionError;
use crate::store::config_toml::SessionsFileError;
use crate::store::session_keys::SessionKeyError;

/// What a session with a cell is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellPlan {
    /// Its name.
    pub name: Alias,
    /// Its link; one that is there already keeps its own, which must be of the same way.
    pub link: Link,
    /// Whom to log in as; `None` for root, or for whom the session says already.
    pub user: Option<UserName>,
    /// What is to be set of its channels.
    pub listen: Listen,
}

/// Why there is no session with a cell, or no cell.
#[derive(Debug, thiserror::Error)]
pub enum MakeCellError {
    /// The name is another machine's.
    #[error("{name} stands in your own {}, line {line}; choose another name", file.display())]
    InConfig {
        /// The name.
        name: Alias,
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The name is another machine's.
    #[error("your known_hosts has a key of {0} already; choose another name")]
    InKnownHosts(Alias),
    /// There is such a session, and it is reached in another way.
    #[error(
        "{name} is there already, by {kind}, and not as you want it; choose another name, or forget that session first"
    )]
    OtherWay {
        /// The name.
        name: Alias,
        /// Its link's word.
        kind: &'static str,
    },
    /// Announcements in a file on a relay that there is not.
    #[error("{0} goes through no relay that could hold its announcements; choose another channel")]
    NoRelay(Alias),
    /// Half a path.
    #[error("{} is not a whole path; give the folder on this computer from its root", .0.display())]
    NotAbsolute(PathBuf),
    /// There is no such session.
    #[error("there is no session {0}; make it first")]
    NoSession(Alias),
    /// The session has no key yet.
    #[error("{0} has no session key yet; make its cell first")]
    NoKey(Alias),
    /// What lies in the keyring is something else.
    #[error(
        "what the keyring holds as the session key of {0} is none, so it was left alone; delete it in the keyring, or choose another name"
    )]
    NotAKey(Alias),
    /// Another process was faster.
    #[error("{0} was changed by another Moorline meanwhile, so nothing was written; try again")]
    Overtaken(Alias),
    /// A runtime cannot follow the person's own way to the relay.
    #[error(
        "your ssh reaches {0} through another machine, which a runtime cannot; name a relay that the internet reaches"
    )]
    BehindAnother(RelayTarget),
    /// The name cannot stand where it must.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The sessions file.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// The folder channel would lack a folder.
    #[error("{0}")]
    Listen(ListenError),
    /// Where the relay is.
    #[error(transparent)]
    Place(#[from] RelayPlaceError),
    /// The session key.
    #[error("{0}")]
    Key(SessionKeyError),
    /// The files.
    #[error("{0}")]
    Settle(SettleError),
    /// The cell itself.
    #[error("{0}")]
    Cell(CellError),
    /// The relay is not prepared; everything else is done.
    #[error(transparent)]
    Prepare(#[from] PrepareSessionError),
}

impl From<SessionKeyError> for MakeCellError {
    fn from(error: SessionKeyError) -> Self {
        match error {
            SessionKeyError::Unreadable(name) => Self::NotAKey(name),
            other => Self::Key(other),
        }
    }
}

impl From<SettleError> for MakeCellError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::SessionKey(error) => error.into(),
            SettleError::Overtaken(name) => Self::Overtaken(name),
            other => Self::Settle(other),
        }
    }
}

impl From<ListenError> for MakeCellError {
    fn from(error: ListenError) -> Self {
        match error {
            ListenError::File(error) => error.into(),
            other @ ListenError::NoFolder(_) => Self::Listen(other),
        }
    }
}

impl From<CellError> for MakeCellError {
    fn from(error: CellError) -> Self {
        match error {
            CellError::Key(error) => error.into(),
            other => Self::Cell(other),
        }
    }
}
