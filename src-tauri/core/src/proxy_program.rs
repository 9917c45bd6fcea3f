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

/// The program of the command line.
const MOORLINE: &str = "moorline";

/// Copies `moorline` (the running program, or the one beside it where that is the tray) to [`Dirs::proxy_program`],
/// unless the same bytes lie there: a config entry must not name a path that goes away with an upgrade or with a
/// mounted image.
///
/// # Errors
/// The copy cannot be written, or there is nothing to copy; the old one, if any, is still in place.
pub fn install(dirs: &Dirs) -> Result<(), ProxyProgramError> {
    let path = dirs.proxy_program();
    if let Some(parent) = path.parent() {
        Dirs::create_private(parent)?;
    }
    let copy = |path: &Path| {
        let Some(source) = source(&std::env::current_exe()?) else {
            // The tray alone was moved or updated; what was put there before still does.
            return if path.is_file() {
                Ok(())
            } else {
                Err(io::Error::other("moorline is not beside the tray"))
            };
        };
        let program = std::fs::read(source)?;
        if !std::fs::read(path).is_ok_and(|there| there == program) {
            atomic::replace(path, &program)?;
        }
        make_executable(path)
    };
    copy(&path).map_err(|source| ProxyProgramError::Copy { path, source })
}

/// The command line's program, as seen from the running one.
fn source(running: &Path) -> Option<PathBuf> {
    if running.file_stem().is_none_or(|stem| stem != "moorline-tray") {
        return Some(running.to_owned());
    }
    let beside = running.with_file_name(MOORLINE).with_extension(std::env::consts::EXE_EXTENSION);
    beside.is_file().then_some(beside)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tray_never_takes_the_place_of_the_command_line() {
        let temp = tempfile::tempdir().unwrap();
        let extension = std::env::consts::EXE_EXTENSION;
        let [tray, moorline] =
            ["moorline-tray", MOORLINE].map(|name| temp.path().join(name).with_extension(extension));
        assert_eq!(source(&tray), None);
        std::fs::write(&moorline, "").unwrap();
        assert_eq!(source(&tray).as_deref(), Some(moorline.as_path()));
        assert_eq!(source(&moorline).as_deref(), Some(moorline.as_path()));
    }
}
