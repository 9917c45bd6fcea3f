//! The copy of `moorline` that proxied config entries run.

use std::io;
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::dirs::{Dirs, DirsError};

/// Why the copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProxyProgramError {
    /// Its directory.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// Reading the running program or writing the copy failed.
    #[error(
        "cannot put the proxy program at {path}: {source}; free some space or check the directory's permissions"
    )]
    Copy {
        /// Where it belongs.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Copies the running program to [`Dirs::proxy_program`], unless the same bytes lie there: a config entry must not
/// name a path that goes away with an upgrade or with a mounted image.
///
/// # Errors
/// The copy cannot be written; the old one, if any, is still in place.
pub fn install(dirs: &Dirs) -> Result<(), ProxyProgramError> {
    let path = dirs.proxy_program();
    if let Some(parent) = path.parent() {
        Dirs::create_private(parent)?;
    }
    let copy = |path: &Path| {
        let program = std::fs::read(std::env::current_exe()?)?;
        if !std::fs::read(path).is_ok_and(|there| there == program) {
            atomic::replace(path, &program)?;
        }
        make_executable(path)
    };
    copy(&path).map_err(|source| ProxyProgramError::Copy { path, source })
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}
