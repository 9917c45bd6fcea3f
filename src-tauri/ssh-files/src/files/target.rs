//! Which file is really meant, and whether it can be replaced.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::SshFilesError;
use super::os;
use crate::files::read_capped::{SIZE_CAP, holds, read_capped};

/// A file behind all symlinks.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// As the caller named it.
    pub(super) named: PathBuf,
    /// The canonical path, which holds no symlink.
    pub(super) path: PathBuf,
}

impl Target {
    /// Follows symlinks. A file that does not exist is fine, a link to one that does not exist is not: making it
    /// would put a file where nobody looks for one.
    pub(super) fn resolve(named: &Path) -> Result<Self, SshFilesError> {
        let is_link = match fs::symlink_metadata(named) {
            Ok(found) => found.file_type().is_symlink(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Self::missing(named),
            Err(e) => return Err(SshFilesError::io("look at", named)(e)),
        };
        match fs::canonicalize(named) {
            Ok(path) => Ok(Self { named: named.to_owned(), path }),
            Err(e) if is_link && e.kind() == io::ErrorKind::NotFound => Err(SshFilesError::refused(
                named,
                "the symlink leads to a file that does not exist; make that file or remove the link",
            )),
            Err(e) if is_link && os::is_symlink_loop(&e) => Err(SshFilesError::refused(
                named,
                "the symlink leads back to itself; remove it or point it at a file",
            )),
            Err(e) => Err(SshFilesError::io("follow", named)(e)),
        }
    }

    fn missing(named: &Path) -> Result<Self, SshFilesError> {
        let (Some(dir), Some(file)) = (named.parent(), named.file_name()) else {
            return Err(SshFilesError::refused(named, "this is not the name of a file; name one"));
        };
        let path = match fs::canonicalize(dir) {
            Ok(dir) => dir.join(file),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if fs::symlink_metadata(dir).is_ok() {
                    return Err(SshFilesError::refused(
                        dir,
                        "the symlink leads to a directory that does not exist; make it or remove the link",
                    ));
                }
                named.to_owned()
            }
            Err(e) => return Err(SshFilesError::io("follow", dir)(e)),
        };
        Ok(Self { named: named.to_owned(), path })
    }

    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// A path beside the file, for locks and temporary files.
    pub(super) fn sidecar(&self, suffix: &str) -> PathBuf {
        self.dir().join(self.sidecar_name(suffix))
    }

    pub(super) fn sidecar_name(&self, suffix: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!(".{name}.moorline-{suffix}")
    }

    /// The content, or `None` if there is no file. Refuses what is not a regular file.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, SshFilesError> {
        match fs::symlink_metadata(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(SshFilesError::io("look at", &self.path)(e)),
            // Before opening: a FIFO would block for ever.
            Ok(found) => self.refuse_odd(&found)?,
        }
        match File::open(&self.path).and_then(|f| read_capped(&f)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(SshFilesError::io("read", &self.path)(e)),
        }
    }

    /// Length and time of the last change, which an honest change does not leave alone; `None` if there is no telling.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let found = fs::symlink_metadata(&self.path).ok()?;
        Some(Stamp { length: found.len(), modified: found.modified().ok()? })
    }

    /// Whether the content is still `expected` (`None`: no file), and what it is if not.
    pub(super) fn compare(&self, expected: Option<&[u8]>) -> Result<Compared, SshFilesError> {
        let same = match (File::open(&self.path), expected) {
            (Ok(file), Some(expected)) => {
                holds(&file, expected).map_err(SshFilesError::io("read", &self.path))?
            }
            (Err(e), None) => e.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if same { Ok(Compared::Same) } else { self.read().map(Compared::Changed) }
    }

    /// Refuses a file that must not be replaced: read-only, somebody else's, or in a directory that takes no file.
    pub(super) fn check_writable(&self) -> Result<(), SshFilesError> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) => {
                if found.permissions().readonly() || !os::owner_may_write(&found) {
                    return Err(SshFilesError::ReadOnly { path: self.path.clone() });
                }
                if !os::is_ours(&found) {
                    return Err(SshFilesError::refused(
                        &self.path,
                        "the file belongs to another user; change its owner or add the lines by hand",
                    ));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(SshFilesError::io("look at", &self.path)(e)),
        }
        match os::may_create_in(self.dir()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(SshFilesError::ReadOnly { path: self.path.clone() })
            }
            _ => Ok(()),
        }
    }

    fn refuse_odd(&self, found: &Metadata) -> Result<(), SshFilesError> {
        if !found.is_file() {
            return Err(SshFilesError::refused(
                &self.path,
                "this is not a regular file; put a regular file there",
            ));
        }
        if found.len() > SIZE_CAP {
            return Err(SshFilesError::refused(
                &self.path,
                "the file is larger than 64 MiB, which cannot be right; look what is in it",
            ));
        }
        Ok(())
    }
}

/// See [`Target::stamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: SystemTime,
}

/// What became of a content that was read earlier.
pub(super) enum Compared {
    Same,
    /// This is it now.
    Changed(Option<Vec<u8>>),
}
