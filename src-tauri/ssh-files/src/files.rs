//! stub
use std::path::{Path, PathBuf};

use crate::config::HostEntry;
use crate::known_hosts::KnownHostsEdit;

/// stub
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct SshFilesError;

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file as the caller named it.
    pub path: PathBuf,
    /// Its bytes before; `None` if it did not exist.
    pub before: Option<Vec<u8>>,
    /// Its bytes after; `None` if it does not exist.
    pub after: Option<Vec<u8>>,
    /// Where the old bytes were kept, if a backup was due.
    pub backup: Option<PathBuf>,
}

impl FileChange {
    /// Whether anything was (or, for a preview, would be) written.
    pub fn changed(&self) -> bool {
        self.before != self.after
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

/// A `.ssh` directory and where its backups go.
#[derive(Debug, Clone)]
pub struct SshDir {
    dir: PathBuf,
    backups: PathBuf,
}

impl SshDir {
    /// Names the directory; nothing is touched yet.
    pub fn new(dir: impl Into<PathBuf>, backups: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), backups: backups.into() }
    }
    /// `…/config`.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join("config")
    }
    /// `…/known_hosts`.
    pub fn known_hosts_path(&self) -> PathBuf {
        self.dir.join("known_hosts")
    }
    /// The directory backups are kept in.
    pub fn backups(&self) -> &Path {
        &self.backups
    }
    /// Makes the managed block hold exactly `entries`, and applies `edit` to `known_hosts` first. Refuses before
    /// anything is written if either file cannot be edited.
    pub fn write(&self, _edit: &KnownHostsEdit, _entries: &[HostEntry]) -> Result<Report, SshFilesError> {
        unimplemented!()
    }
    /// The same without writing anything (no lock, no directory is made).
    pub fn preview(&self, _edit: &KnownHostsEdit, _entries: &[HostEntry]) -> Result<Report, SshFilesError> {
        unimplemented!()
    }
}
