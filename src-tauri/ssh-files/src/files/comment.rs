//! Commenting an entry of the person's own out on disk, and bringing it back.

use super::backup::Backups;
use super::dir::CONFIG;
use super::error::{Refusal, SshFilesError};
use super::replace::{self, Replaced};
use super::report::FileChange;
use super::target::Target;
use super::tidy::LOCK_WAIT;
use super::{SshDir, lock};
use crate::config;
use crate::names::Alias;

impl SshDir {
    /// Comments out the [loose](config::loose_entries) entries that `alias` has in the config, after a backup. Without
    /// one nothing is written.
    ///
    /// # Errors
    /// [`SshFilesError`], as [`edit_file`](super::edit_file) has it.
    pub fn comment_out(&self, alias: &Alias) -> Result<FileChange, SshFilesError> {
        self.edit_config(&|text| Ok(config::comment_out(text, alias)?))
    }

    /// What [`comment_out`](Self::comment_out) would do. Nothing is written.
    ///
    /// # Errors
    /// What [`comment_out`](Self::comment_out) would refuse, as far as reading tells.
    pub fn preview_comment_out(&self, alias: &Alias) -> Result<FileChange, SshFilesError> {
        self.preview_config(&|text| Ok(config::comment_out(text, alias)?))
    }

    /// Brings back what [`comment_out`](Self::comment_out) commented out for `alias`, after a backup. Where nothing
    /// was, nothing is written.
    ///
    /// # Errors
    /// [`SshFilesError`], as [`edit_file`](super::edit_file) has it.
    pub fn bring_back(&self, alias: &Alias) -> Result<FileChange, SshFilesError> {
        self.edit_config(&|text| Ok(config::bring_back(text, alias)))
    }

    /// What [`bring_back`](Self::bring_back) would do. Nothing is written.
    ///
    /// # Errors
    /// What [`bring_back`](Self::bring_back) would refuse, as far as reading tells.
    pub fn preview_bring_back(&self, alias: &Alias) -> Result<FileChange, SshFilesError> {
        self.preview_config(&|text| Ok(config::bring_back(text, alias)))
    }

    fn preview_config(&self, edit: &Edit<'_>) -> Result<FileChange, SshFilesError> {
        let target = Target::resolve(&self.config_path())?;
        let before = target.read()?;
        let after =
            before.as_deref().map(edit).transpose().map_err(|refusal| replace::refusal(&target, refusal))?;
        let change = FileChange { path: target.named.clone(), before, after, backup: None };
        if change.changed() {
            target.check_writable()?;
        }
        Ok(change)
    }

    fn edit_config(&self, edit: &Edit<'_>) -> Result<FileChange, SshFilesError> {
        // A file that needs no change needs no lock, and may be read-only.
        let preview = self.preview_config(edit)?;
        if !preview.changed() {
            return Ok(preview);
        }
        let target = Target::resolve(&self.config_path())?;
        let _lock = lock(&target, LOCK_WAIT)?;
        let backups = Backups::at(&self.backups);
        let mut backup = None;
        let Replaced { before, after } = replace::replace(
            &target,
            target.read()?,
            &mut |text| edit(text),
            &mut |target, before, _| {
                let Some(before) = before else { return Ok(Vec::new()) };
                backups.drop_shared(CONFIG, &target.path);
                let (path, unflushed) = backups.keep(CONFIG, &target.path, before)?;
                backup = Some(path);
                Ok(unflushed)
            },
            None,
        )?;
        let change = FileChange { path: target.named.clone(), before, after, backup };
        if change.changed() {
            replace::sync_dir(&target)?;
        }
        Ok(change)
    }
}

type Edit<'e> = dyn Fn(&[u8]) -> Result<Vec<u8>, Refusal> + 'e;
