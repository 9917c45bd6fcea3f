//! Putting edits on disk: symlinks followed, modes and owners kept, locked, backed up, replaced in one step.

mod backup;
mod comment;
mod dir;
mod error;
mod flush;
mod lock;
mod os;
mod replace;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use dir::SshDir;
pub use error::{Refusal, SshFilesError};

use lock::Lock;
use replace::Replaced;
use target::Target;

/// How long a lock is waited for, unless told otherwise.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file as the caller named it.
    pub path: PathBuf,
    /// Its bytes before; `None` if it did not exist.
    pub before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    /// Where the old bytes were kept, if a backup was due.
    pub backup: Option<PathBuf>,
}

impl FileChange {
    /// Whether anything was (or, for a preview, would be) written.
    pub fn changed(&self) -> bool {
        self.before != self.after
    }

    /// Its bytes after; `None` if it does not exist.
    pub fn after(&self) -> Option<&[u8]> {
        self.after.as_deref()
    }

    /// This change and a later one of the same file, as one. The backup is the earlier one where there are two.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        if !later.changed() {
            return self;
        }
        Self { after: later.after, backup: self.backup.or(later.backup), ..self }
    }
}

/// What an edit of both files did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `known_hosts`.
    pub known_hosts: FileChange,
    /// `config`.
    pub config: FileChange,
    /// One sentence each: things a person should know (a BOM in `known_hosts`, hand edits inside the block…).
    pub remarks: Vec<String>,
}

/// Edits one file: locks it, reads it, and puts what `transform` makes of it in its place, keeping symlink, mode and
/// owner. A missing file is an empty one; it is created (0600) only if it gets content. No backup is made.
///
/// `transform` runs again when another program wrote in between, perhaps on a text that holds its own result, so it
/// must be idempotent.
///
/// # Errors
/// [`SshFilesError`]; nothing was changed then, except that [`SshFilesError::Io`] with the action `flush` means that
/// the change may not outlast a power cut.
pub fn edit_file(
    path: &Path,
    lock_wait: Duration,
    mut transform: impl FnMut(&[u8]) -> Result<Vec<u8>, Refusal>,
) -> Result<FileChange, SshFilesError> {
    let target = Target::resolve(path)?;
    let _lock = lock(&target, lock_wait)?;
    let Replaced { before, after } =
        replace::replace(&target, target.read()?, &mut transform, &mut |_, _, _| Ok(Vec::new()), None)?;
    let change = FileChange { path: path.to_owned(), before, after, backup: None };
    if change.changed() {
        replace::sync_dir(&target)?;
    }
    Ok(change)
}

fn lock(target: &Target, wait: Duration) -> Result<Lock, SshFilesError> {
    target.check_writable()?;
    Lock::take(target.sidecar("lock"), wait)
}

/// Takes away what a killed run left, also where the file itself needs no change any more.
fn tidy(target: &Target) {
    let path = target.sidecar("lock");
    let anything = path.exists() || !replace::leftovers(target).is_empty();
    if anything && let Ok(_lock) = Lock::take(path, Duration::ZERO) {
        replace::remove_leftovers(target);
    }
}

#[cfg(test)]
mod tests;
