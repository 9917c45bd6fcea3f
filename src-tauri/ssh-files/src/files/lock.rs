//! One writer at a time among programs that use this crate.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::SshFilesError;
use super::os;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(12);

/// A held lock: `flock` (Windows: `LockFileEx`) on a file beside the target, which the system lets go of when the
/// process ends, however it ends. The lock file goes when the lock does.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    // Held open for its lock.
    _file: File,
}

impl Lock {
    /// Waits at most `wait`.
    pub(super) fn take(path: PathBuf, wait: Duration) -> Result<Self, SshFilesError> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match try_once(&path) {
                Ok(Some(file)) => return Ok(Self { path, _file: file }),
                Ok(None) => {}
                Err(e) => return Err(SshFilesError::io("lock", &path)(e)),
            }
            if started.elapsed() >= wait {
                return Err(SshFilesError::Locked { lock: path, waited: wait });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held: whoever opened it meanwhile will see that the path names another file, or none.
        if os::CAN_REMOVE_OPEN_FILES {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn try_once(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    os::private(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        // Windows: the file is about to go.
        Err(e) if cfg!(windows) && e.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(e) => return Err(e),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
    }
    // The last holder may have removed the file between our opening and our locking it.
    Ok(os::is_same_file(&file, path).then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_waited_for_and_then_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".x.lock");
        let held = Lock::take(path.clone(), Duration::ZERO).unwrap();
        let error = Lock::take(path.clone(), Duration::from_millis(20)).unwrap_err().to_string();
        assert!(error.contains(".x.lock") && error.contains("try again"), "{error}");
        drop(held);
        assert!(!cfg!(unix) || !path.exists(), "no residue");
        drop(Lock::take(path, Duration::ZERO).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_removed_file_is_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".x.lock");
        let stale = File::create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!os::is_same_file(&stale, &path));
        let _held = Lock::take(path.clone(), Duration::ZERO).unwrap();
        assert!(!os::is_same_file(&stale, &path));
    }

    #[test]
    fn what_a_crash_left_behind_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".x.lock");
        fs::write(&path, "left by a process that was killed").unwrap();
        drop(Lock::take(path, Duration::ZERO).unwrap());
    }
}
