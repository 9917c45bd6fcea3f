//! What was changed in which file.

use std::path::PathBuf;

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file as the caller named it.
    pub path: PathBuf,
    /// Its bytes before; `None` if it did not exist.
    pub before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
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
