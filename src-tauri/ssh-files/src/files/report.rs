//! What was changed in which file.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::revision::Revision;

/// What happened to one file.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// The file as the caller named it.
    pub path: PathBuf,
    /// Its bytes before; `None` if it did not exist.
    pub before: Option<Vec<u8>>,
    /// What became of `before`.
    pub(super) revision: Option<Revision>,
    /// Where the old bytes were kept, if a backup was due.
    pub backup: Option<PathBuf>,
}

impl FileChange {
    /// Whether anything was (or, for a preview, would be) written.
    pub fn changed(&self) -> bool {
        match (&self.before, &self.revision) {
            (Some(before), Some(revision)) => !revision.is_noop(before),
            (before, revision) => before.is_some() || revision.is_some(),
        }
    }

    /// Its bytes after; `None` if it does not exist. Put together from `before` and what changed, at each call.
    pub fn after(&self) -> Option<Cow<'_, [u8]>> {
        self.revision.as_ref().map(|revision| revision.text(self.before.as_deref().unwrap_or_default()))
    }

    /// This change and a later one of the same file, as one. The backup is the earlier one where there are two.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        if !later.changed() {
            return self;
        }
        let revision = later.after().map(|text| Revision::Whole(text.into_owned()));
        Self { revision, backup: self.backup.or(later.backup), ..self }
    }
}

impl PartialEq for FileChange {
    fn eq(&self, other: &Self) -> bool {
        let same_bytes =
            self.before == other.before && (self.revision == other.revision || self.after() == other.after());
        same_bytes && self.path == other.path && self.backup == other.backup
    }
}

impl Eq for FileChange {}

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
