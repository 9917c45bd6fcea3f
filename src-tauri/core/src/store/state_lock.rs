//! One writer at a time: the lock that every process of a home takes before it changes ssh files or state.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::dirs::{Dirs, DirsError};
use crate::store::file_lock::{FileLock, NotLocked};
use crate::store::made_dirs;

/// The lock, held until it is dropped. The system frees it when the process ends, however it ends, so it never
/// goes stale; the file itself stays.
#[derive(Debug)]
pub struct StateLock {
    _lock: FileLock,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum StateLockError {
    /// Another process held it all the time.
    #[error(
        "another moorline{who} holds {path} and is changing files; wait until it is done, or end it, and try again"
    )]
    Held {
        /// The lock file.
        path: PathBuf,
        /// ` (process 1234)` where that is known, else empty.
        who: String,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {path}: {source}; check the permissions of its directory")]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link, a FIFO or the like stands where the lock file belongs.
    #[error("cannot lock {path}: it is not a regular file; remove it and try again")]
    Odd {
        /// The lock file.
        path: PathBuf,
    },
    /// Its directory cannot be made.
    #[error(transparent)]
    Dir(#[from] DirsError),
}

impl StateLock {
    /// Takes the lock of this home, waiting at most `wait` for another process. Blocks the thread.
    ///
    /// # Errors
    /// Another process still holds it, or the lock file cannot be used.
    pub fn acquire(dirs: &Dirs, wait: Duration) -> Result<Self, StateLockError> {
        let path = dirs.lock_file();
        let missing = made_dirs::missing(dirs);
        Dirs::create_private(&dirs.state)?;
        match FileLock::take_noted(&path, wait) {
            Ok(lock) => {
                // Whoever makes directories holds the lock.
                made_dirs::note(dirs, &missing);
                Ok(Self { _lock: lock })
            }
            Err(NotLocked::Held(process)) => {
                let who = process.map_or_else(String::new, |process| format!(" (process {process})"));
                Err(StateLockError::Held { path, who })
            }
            Err(NotLocked::Odd) => Err(StateLockError::Odd { path }),
            Err(NotLocked::System(source)) => Err(StateLockError::Unusable { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use moorline_ssh_files::files::lock_file;

    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_other_is_told_who() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let held = StateLock::acquire(&dirs, Duration::ZERO).unwrap();
        let error = StateLock::acquire(&dirs, Duration::from_millis(30)).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, StateLockError::Held { .. }), "{said}");
        assert!(said.contains("state/moorline/lock"), "{said}");
        if cfg!(unix) {
            assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
        }
        drop(held);
        StateLock::acquire(&dirs, Duration::ZERO).unwrap();
        assert!(dirs.lock_file().exists(), "the file stays, or two could hold two files");
    }

    #[test]
    fn who_waits_gets_it_when_the_other_is_done() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let held = StateLock::acquire(&dirs, Duration::ZERO).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| StateLock::acquire(&dirs, Duration::from_secs(20)));
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_refused_and_its_target_stays() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        Dirs::create_private(&dirs.state).unwrap();
        let target = home.path().join("letter");
        fs::write(&target, "dear").unwrap();
        std::os::unix::fs::symlink(&target, dirs.lock_file()).unwrap();
        let said = StateLock::acquire(&dirs, Duration::ZERO).unwrap_err().to_string();
        assert!(said.contains("not a regular file; remove it"), "{said}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "dear", "what the link leads to is not ours");
        let opened = lock_file::open(&dirs.lock_file());
        assert!(opened.is_err(), "not even if the link comes after the look");
    }

    #[test]
    fn an_unusable_place_is_named() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        fs::create_dir_all(dirs.lock_file()).unwrap();
        let said = StateLock::acquire(&dirs, Duration::ZERO).unwrap_err().to_string();
        assert!(said.contains("cannot lock") && said.contains("state/moorline/lock"), "{said}");
    }
}
