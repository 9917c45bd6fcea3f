//! Replacing one of Moorline's own files: whole, synced and for the person alone, or not at all.
//!
//! The writer of the ssh files is another one: it merges with programs that write those at the same moment, and keeps
//! their mode and owner, where these here are always 0600 and have no other writer.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

const INFIX: &str = ".moorline-";

/// Replaces the file at `path` by `bytes`: a new file beside it, mode 0600, synced, then renamed over it. A
/// symlink stays one, and its target is replaced. The directory must exist.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = Replacement::begin(path)?;
    new.write(bytes)?;
    new.finish()
}

/// A replacement under way. Dropped before [`Replacement::finish`], it leaves the old file and says so.
struct Replacement {
    target: PathBuf,
    dir: PathBuf,
    temp: Option<NamedTempFile>,
}

impl Replacement {
    fn begin(path: &Path) -> io::Result<Self> {
        let target = through_links(path)?;
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
        let name = target.file_name().ok_or_else(no_name)?.to_string_lossy().into_owned();
        let dir = target.parent().ok_or_else(no_name)?.to_owned();
        let prefix = format!(".{name}{INFIX}");
        sweep(&dir, &prefix);
        // tempfile makes the file 0600.
        let temp = tempfile::Builder::new().prefix(&prefix).tempfile_in(&dir)?;
        // Held until the rename: tells a sweep in another process that this one is alive.
        let _best_effort = temp.as_file().try_lock();
        Ok(Self { target, dir, temp: Some(temp) })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(temp) = &mut self.temp else { return Err(io::ErrorKind::NotFound.into()) };
        temp.write_all(bytes)?;
        temp.as_file().sync_all()
    }

    fn finish(mut self) -> io::Result<()> {
        let Some(temp) = self.temp.take() else { return Err(io::ErrorKind::NotFound.into()) };
        match temp.persist(&self.target) {
            Ok(_written) => sync_dir(&self.dir),
            Err(failed) => {
                self.temp = Some(failed.file);
                Err(failed.error)
            }
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.temp.is_some() {
            tracing::error!(file = %self.target.display(), "a replacement was dropped unfinished; the old file stays");
        }
    }
}

/// Removes what a killed process left behind; what a living one is writing is locked and stays.
fn sweep(dir: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        // A FIFO of that name would block.
        let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        let left_behind = regular && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if left_behind && let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(file = %entry.path().display(), %error, "cannot remove an unfinished replacement");
        }
    }
}

/// Where `path` leads, even when the last link's target does not exist yet.
fn through_links(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    // Linux follows at most 40 links (path_resolution(7)).
    for _ in 0..40 {
        match fs::read_link(&at) {
            Ok(target) => at = at.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as where a directory can be synced")]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_private_and_nothing_else_stays() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("f");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(temp.path()), ["f"]);
    }

    #[test]
    fn symlinks_stay_even_when_they_lead_nowhere_yet() {
        let temp = tempfile::tempdir().unwrap();
        let dotfiles = temp.path().join("dotfiles");
        fs::create_dir(&dotfiles).unwrap();
        let (link, hop) = (temp.path().join("f"), temp.path().join("hop"));
        symlink("hop", &link).unwrap();
        symlink("dotfiles/f", &hop).unwrap();
        for text in ["first", "second"] {
            replace(&link, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(dotfiles.join("f")).unwrap(), text);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the person's link must stay");
            assert!(fs::symlink_metadata(&hop).unwrap().is_symlink());
        }
        symlink("loop", temp.path().join("loop")).unwrap();
        assert!(replace(&temp.path().join("loop"), b"x").is_err());
    }

    #[test]
    fn the_leavings_of_a_killed_process_go_and_those_of_a_living_one_stay() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("f");
        fs::write(temp.path().join(".f.moorline-dead"), "half").unwrap();
        let mut living = Replacement::begin(&file).unwrap();
        assert_eq!(names(temp.path()).len(), 1, "the dead one is gone, the living one there");
        replace(&file, b"other").unwrap();
        living.write(b"mine").unwrap();
        living.finish().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert_eq!(names(temp.path()), ["f"]);
    }

    #[test]
    fn dropped_unfinished_the_old_file_stays() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("f");
        fs::write(&file, "old").unwrap();
        Replacement::begin(&file).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(names(temp.path()), ["f"]);
    }
}
