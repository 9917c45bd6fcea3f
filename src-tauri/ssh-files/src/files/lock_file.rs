//! A file that one process at a time locks: `flock`, on Windows `LockFileEx`. The system lets go of it when the process
//! ends, however it ends, so it never goes stale.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::os;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(12);

/// Opens the file for reading and writing, and makes it (0600) where there is none. A link in its place is not followed.
///
/// # Errors
/// What the system says.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    os::private(&mut options);
    options.open(path)
}

/// Locks the file, as [`open`] makes it, waiting at most `wait`; `None` if another one holds it all the time. Closing
/// the file unlocks it.
///
/// # Errors
/// The file cannot be opened or locked.
pub fn take(path: &Path, wait: Duration) -> io::Result<Option<File>> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(file) = try_once(path)? {
            return Ok(Some(file));
        }
        let left = wait.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(left.min(pause));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn try_once(path: &Path) -> io::Result<Option<File>> {
    let file = match open(path) {
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
