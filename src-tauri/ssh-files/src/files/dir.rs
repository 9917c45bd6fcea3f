//! Both files of a `.ssh` directory, edited together.

use std::path::{Path, PathBuf};

use super::backup::Backups;
use super::error::{Refusal, SshFilesError};
use super::flush::{self, Unflushed};
use super::replace::{self, Replaced, Staged};
use super::report::{FileChange, Report};
use super::target::{Stamp, Target};
use super::tidy::{LOCK_WAIT, tidy};
use super::{lock, os};
use crate::config::{self, HostEntry};
use crate::known_hosts::{self, KnownHostsEdit};

const KNOWN_HOSTS: &str = "known_hosts";
pub(super) const CONFIG: &str = "config";

/// A `.ssh` directory and where its backups go.
#[derive(Debug, Clone)]
pub struct SshDir {
    dir: PathBuf,
    pub(super) backups: PathBuf,
}

impl SshDir {
    /// Names the directory; nothing is touched yet.
    pub fn new(dir: impl Into<PathBuf>, backups: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), backups: backups.into() }
    }

    /// `…/config`.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }

    /// `…/known_hosts`.
    pub fn known_hosts_path(&self) -> PathBuf {
        self.dir.join(KNOWN_HOSTS)
    }

    /// The directory backups are kept in.
    pub fn backups(&self) -> &Path {
        &self.backups
    }

    /// Makes the managed block hold exactly `entries`, and applies `edit` to `known_hosts` first. Refuses before
    /// anything is written if either file cannot be edited. A second run with the same arguments writes nothing.
    ///
    /// # Errors
    /// [`SshFilesError`]. After [`SshFilesError::Io`] `known_hosts` may be new and `config` old: run it again.
    pub fn write(&self, edit: &KnownHostsEdit, entries: &[HostEntry]) -> Result<Report, SshFilesError> {
        let plan = Plan { backups: Backups::at(&self.backups), edit, entries };
        let (known_hosts, config) = self.targets()?;
        tidy(&known_hosts);
        tidy(&config);
        let mut draft = plan.draft(&known_hosts, &config, None)?;
        // A file that needs no change needs no lock, and may be read-only.
        let mut wanted = Wanted::by(&draft.report);
        if wanted == Wanted::default() {
            return Ok(draft.report);
        }
        let checks = [(&known_hosts, wanted.known_hosts), (&config, wanted.config)];
        checks.iter().filter(|c| c.1).try_for_each(|c| c.0.check_writable())?;
        os::create_private_dir(&self.dir).map_err(SshFilesError::io("create", &self.dir))?;
        loop {
            let (known_hosts, config) = self.targets()?;
            let _first = wanted.known_hosts.then(|| lock(&known_hosts, LOCK_WAIT)).transpose()?;
            let _second = wanted.config.then(|| lock(&config, LOCK_WAIT)).transpose()?;
            // Again, now that nobody of ours can write: refusals come before the first change.
            draft = plan.draft(&known_hosts, &config, Some(draft))?;
            let now = Wanted::by(&draft.report);
            if !wanted.covers(now) {
                wanted = Wanted { known_hosts: true, config: true };
                continue;
            }
            let mut report = draft.report;
            let mut staged = None;
            if now.known_hosts {
                let mut alongside = Vec::new();
                if now.config {
                    (staged, alongside) = plan.stage_config(&config, &report.config)?;
                }
                report.known_hosts =
                    plan.write_known_hosts(&known_hosts, report.known_hosts, draft.foreign, &mut alongside)?;
                // Nothing is left unless there was nothing to write after all.
                flush::flush(alongside)?;
            }
            // File systems keep the order of two renames in one directory, so that one flush does for both.
            let together = now.config && known_hosts.dir() == config.dir();
            if now.known_hosts && !together {
                replace::sync_dir(&known_hosts)?;
            }
            if now.config {
                let written = plan.write_config(&config, report.config.before, staged);
                let flushed = replace::sync_dir(&config);
                report.config = written?;
                flushed?;
            }
            if let Some(backup) = &report.config.backup
                && report.remarks.iter().any(|r| r == HAND_EDITED)
            {
                report.remarks.push(format!("The config with those edits is kept at {}.", backup.display()));
            }
            return Ok(report);
        }
    }

    /// The same without writing anything (no lock, no directory is made).
    ///
    /// # Errors
    /// What [`write`](Self::write) would refuse, as far as reading tells.
    pub fn preview(&self, edit: &KnownHostsEdit, entries: &[HostEntry]) -> Result<Report, SshFilesError> {
        let plan = Plan { backups: Backups::at(&self.backups), edit, entries };
        let (known_hosts, config) = self.targets()?;
        let report = plan.draft(&known_hosts, &config, None)?.report;
        for (target, change) in [(&known_hosts, &report.known_hosts), (&config, &report.config)] {
            if change.changed() {
                target.check_writable()?;
            }
        }
        Ok(report)
    }

    fn targets(&self) -> Result<(Target, Target), SshFilesError> {
        Ok((Target::resolve(&self.known_hosts_path())?, Target::resolve(&self.config_path())?))
    }
}

/// Which files an edit changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    known_hosts: bool,
    config: bool,
}

impl Wanted {
    fn by(report: &Report) -> Self {
        Self { known_hosts: report.known_hosts.changed(), config: report.config.changed() }
    }

    fn covers(self, other: Self) -> bool {
        self.known_hosts >= other.known_hosts && self.config >= other.config
    }
}

const HAND_EDITED: &str = "Edits inside Moorline's block of the config were replaced.";

/// Both edits as worked out from what was read.
struct Draft {
    report: Report,
    /// As `known_hosts` was right before it was read.
    known_hosts_stamp: Option<Stamp>,
    known_hosts_remarks: Vec<String>,
    /// How many lines of others in `known_hosts` go or lose names.
    foreign: usize,
}

struct StagedConfig {
    content: Staged,
    backup: Option<PathBuf>,
}

#[derive(Clone, Copy)]
struct Plan<'a> {
    backups: Backups<'a>,
    edit: &'a KnownHostsEdit,
    entries: &'a [HostEntry],
}

impl Plan<'_> {
    /// Works out both edits. `earlier` saves the work on a `known_hosts` that is still the same, by its stamp: every
    /// byte of it is compared before it is replaced, and again after.
    fn draft(
        &self,
        known_hosts: &Target,
        config: &Target,
        earlier: Option<Draft>,
    ) -> Result<Draft, SshFilesError> {
        let mut draft = match earlier {
            Some(same)
                if same.known_hosts_stamp.is_some() && same.known_hosts_stamp == known_hosts.stamp() =>
            {
                same
            }
            _ => self.draft_known_hosts(known_hosts)?,
        };
        let before = config.read()?;
        let text = before.as_deref().unwrap_or_default();
        let bytes = config::apply(text, self.entries).map_err(|e| replace::refusal(config, e.into()))?;
        let mut remarks = draft.known_hosts_remarks.clone();
        self.remark_config(config, text, &bytes, &mut remarks);
        let after = self.settled(CONFIG, before.as_deref(), bytes);
        draft.report.config = FileChange { path: config.named.clone(), before, after, backup: None };
        draft.report.remarks = remarks;
        Ok(draft)
    }

    fn draft_known_hosts(&self, target: &Target) -> Result<Draft, SshFilesError> {
        let stamp = target.stamp();
        let before = target.read()?;
        let text = before.as_deref().unwrap_or_default();
        let outcome = known_hosts::apply(text, self.edit).map_err(|e| replace::refusal(target, e.into()))?;
        let after = self.settled(KNOWN_HOSTS, before.as_deref(), outcome.bytes);
        let known_hosts = FileChange { path: target.named.clone(), before, after, backup: None };
        let config = FileChange { path: PathBuf::new(), before: None, after: None, backup: None };
        Ok(Draft {
            report: Report { known_hosts, config, remarks: Vec::new() },
            known_hosts_stamp: stamp,
            known_hosts_remarks: outcome.remarks,
            foreign: outcome.foreign,
        })
    }

    /// An empty file stays away if there was none, and goes if we made it.
    fn settled(&self, file: &str, before: Option<&[u8]>, after: Vec<u8>) -> Option<Vec<u8>> {
        let needless = match before {
            None => true,
            Some(before) => !before.is_empty() && self.backups.was_created(file),
        };
        if after.is_empty() && needless { None } else { Some(after) }
    }

    fn remark_config(&self, target: &Target, before: &[u8], after: &[u8], remarks: &mut Vec<String>) {
        let path = target.named.display();
        if let Ok(found) = std::fs::metadata(&target.path) {
            if os::others_may_write(&found) {
                remarks.push(format!(
                    "Others may write {path}, and newer ssh versions refuse that; run: chmod go-w {path}"
                ));
            }
            if before != after && os::hard_links(&found) > 1 {
                remarks.push(format!("{path} has other hard links, which keep the old content."));
            }
        }
        if before != after && self.hand_edited(before) == Some(true) {
            remarks.push(HAND_EDITED.to_owned());
        }
        if self.entries.is_empty()
            && let Some(line) = config::scope_changed_by_removal(before)
        {
            remarks.push(format!(
                "{path}, line {line}: without Moorline's block this option belongs to the Host or Match section above it; move it to the top if it is meant for every host"
            ));
        }
    }

    /// Whether the block is not the one that we wrote; `None` if we cannot know.
    fn hand_edited(&self, config: &[u8]) -> Option<bool> {
        let block = config::block_of(config).ok().flatten()?;
        self.backups.wrote_block(block).map(|wrote| !wrote)
    }

    fn write_known_hosts(
        &self,
        target: &Target,
        drafted: FileChange,
        foreign: usize,
        alongside: &mut Vec<Unflushed>,
    ) -> Result<FileChange, SshFilesError> {
        // `transform` runs before each `before_write`, and tells it whether text of others goes.
        let foreign = std::cell::Cell::new(foreign);
        let mut drafted_text = Some(drafted.after.unwrap_or_default());
        let mut backup = None;
        let replaced = replace::replace(
            target,
            drafted.before,
            &mut |text| {
                if let Some(text) = drafted_text.take() {
                    return Ok(text);
                }
                let outcome = known_hosts::apply(text, self.edit).map_err(Refusal::from)?;
                foreign.set(outcome.foreign);
                Ok(outcome.bytes)
            },
            &mut |target, before, _| {
                let mut unflushed = std::mem::take(alongside);
                unflushed.extend(self.prepare(
                    KNOWN_HOSTS,
                    target,
                    before,
                    foreign.get() > 0,
                    &mut backup,
                )?);
                Ok(unflushed)
            },
            None,
        )?;
        self.concluded(KNOWN_HOSTS, target, replaced, backup)
    }

    /// Writes the new config beside the old one. What comes back is flushed before [`write_config`](Self::write_config).
    fn stage_config(
        &self,
        target: &Target,
        drafted: &FileChange,
    ) -> Result<(Option<StagedConfig>, Vec<Unflushed>), SshFilesError> {
        let Some(after) = drafted.after.clone() else { return Ok((None, Vec::new())) };
        let mut backup = None;
        let (content, unflushed) =
            replace::stage(target, drafted.before.as_deref(), after, &mut |target, before, after| {
                self.prepare_config(target, before, after, &mut backup)
            })?;
        Ok((Some(StagedConfig { content, backup }), unflushed))
    }

    fn write_config(
        &self,
        target: &Target,
        drafted_from: Option<Vec<u8>>,
        staged: Option<StagedConfig>,
    ) -> Result<FileChange, SshFilesError> {
        let (staged, mut backup) = staged.map_or((None, None), |s| (Some(s.content), s.backup));
        let replaced = replace::replace(
            target,
            drafted_from,
            &mut |text| config::apply(text, self.entries).map_err(Refusal::from),
            &mut |target, before, after| self.prepare_config(target, before, after, &mut backup),
            staged,
        )?;
        self.concluded(CONFIG, target, replaced, backup)
    }

    fn prepare_config(
        &self,
        target: &Target,
        before: Option<&[u8]>,
        after: &[u8],
        backup: &mut Option<PathBuf>,
    ) -> Result<Vec<Unflushed>, SshFilesError> {
        let old = before.unwrap_or_default();
        let has_block = matches!(config::block_of(old), Ok(Some(_)));
        let foreign = has_block && self.hand_edited(old) != Some(false);
        let unflushed = self.prepare(CONFIG, target, before, foreign, backup)?;
        if let Ok(Some(block)) = config::block_of(after) {
            self.backups.note_block(block)?;
        }
        Ok(unflushed)
    }

    /// Keeps the old content where that is due, before the file is touched.
    fn prepare(
        &self,
        file: &str,
        target: &Target,
        before: Option<&[u8]>,
        foreign: bool,
        backup: &mut Option<PathBuf>,
    ) -> Result<Vec<Unflushed>, SshFilesError> {
        let Some(before) = before else { return self.backups.note_created(file).map(|()| Vec::new()) };
        self.backups.drop_shared(file, &target.path);
        let first = !self.backups.any_of(file) && !self.backups.was_created(file);
        if first || foreign {
            let (path, unflushed) = self.backups.keep(file, &target.path, before)?;
            *backup = Some(path);
            return Ok(unflushed);
        }
        Ok(Vec::new())
    }

    fn concluded(
        &self,
        file: &str,
        target: &Target,
        replaced: Replaced,
        backup: Option<PathBuf>,
    ) -> Result<FileChange, SshFilesError> {
        let Replaced { before, mut after } = replaced;
        if after.as_ref().is_some_and(Vec::is_empty)
            && self.backups.was_created(file)
            && replace::remove_if_empty(target)?
        {
            self.backups.forget_created(file);
            after = None;
        }
        Ok(FileChange { path: target.named.clone(), before, after, backup })
    }
}
