//! Making what was written last through a power cut, several files at once.
//!
//! A flush is mostly waiting for the disk, and a file system answers several that come together with one commit of
//! its journal. So files are written first and flushed together.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::SshFilesError;
use super::os;

/// A file or directory that a power cut could still undo.
#[derive(Debug)]
#[must_use = "it may not outlast a power cut"]
pub(super) struct Unflushed {
    path: PathBuf,
    file: File,
    goes_on_failure: bool,
}

impl Unflushed {
    /// A file, whoever takes it away again.
    pub(super) fn file(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, goes_on_failure: false }
    }

    /// A file that goes again if it cannot be flushed.
    pub(super) fn new_file(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, goes_on_failure: true }
    }

    /// A directory whose names changed; `None` where the system keeps them by itself.
    pub(super) fn dir(path: &Path) -> Result<Option<Self>, SshFilesError> {
        let file = os::dir_to_flush(path).map_err(SshFilesError::io("flush", path))?;
        Ok(file.map(|file| Self { path: path.to_owned(), file, goes_on_failure: false }))
    }

    fn flush(self) -> Result<(), SshFilesError> {
        self.file.sync_all().map_err(|e| {
            if self.goes_on_failure {
                let _ = fs::remove_file(&self.path);
            }
            SshFilesError::io("flush", &self.path)(e)
        })
    }
}

/// Flushes all at the same time. The first error, if any, after all have ended.
pub(super) fn flush(mut all: Vec<Unflushed>) -> Result<(), SshFilesError> {
    let Some(last) = all.pop() else { return Ok(()) };
    std::thread::scope(|scope| {
        let others: Vec<_> = all.into_iter().map(|one| scope.spawn(|| one.flush())).collect();
        let mut result = last.flush();
        for other in others {
            result = result.and(other.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        }
        result
    })
}

/// Flushes one directory.
pub(super) fn flush_dir(path: &Path) -> Result<(), SshFilesError> {
    Unflushed::dir(path)?.map_or(Ok(()), Unflushed::flush)
}
