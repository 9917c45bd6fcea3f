//! This desktop's own login key: one Ed25519 pair, made once, never replaced.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg};

/// This desktop's login key. `Debug` shows where it lies, never what it is.
#[derive(Clone)]
pub struct LoginKey {
    path: PathBuf,
    key: Arc<PrivateKey>,
}

/// Why there is no login key to use.
#[derive(Debug, thiserror::Error)]
pub enum LoginKeyError {
    /// Reading or writing failed.
    #[error("cannot {what} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Others may read the private key, so ssh refuses it.
    #[error("{} may be read by others (mode {mode:04o}), so ssh refuses it; run `chmod 600 {}`", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is something else than a login key without passphrase.
    #[error("{} is not a key that Moorline can log in with: {why}; move it away, or name another key", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// The `.pub` beside it belongs to another key.
    #[error("{} does not belong to the private key beside it; move it away and try again", path.display())]
    StrayPublic {
        /// The file.
        path: PathBuf,
    },
}

impl LoginKey {
    /// Loads the key at `path`, and makes it first if there is none: the private key 0600 in OpenSSH's format
    /// without a passphrase, `<path>.pub` 0644, their directory 0700. Nothing that exists is overwritten; of two
    /// processes that come at once, both end with the same key.
    pub fn ensure(path: &Path) -> Result<Self, LoginKeyError> {
        if !exists(path)? {
            make_dir(path)?;
            create(path)?;
        }
        let loaded = Self::load(path)?;
        loaded.ensure_public()?;
        Ok(loaded)
    }

    /// Loads the private key at `path`, which must be there.
    pub fn load(path: &Path) -> Result<Self, LoginKeyError> {
        check_mode(path)?;
        let text = std::fs::read(path).map(zeroize::Zeroizing::new).map_err(|e| failed("read", path, e))?;
        let foreign = |why: &str| LoginKeyError::Foreign { path: path.to_owned(), why: why.to_owned() };
        let key = PrivateKey::from_openssh(&*text)
            .map_err(|cause| foreign(&format!("it does not read as an OpenSSH private key ({cause})")))?;
        if key.is_encrypted() {
            return Err(foreign("it has a passphrase"));
        }
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(foreign(&format!("it is of type {}, not ssh-ed25519", key.algorithm())));
        }
        Ok(Self { path: path.to_owned(), key: Arc::new(key) })
    }

    /// Where the private key lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line for `authorized_keys`, without a line end: type, base64, comment.
    pub fn public_line(&self) -> String {
        let public = self.key.public_key();
        // The comment comes from a file that a person may have edited: only what cannot break the line stays.
        let comment: String =
            public.comment().as_str_lossy().chars().filter(|c| is_plain(*c)).take(80).collect();
        let bare = russh::keys::PublicKey::new(public.key_data().clone(), comment);
        bare.to_openssh().unwrap_or_default().trim().to_owned()
    }

    pub(super) fn for_login(&self) -> PrivateKeyWithHashAlg {
        PrivateKeyWithHashAlg::new(Arc::clone(&self.key), None)
    }

    fn ensure_public(&self) -> Result<(), LoginKeyError> {
        let mut name = self.path.clone().into_os_string();
        name.push(".pub");
        let path = PathBuf::from(name);
        if !exists(&path)? {
            write_new(&path, format!("{}\n", self.public_line()).as_bytes(), 0o644)?;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| failed("read", &path, e))?;
        let held = russh::keys::PublicKey::from_openssh(text.trim()).ok();
        if held.is_some_and(|held| held.key_data() == self.key.public_key().key_data()) {
            Ok(())
        } else {
            Err(LoginKeyError::StrayPublic { path })
        }
    }
}

impl fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginKey").field("path", &self.path).finish_non_exhaustive()
    }
}

fn create(path: &Path) -> Result<(), LoginKeyError> {
    let unmade = |cause: String| failed("make a key for", path, io::Error::other(cause));
    let mut key =
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(|e| unmade(e.to_string()))?;
    key.set_comment(format!("moorline@{}", machine_name()));
    let text = key.to_openssh(LineEnding::LF).map_err(|e| unmade(e.to_string()))?;
    write_new(path, text.as_bytes(), 0o600)
}

/// Puts a whole file in place unless one is there already, whoever made it.
fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), LoginKeyError> {
    let write = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".moorline-key-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = mode;
        let mut file = builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask may have narrowed it.
            file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(taken) if taken.error.kind() != io::ErrorKind::AlreadyExists => Err(taken.error),
            _ => Ok(()),
        }
    };
    write().map_err(|cause| failed("write", path, cause))
}

fn make_dir(path: &Path) -> Result<(), LoginKeyError> {
    let Some(dir) = path.parent() else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(|cause| failed("make the directory", dir, cause))
}

/// Whether something is there, a dangling symlink too: nothing may be made in its place.
fn exists(path: &Path) -> Result<bool, LoginKeyError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(failed("look at", path, cause)),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), LoginKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|e| failed("read", path, e))?.permissions().mode() & 0o777;
    let private = mode.trailing_zeros() >= 6;
    if private { Ok(()) } else { Err(LoginKeyError::TooOpen { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the Unix form can fail")]
fn check_mode(_: &Path) -> Result<(), LoginKeyError> {
    Ok(())
}

#[cfg(unix)]
fn machine_name() -> String {
    plain_name(&rustix::system::uname().nodename().to_string_lossy())
}

#[cfg(not(unix))]
fn machine_name() -> String {
    plain_name(&std::env::var("COMPUTERNAME").unwrap_or_default())
}

fn plain_name(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).take(40).collect();
    if plain.is_empty() { "desktop".to_owned() } else { plain }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() || c == ' '
}

fn failed(what: &'static str, path: &Path, cause: io::Error) -> LoginKeyError {
    LoginKeyError::Io { what, path: path.to_owned(), cause }
}
