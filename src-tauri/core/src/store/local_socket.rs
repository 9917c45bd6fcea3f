//! Where the socket lies.

use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::traits::StreamCommon;
use interprocess::local_socket::{self, ConnectOptions, ListenerOptions, Name};
use sha2::{Digest, Sha256};

use crate::store::dirs::{Dirs, DirsError};

/// Socket addresses hold 104 bytes on macOS and 108 on Linux, one of them the end.
#[cfg(unix)]
const LONGEST: usize = 100;

#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    /// Whether the directory is one that Moorline shares with nobody's files in a place that others write to.
    in_the_open: bool,
    pub socket: PathBuf,
}

impl Place {
    /// The agent's: in the runtime directory.
    pub fn of(dirs: &Dirs) -> Self {
        Self::within(&dirs.runtime, "agent.sock")
    }

    /// The socket `name` in `dir`; where that path is too long for a socket, in a directory of its own in `/tmp`.
    pub fn within(dir: &Path, name: &str) -> Self {
        let usual = Self { socket: dir.join(name), dir: dir.to_owned(), in_the_open: false };
        #[cfg(unix)]
        if usual.socket.as_os_str().len() > LONGEST {
            let open = format!("moorline-{}-{}", nix::unistd::geteuid(), digest(dir));
            let dir = Path::new("/tmp").join(open);
            return Self { socket: dir.join(name), dir, in_the_open: true };
        }
        usual
    }

    /// Makes the directory, for the person alone.
    pub fn make(&self) -> Result<(), DoorError> {
        if self.in_the_open {
            return platform::make_in_the_open(&self.dir);
        }
        Dirs::create_private(&self.dir)?;
        platform::close_to_others(&self.dir)
            .map_err(|source| DoorError::Unusable { path: self.dir.clone(), source })
    }

    /// Whether the directory is there and nobody else can put a socket into it.
    pub fn is_ours(&self) -> bool {
        platform::is_private(&self.dir)
    }

    /// Removes what a crash left behind. The caller holds the lock.
    pub fn clear(&self) -> io::Result<()> {
        platform::clear(&self.socket)
    }

    pub fn listen(&self) -> io::Result<Listener> {
        platform::guarded(ListenerOptions::new().name(self.name()?))?.create_tokio()
    }

    pub async fn connect(&self) -> io::Result<Stream> {
        ConnectOptions::new().name(self.name()?).connect_tokio().await
    }

    /// For those who wait for the socket with a thread.
    pub fn connect_blocking(&self) -> io::Result<local_socket::Stream> {
        ConnectOptions::new().name(self.name()?).connect_sync()
    }

    fn name(&self) -> io::Result<Name<'_>> {
        platform::name(&self.socket)
    }
}

/// Whether the other end of a connection runs as the same user.
pub(crate) fn same_user(stream: &impl StreamCommon) -> bool {
    platform::same_user(stream)
}

fn digest(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(unix)]
mod platform {
    use std::fs::{self, DirBuilder, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
    use std::path::Path;

    use interprocess::local_socket::prelude::*;
    use interprocess::local_socket::traits::StreamCommon;
    use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name};

    use super::super::local_socket::DoorError;

    /// Not a link, and neither made nor enterable by anybody else: `/tmp` is everybody's.
    pub fn is_private(dir: &Path) -> bool {
        fs::symlink_metadata(dir).is_ok_and(|found| {
            let mine = found.uid() == nix::unistd::geteuid().as_raw();
            found.is_dir() && mine && closed(&found)
        })
    }

    fn closed(dir: &fs::Metadata) -> bool {
        let for_others = dir.mode() & 0o077;
        for_others == 0
    }

    pub fn make_in_the_open(dir: &Path) -> Result<(), DoorError> {
        let path = || dir.to_owned();
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(DoorError::Unusable { path: path(), source }),
        }
        if is_private(dir) { Ok(()) } else { Err(DoorError::NotPrivate { path: path() }) }
    }

    pub fn close_to_others(dir: &Path) -> io::Result<()> {
        if closed(&fs::metadata(dir)?) {
            return Ok(());
        }
        fs::set_permissions(dir, Permissions::from_mode(0o700))
    }

    pub fn clear(socket: &Path) -> io::Result<()> {
        match fs::symlink_metadata(socket) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(socket),
            Ok(_) => Err(io::Error::other("something that is no socket lies there")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as where a guard can fail")]
    pub fn guarded(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        Ok(options)
    }

    pub fn name(socket: &Path) -> io::Result<Name<'_>> {
        socket.to_fs_name::<GenericFilePath>()
    }

    pub fn same_user(stream: &impl StreamCommon) -> bool {
        let peer = stream.peer_creds().ok().and_then(|creds| creds.euid());
        peer == Some(nix::unistd::geteuid().as_raw())
    }
}

#[cfg(windows)]
mod platform {
    use std::io;
    use std::path::Path;

    use interprocess::local_socket::prelude::*;
    use interprocess::local_socket::traits::StreamCommon;
    use interprocess::local_socket::{GenericNamespaced, ListenerOptions, Name};
    use interprocess::os::windows::local_socket::ListenerOptionsExt;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    use widestring::u16cstr;

    use super::super::local_socket::DoorError;

    pub fn is_private(_dir: &Path) -> bool {
        true
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
    pub fn make_in_the_open(_dir: &Path) -> Result<(), DoorError> {
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
    pub fn close_to_others(_dir: &Path) -> io::Result<()> {
        Ok(())
    }

    // A pipe goes with its process.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
    pub fn clear(_socket: &Path) -> io::Result<()> {
        Ok(())
    }

    /// For the owner alone, whatever the parent would hand down (MS-DTYP 2.5.1: SDDL). The listener itself asks for
    /// the first instance of its pipe.
    pub fn guarded(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        let owner_alone = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)"))?;
        Ok(options.security_descriptor(owner_alone))
    }

    pub fn name(socket: &Path) -> io::Result<Name<'_>> {
        format!("moorline-{}", super::digest(socket)).to_ns_name::<GenericNamespaced>()
    }

    /// The pipe's access list has said so.
    pub fn same_user(_stream: &impl StreamCommon) -> bool {
        true
    }
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
