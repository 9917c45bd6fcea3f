//! What can go wrong on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why nothing (or, for [`SshFilesError::Io`] after the first file, not everything) was written. One sentence each.
#[derive(Debug, thiserror::Error)]
pub enum SshFilesError {
    /// The file's content or kind makes an edit unsafe.
    #[error("{}{}: {reason}", path.display(), line.map(|n| format!(", line {n}")).unwrap_or_default())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The line (from 1), where there is one.
        line: Option<usize>,
        /// What is wrong, and the next step.
        reason: String,
    },
    /// The file or its directory is read-only, as under Nix and home-manager.
    #[error("{} is read-only; add the lines by hand where that file is made, or make it writable", path.display())]
    ReadOnly {
        /// The file, behind all symlinks.
        path: PathBuf,
    },
    /// Another program of ours held the lock for longer than we wait.
    #[error(
        "another program of Moorline's holds {} since more than {} s; wait for it or end it, and try again",
        lock.display(),
        waited.as_secs_f32()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// Another program wrote the file again and again between our reading and our writing.
    #[error("{} is being written by another program all the time; end it and try again", path.display())]
    Contended {
        /// The file, behind all symlinks.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}; put that right and try again", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as in "cannot {action} {path}".
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl SshFilesError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            if source.kind() == io::ErrorKind::ReadOnlyFilesystem {
                return Self::ReadOnly { path: path.to_owned() };
            }
            Self::Io { path: path.to_owned(), action, source }
        }
    }

    pub(super) fn refused(path: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), line: None, reason: reason.into() }
    }
}

/// Why a transform wants a file left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line (from 1), where there is one.
    pub line: Option<usize>,
    /// What is wrong, and the next step.
    pub reason: String,
}

impl From<crate::config::ConfigError> for Refusal {
    fn from(error: crate::config::ConfigError) -> Self {
        Self { line: error.line(), reason: error.to_string() }
    }
}

impl From<crate::known_hosts::KnownHostsError> for Refusal {
    fn from(error: crate::known_hosts::KnownHostsError) -> Self {
        Self { line: error.line(), reason: error.to_string() }
    }
}
