//! One writer at a time: the lock that every process of a home takes before it changes ssh files or state.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::store::dirs::{Dirs, DirsError};
use crate::store::{made_dirs, read_file};

const POLL: Duration = Duration::from_millis(20);

/// The lock, held until it is dropped. The system frees it when the process ends, however it ends, so it never
/// goes stale; the file itself stays.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
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
        let unusable = |source| StateLockError::Unusable { path: path.clone(), source };
        let missing = made_dirs::missing(dirs);
        Dirs::create_private(&dirs.state)?;
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(StateLockError::Odd { path });
        }
        let file = open(&path).map_err(unusable)?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    note_holder(&file);
                    // Whoever makes directories holds the lock.
                    made_dirs::note(dirs, &missing);
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
            let left = wait.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(StateLockError::Held { who: holder(&path), path });
            }
            thread::sleep(left.min(POLL));
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // The holder's number is written into it: a link would lead that into somebody's file.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(read_file::flags(flags));
    }
    options.open(path)
}

/// Says who holds the lock, for the next one's error message alone: nobody decides by it.
fn note_holder(mut file: &File) {
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    if let Err(error) = noted {
        tracing::debug!(%error, "cannot note the holder of the state lock");
    }
}

fn holder(path: &Path) -> String {
    let pid = read_file::read_text(path).ok().flatten().and_then(|text| text.trim().parse::<u32>().ok());
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

#[cfg(test)]
mod tests {
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
        assert!(open(&dirs.lock_file()).is_err(), "not even if the link comes after the look");
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
