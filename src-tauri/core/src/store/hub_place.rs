//! Where a session's hub is found: the same place for every program of a home, whatever its environment.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use moorline_ssh_files::Alias;
use sha2::{Digest, Sha256};

use crate::store::dirs::{Dirs, DirsError};
use crate::store::file_lock;
use crate::store::local_socket::Place;

/// With the state, not in the runtime directory: two logins with different ones would start two hubs for one slot.
pub(crate) struct HubPlace {
    dir: PathBuf,
    name: String,
}

impl HubPlace {
    pub fn of(dirs: &Dirs, session: &Alias) -> Self {
        // A name may be longer than a socket's address.
        let digest = Sha256::digest(session.as_str());
        let mut name = String::new();
        for byte in &digest[..8] {
            let _ = write!(name, "{byte:02x}");
        }
        Self { dir: dirs.state.join("hub"), name }
    }

    pub fn make(&self) -> Result<(), DirsError> {
        Dirs::create_private(&self.dir)
    }

    pub fn socket(&self) -> Place {
        Place::within(&self.dir, &format!("{}.sock", self.name))
    }

    /// Whoever holds it is the hub.
    pub fn lock(&self) -> io::Result<File> {
        file_lock::open(&self.lock_file())
    }

    /// Notes in the lock, which this process holds, that it is the hub.
    pub fn note_process(lock: &File) -> io::Result<()> {
        file_lock::note_process(lock)
    }

    /// The process that is the hub, if one is.
    pub fn process(&self) -> Option<u32> {
        file_lock::process(&self.lock_file())
    }

    /// Whoever holds it is starting the hub.
    pub fn starting(&self) -> io::Result<File> {
        file_lock::open(&self.dir.join(format!("{}.starting", self.name)))
    }

    fn lock_file(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.name))
    }
}
