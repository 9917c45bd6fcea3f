//! Old contents, and what we remember about our own writing. All of it in one private directory.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use super::error::SshFilesError;
use super::flush::Unflushed;
use super::{os, replace};

/// How many backups of one file are kept; the first one ever always is.
const KEPT: usize = 20;

/// From this many bytes on, a second link is worth its oddity.
const WORTH_A_LINK: usize = 256 * 1024;

/// The directory of backups; it may not exist yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backups<'a> {
    dir: &'a Path,
}

impl<'a> Backups<'a> {
    pub(super) fn at(dir: &'a Path) -> Self {
        Self { dir }
    }

    /// Whether a backup of `file` (a bare name) exists.
    pub(super) fn any_of(self, file: &str) -> bool {
        !self.stamps(file).is_empty()
    }

    /// Drops backups that are still the file itself: a run that linked them failed before it replaced the file, so
    /// whatever is written to the one changes the other.
    pub(super) fn drop_shared(self, file: &str, original: &Path) {
        let Ok(live) = fs::File::open(original) else { return };
        for stamp in self.stamps(file) {
            let path = self.dir.join(format!("{file}.{stamp}"));
            if os::is_same_file(&live, &path) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Keeps `content`, which `original` holds now, and forgets the oldest backups but the very first. The caller
    /// flushes what comes back before it changes the original.
    ///
    /// A large file is kept as a second link, which costs nothing: it is about to be replaced, never written to, by
    /// us. The link opens no new way to the file: either nobody but the owner may read that, or nobody else may enter
    /// the directory of backups.
    pub(super) fn keep(
        self,
        file: &str,
        original: &Path,
        content: &[u8],
    ) -> Result<(PathBuf, Vec<Unflushed>), SshFilesError> {
        self.make_dir()?;
        // Always the newest, however fast backups follow each other and whatever the clock does.
        let mut stamp = unix_millis().max(self.stamps(file).last().map_or(0, |newest| newest + 1));
        let (path, copied) = loop {
            let path = self.dir.join(format!("{file}.{stamp}"));
            let linked = content.len() >= WORTH_A_LINK && os::link_private(original, self.dir, &path);
            match if linked { Ok(None) } else { replace::keep_copy(&path, content).map(Some) } {
                Ok(copied) => break (path, copied),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => stamp += 1,
                Err(e) => return Err(SshFilesError::io("write the backup", &path)(e)),
            }
        };
        let copied = copied.map(|file| Unflushed::new_file(&path, file));
        let unflushed = Unflushed::dir(self.dir)?.into_iter().chain(copied).collect();
        let stamps = self.stamps(file);
        for stamp in stamps.iter().skip(1).take(stamps.len().saturating_sub(KEPT)) {
            let _ = fs::remove_file(self.dir.join(format!("{file}.{stamp}")));
        }
        Ok((path, unflushed))
    }

    /// Whether `file` did not exist before our first write.
    pub(super) fn was_created(self, file: &str) -> bool {
        self.dir.join(format!("{file}.created")).exists()
    }

    pub(super) fn note_created(self, file: &str) -> Result<(), SshFilesError> {
        self.make_dir()?;
        replace::write_own(&self.dir.join(format!("{file}.created")), b"")
    }

    pub(super) fn forget_created(self, file: &str) {
        let _ = fs::remove_file(self.dir.join(format!("{file}.created")));
    }

    /// Whether `block` is one that we wrote; `None` if we do not know what we wrote.
    pub(super) fn wrote_block(self, block: &[u8]) -> Option<bool> {
        let known = fs::read_to_string(self.block_note()).ok()?;
        let digest = digest(block);
        // A power cut may have left a part of the note, which tells nothing.
        let is_whole = known.lines().next().is_some_and(|line| line.len() == digest.len());
        is_whole.then(|| known.lines().any(|line| line == digest))
    }

    /// Remembers the block that is about to be written. The one before stays known: a run that is killed before it
    /// writes leaves that one in the file.
    pub(super) fn note_block(self, block: &[u8]) -> Result<(), SshFilesError> {
        let known = fs::read_to_string(self.block_note()).unwrap_or_default();
        let digest = digest(block);
        if known.lines().next() == Some(&digest) {
            return Ok(());
        }
        self.make_dir()?;
        let before = known.lines().next().unwrap_or_default();
        // Not flushed: whoever finds less than a whole note takes it for none, and keeps one backup too many.
        replace::note_own(&self.block_note(), format!("{digest}\n{before}\n").as_bytes())
    }

    fn block_note(self) -> PathBuf {
        self.dir.join("config.block")
    }

    fn make_dir(self) -> Result<(), SshFilesError> {
        os::create_private_dir(self.dir).map_err(SshFilesError::io("create", self.dir))
    }

    /// Times of the backups of `file`, oldest first.
    fn stamps(self, file: &str) -> Vec<u128> {
        let Ok(entries) = fs::read_dir(self.dir) else { return Vec::new() };
        let mut stamps: Vec<u128> = entries
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.strip_prefix(file)?.strip_prefix('.')?.parse().ok())
            .collect();
        stamps.sort_unstable();
        stamps
    }
}

fn digest(block: &[u8]) -> String {
    Sha256::digest(block).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Only names backups; a wrong clock gives a wrong name and nothing worse.
fn unix_millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_backup_and_the_newest_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("deep/backups");
        let backups = Backups::at(&at);
        assert!(!backups.any_of("config"));
        let kept: Vec<_> = (0..30_u8).map(|n| backups.keep("config", &at, &[n]).unwrap().0).collect();
        assert_eq!(backups.stamps("config").len(), KEPT);
        assert_eq!(fs::read(&kept[0]).unwrap(), [0]);
        assert_eq!(fs::read(&kept[29]).unwrap(), [29]);
        assert!(!kept[1].exists());
        assert!(!backups.any_of("known_hosts"), "each file has its own");
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_that_is_still_the_file_itself_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let live = dir.path().join("known_hosts");
        fs::write(&live, "now").unwrap();
        let at = dir.path().join("backups");
        fs::create_dir(&at).unwrap();
        fs::write(at.join("known_hosts.1"), "before").unwrap();
        fs::hard_link(&live, at.join("known_hosts.2")).unwrap();
        Backups::at(&at).drop_shared("known_hosts", &live);
        assert_eq!(Backups::at(&at).stamps("known_hosts"), [1]);
    }

    #[test]
    fn blocks_are_known_again_and_so_is_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let backups = Backups::at(dir.path());
        assert_eq!(backups.wrote_block(b"a"), None);
        for block in [b"a", b"b", b"b"] {
            backups.note_block(block).unwrap();
        }
        assert_eq!(backups.wrote_block(b"a"), Some(true));
        assert_eq!(backups.wrote_block(b"b"), Some(true));
        assert_eq!(backups.wrote_block(b"c"), Some(false));
    }
}
