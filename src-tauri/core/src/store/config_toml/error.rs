//! Why the sessions file could not be used.

use std::io;
use std::path::PathBuf;

use crate::store::dirs::DirsError;

/// The layout that this version reads and writes.
pub(super) const VERSION: i64 = 1;

/// Why the sessions file could not be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionsFileError {
    /// The file is there, and cannot be read.
    #[error("cannot read {path}: {source}; check its permissions and try again")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be replaced.
    #[error("cannot write {path}: {source}; the old file is still in place")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file's directory cannot be made.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// The file holds what it may not.
    #[error("{path}, line {line}: {what}; correct the line and try again")]
    Bad {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key and what is wrong with it.
        what: String,
    },
    /// A newer Moorline wrote the file.
    #[error(
        "{path} has version {found}, and this Moorline knows version {VERSION}: use the newer Moorline that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it says.
        found: i64,
    },
    /// Another program wrote the file between load and save.
    #[error("{path} was changed by another program just now; nothing was written, try again")]
    Changed {
        /// The file.
        path: PathBuf,
    },
}
