//! A file that one process at a time holds, and in which the holder notes who it is.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use moorline_ssh_files::files::lock_file::take;

pub(crate) use moorline_ssh_files::files::lock_file::open;

use crate::store::read_file;

/// No note is longer, in bytes.
const NOTE: u64 = 16;

/// A held file; the file itself stays when it is let go of.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

/// Why a file is not held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLocked {
    /// Another process holds it; which one, where that is known.
    #[error("another process holds it")]
    Held(Option<u32>),
    /// A link, a FIFO or the like stands in its place.
    #[error("it is not a regular file; remove it and try again")]
    Odd,
    /// It cannot be used.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<NotLocked> for io::Error {
    fn from(error: NotLocked) -> Self {
        if let NotLocked::System(error) = error { error } else { Self::other(error) }
    }
}

impl FileLock {
    /// Takes the lock, waiting at most `wait` for another process, and leaves the note as it is. Blocks the thread.
    ///
    /// # Errors
    /// Another process still holds it, or the file cannot be used.
    pub fn take(path: &Path, wait: Duration) -> Result<Self, NotLocked> {
        // A note is written into it: a link would lead that into somebody's file.
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(NotLocked::Odd);
        }
        let file = take(path, wait)?.ok_or_else(|| NotLocked::Held(noted_process(path)))?;
        Ok(Self { file })
    }

    /// Takes the lock as [`FileLock::take`] does, and notes this process in it: for the next one's sentence alone,
    /// nobody decides by it.
    ///
    /// # Errors
    /// As [`FileLock::take`].
    pub fn take_noted(path: &Path, wait: Duration) -> Result<Self, NotLocked> {
        let lock = Self::take(path, wait)?;
        if let Err(error) = note_process(&lock.file) {
            tracing::debug!(file = %path.display(), %error, "cannot note the holder of a lock");
        }
        Ok(lock)
    }

    /// Replaces the note.
    pub fn note(&self, text: &str) -> io::Result<()> {
        note(&self.file, text)
    }

    /// The held file, for its note and its age.
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// Notes this process in a file that it has locked.
pub(crate) fn note_process(file: &File) -> io::Result<()> {
    note(file, &std::process::id().to_string())
}

fn note(mut file: &File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// What a lock file tells whoever does not hold it.
pub(crate) struct Seen {
    /// The note.
    pub note: String,
    /// Whether a process holds it.
    pub held: bool,
    /// The file.
    pub file: File,
}

/// Looks at a lock file; `None` if there is none.
///
/// # Errors
/// It cannot be read, or the system does not say whether it is held.
pub(crate) fn look(path: &Path) -> io::Result<Option<Seen>> {
    let Some(file) = read_file::open(path)? else { return Ok(None) };
    let note = read_note(&file);
    let held = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok(Some(Seen { note, held, file }))
}

/// The process that holds a lock file and noted itself in it.
pub(crate) fn process(path: &Path) -> Option<u32> {
    let seen = look(path).ok().flatten()?;
    if seen.held { seen.note.trim().parse().ok() } else { None }
}

/// The process that is noted in a lock file, which somebody holds: asking whether it is held, as [`look`] does, would
/// keep out others for that moment.
fn noted_process(path: &Path) -> Option<u32> {
    let file = read_file::open(path).ok().flatten()?;
    read_note(&file).trim().parse().ok()
}

/// Empty where it cannot be read: Windows lets nobody read what another process has locked.
fn read_note(file: &File) -> String {
    let mut note = String::new();
    let _ = file.take(NOTE).read_to_string(&mut note);
    note
}
