//! Where a session's hub is found: the same place for every program of a home, whatever its environment.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use moorline_ssh_files::Alias;
use sha2::{Digest, Sha256};

use crate::store::dirs::{Dirs, DirsError};
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
        open(&self.lock_file())
    }

    /// Notes in the lock, which this process holds, that it is the hub.
    pub fn note_process(mut lock: &File) -> io::Result<()> {
        lock.set_len(0)?;
        lock.rewind()?;
        lock.write_all(std::process::id().to_string().as_bytes())
    }

    /// The process that is the hub, if one is.
    pub fn process(&self) -> Option<u32> {
        let mut lock = File::open(self.lock_file()).ok()?;
        let mut text = String::new();
        (&mut lock).take(16).read_to_string(&mut text).ok()?;
        let held = matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
        text.parse().ok().filter(|_| held)
    }

    /// Whoever holds it is starting the hub.
    pub fn starting(&self) -> io::Result<File> {
        open(&self.dir.join(format!("{}.starting", self.name)))
    }

    fn lock_file(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.name))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
