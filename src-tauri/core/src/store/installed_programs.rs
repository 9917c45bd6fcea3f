//! The copies of our programs that proxied config entries run.
//!
//! ssh runs one for each connection, so it is a program of its own, `moorline-proxy`, which holds a tenth of what
//! `moorline` does. Where a connection is shared, it starts `moorline` beside it as the hub.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::dirs::{Dirs, DirsError};
use crate::store::write_file;

/// Why the copies could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProxyProgramError {
    /// Their directory.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// There is nothing to copy.
    #[error("{name} is not beside {}; keep Moorline's programs in one directory", running.display())]
    Missing {
        /// The program that is missing.
        name: &'static str,
        /// The running one.
        running: PathBuf,
    },
    /// Reading a program or writing its copy failed.
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

/// The program that ssh runs.
const PROXY: &str = "moorline-proxy";

/// Copies `moorline-proxy` and `moorline` from where the running program lies to [`Dirs::proxy_program`] and
/// [`Dirs::hub_program`], unless the same bytes lie there: a config entry must not name a path that goes away with an
/// upgrade or with a mounted image.
///
/// # Errors
/// A copy cannot be written, or there is nothing to copy; the old one, if any, is still in place.
pub fn install(dirs: &Dirs) -> Result<(), ProxyProgramError> {
    let (hub, proxy) = (dirs.hub_program(), dirs.proxy_program());
    if let Some(parent) = hub.parent() {
        Dirs::create_private(parent)?;
    }
    let running = own_path().map_err(|source| ProxyProgramError::Copy { path: hub.clone(), source })?;
    for (name, path) in [(MOORLINE, hub), (PROXY, proxy)] {
        match beside(&running, name) {
            Some(source) => {
                copy(&source, &path).map_err(|source| ProxyProgramError::Copy { path, source })?;
            }
            // The tray alone was moved or updated; what was put there before still does.
            None if path.is_file() => {}
            None => return Err(ProxyProgramError::Missing { name, running }),
        }
    }
    Ok(())
}

/// The command line's program: the running one, or the one that lies beside it.
///
/// # Errors
/// There is none.
pub fn command_line() -> io::Result<PathBuf> {
    beside(&own_path()?, MOORLINE).ok_or_else(|| io::Error::other("it does not lie where it belongs"))
}

/// Where the running program lies. When it was replaced since it began, what lies there now is its newer version.
///
/// # Errors
/// The system does not say.
pub fn own_path() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    // proc_pid_exe(5).
    let replaced = path.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(if path.exists() { path } else { replaced.unwrap_or(path) })
}

/// The program of this name, where the running one is. One of ours under a name of its own is the command line.
fn beside(running: &Path, name: &str) -> Option<PathBuf> {
    let others = [PROXY, "moorline-tray", "moorline-window"];
    if name == MOORLINE && running.file_stem().is_none_or(|stem| others.iter().all(|other| stem != *other)) {
        return Some(running.to_owned());
    }
    let beside = running.with_file_name(name).with_extension(std::env::consts::EXE_EXTENSION);
    beside.is_file().then_some(beside)
}

fn copy(source: &Path, path: &Path) -> io::Result<()> {
    let program = std::fs::read(source)?;
    if !std::fs::read(path).is_ok_and(|there| there == program) {
        write_file::replace(path, &program)?;
    }
    make_executable(path)
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

/// Puts something where `moorline-proxy` belongs: none is beside a test's own program.
#[cfg(test)]
pub(crate) fn pretend(dirs: &Dirs) {
    let proxy = dirs.proxy_program();
    Dirs::create_private(proxy.parent().unwrap()).unwrap();
    std::fs::write(proxy, "").unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_program_takes_the_place_of_the_command_line() {
        let temp = tempfile::tempdir().unwrap();
        let extension = std::env::consts::EXE_EXTENSION;
        let [tray, proxy, moorline, renamed] = ["moorline-tray", PROXY, MOORLINE, "ml"]
            .map(|name| temp.path().join(name).with_extension(extension));
        for other in [&tray, &proxy] {
            assert_eq!(beside(other, MOORLINE), None, "{}", other.display());
        }
        assert_eq!(beside(&tray, PROXY), None, "nor that of the proxy");
        std::fs::write(&moorline, "").unwrap();
        std::fs::write(&proxy, "").unwrap();
        for any in [&tray, &proxy, &moorline] {
            assert_eq!(beside(any, MOORLINE).as_ref(), Some(&moorline));
            assert_eq!(beside(any, PROXY).as_ref(), Some(&proxy));
        }
        assert_eq!(
            beside(&renamed, MOORLINE).as_ref(),
            Some(&renamed),
            "a person may call it what they like"
        );
    }
}
