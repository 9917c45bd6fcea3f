//! Putting edits on disk: symlinks followed, modes and owners kept, locked, backed up, replaced in one step.

mod backup;
mod comment;
mod dir;
mod error;
mod flush;
mod lock;
pub mod lock_file;
mod os;
mod replace;
mod target;
mod tidy;

use std::path::Path;
use std::time::Duration;

pub use dir::SshDir;
pub use error::{Refusal, SshFilesError};
pub use report::{FileChange, Report};
pub use tidy::LOCK_WAIT;

use lock::Lock;
use replace::Replaced;
use target::Target;

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

mod read_capped;
mod report;
#[cfg(test)]
mod tests;
