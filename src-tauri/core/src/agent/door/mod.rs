//! The agent's door: a local socket in a directory of the person's own. Whoever holds it is the agent.
//!
//! With it goes a lock, which the system frees when its holder ends, however it ends. Only who has the lock removes a
//! socket that a crash left behind, so a running agent's is never taken away. The lock lies with the state, one for
//! all logins of a home, whatever their runtime directories.

mod call;
mod cells;
mod line;
mod no_call;
pub(crate) mod place;
mod serve;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::Listener;

use crate::dirs::{Dirs, DirsError};
pub use call::{CallError, Caller};
pub use serve::Limits;

/// The longest line that a caller may send, in bytes: the longest text that is read, in JSON.
pub const LINE: usize = 1024 * 1024;

/// The right to be the agent of a home. It ends with the process, whatever becomes of it.
#[derive(Debug)]
pub struct Door {
    // Fields are dropped in this order: the socket goes while the lock is held.
    listener: Listener,
    _lock: File,
}

/// Why the door cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// An agent runs already.
    #[error(
        "Moorline runs already{}; it is the tray, or one that watches in a terminal: end it first, or use that one",
        process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    AlreadyRunning {
        /// Its process id, where that is known.
        process: Option<u32>,
    },
    /// The directory cannot be made, or is not ours.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// The directory that takes the socket when the usual path is too long.
    #[error(
        "{path} is there and not a private directory of yours; remove it, or set XDG_RUNTIME_DIR, and try again"
    )]
    NotPrivate {
        /// The directory.
        path: PathBuf,
    },
    /// The lock or the socket cannot be used.
    #[error("cannot use {path}: {source}; check the permissions of its directory")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Door {
    /// Takes the door of this home. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Another agent has it, or its place cannot be used.
    pub fn open(dirs: &Dirs) -> Result<Self, DoorError> {
        let place = place::Place::of(dirs);
        place.make()?;
        Dirs::create_private(&dirs.state)?;
        let lock = take_lock(&dirs.agent_lock_file())?;
        let unusable = |source| DoorError::Unusable { path: place.socket.clone(), source };
        place.clear().map_err(unusable)?;
        let listener = place.listen().map_err(unusable)?;
        Ok(Self { listener, _lock: lock })
    }
}

fn take_lock(path: &Path) -> Result<File, DoorError> {
    let unusable = |source| DoorError::Unusable { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let process = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
            return Err(DoorError::AlreadyRunning { process });
        }
        Err(TryLockError::Error(source)) => return Err(unusable(source)),
    }
    // For the other one's sentence alone: nobody decides by it.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    if let Err(error) = noted {
        tracing::debug!(%error, "cannot note the agent's process");
    }
    Ok(file)
}
