//! Where a session's hub is found: the same place for every program of a home, whatever its environment.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use moorline_ssh_files::Alias;
use sha2::{Digest, Sha256};

use crate::agent::door::place::Place;
use crate::dirs::{Dirs, DirsError};

/// With the state, not in the runtime directory: two logins with different ones would start two hubs for one slot.
pub(super) struct HubPlace {
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
        open(&self.dir.join(format!("{}.lock", self.name)))
    }

    /// Whoever holds it is starting the hub.
    pub fn starting(&self) -> io::Result<File> {
        open(&self.dir.join(format!("{}.starting", self.name)))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
