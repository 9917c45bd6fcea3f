//! One writer at a time among programs that use this crate.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use super::error::SshFilesError;
use super::{lock_file, os};

/// A held lock on a file beside the target. The lock file goes when the lock does.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    // Held open for its lock.
    _file: File,
}

impl Lock {
    /// Waits at most `wait`.
    pub(super) fn take(path: PathBuf, wait: Duration) -> Result<Self, SshFilesError> {
        match lock_file::take(&path, wait).map_err(SshFilesError::io("lock", &path))? {
            Some(file) => Ok(Self { path, _file: file }),
            None => Err(SshFilesError::Locked { lock: path, waited: wait }),
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
