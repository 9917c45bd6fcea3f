//! The right to be the agent of a home.

use std::path::Path;
use std::time::Duration;

use interprocess::local_socket::tokio::Listener;

use crate::store::dirs::Dirs;
use crate::store::file_lock::{FileLock, NotLocked};
use crate::store::local_socket::{DoorError, Place};

/// The longest line that a caller may send, in bytes: the longest text that is read, in JSON.
pub const LINE: usize = 1024 * 1024;

/// The right to be the agent of a home. It ends with the process, whatever becomes of it.
#[derive(Debug)]
pub struct Door {
    // Fields are dropped in this order: the socket goes while the lock is held.
    pub(super) listener: Listener,
    _lock: FileLock,
}

impl Door {
    /// Takes the door of this home. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Another agent has it, or its place cannot be used.
    pub fn open(dirs: &Dirs) -> Result<Self, DoorError> {
        let place = Place::of(dirs);
        place.make()?;
        Dirs::create_private(&dirs.state)?;
        let lock = take_lock(&dirs.agent_lock_file())?;
        let unusable = |source| DoorError::Unusable { path: place.socket.clone(), source };
        place.clear().map_err(unusable)?;
        let listener = place.listen().map_err(unusable)?;
        Ok(Self { listener, _lock: lock })
    }
}

pub(super) fn take_lock(path: &Path) -> Result<FileLock, DoorError> {
    FileLock::take_noted(path, Duration::ZERO).map_err(|error| match error {
        NotLocked::Held(process) => DoorError::AlreadyRunning { process },
        error => DoorError::Unusable { path: path.to_owned(), source: error.into() },
    })
}
