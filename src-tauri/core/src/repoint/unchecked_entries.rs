//! Entries of the person's own that lead to a runtime and switch host key checking off.
//!
//! They are commented out when the person agrees that a session takes their place, and come back when it is forgotten.
//! Only `~/.ssh/config` is edited; entries in files that it includes are named.

use std::path::{Path, PathBuf};

use moorline_ssh_files::{Alias, FileChange, LooseEntry, Report, SshDir, SshFilesError, config};

use crate::repoint::change::{LOCK_WAIT, SettleError, ssh_dir};
use crate::repoint::name_taken::config_files;
use crate::ssh::context::Tools;
use crate::store::read_file;
use crate::store::state_lock::StateLock;

/// Such an entry, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub file: PathBuf,
    /// The entry.
    pub entry: LooseEntry,
    /// Whether [`comment_out`] can edit it: it stands in `~/.ssh/config` itself.
    pub editable: bool,
}

/// All such entries in the config and the files that it includes.
pub fn find(ssh_dir: &Path, home: &Path) -> Vec<Found> {
    let main = ssh_dir.join("config");
    let in_file = |(file, text): (PathBuf, Vec<u8>)| {
        let editable = file == main;
        let found = config::loose_entries(&text).into_iter();
        found.map(move |entry| Found { file: file.clone(), entry, editable })
    };
    config_files(ssh_dir, home).flat_map(in_file).collect()
}

/// The lines of the loose entry that `alias` has in `~/.ssh/config`, as the person wrote them.
pub fn text_of(ssh_dir: &Path, home: &Path, alias: &Alias) -> Option<String> {
    let found =
        find(ssh_dir, home).into_iter().find(|found| found.editable && found.entry.alias == *alias)?;
    let text = read_file::read(&found.file).ok().flatten()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (before, last) = (found.entry.line.saturating_sub(1), found.entry.last_line);
    Some(text.split_inclusive('\n').take(last).skip(before).collect())
}

/// What [`comment_out`] would do. Nothing is written.
///
/// # Errors
/// What [`comment_out`] would fail with, as far as reading tells.
pub fn preview(tools: &Tools, alias: &Alias) -> Result<FileChange, SettleError> {
    Ok(ssh_dir(tools).preview_comment_out(alias)?)
}

/// Comments out the loose entries that `alias` has in `~/.ssh/config`. [`bring_back`] is its undo.
///
/// # Errors
/// Another process holds the state lock for too long, or the file cannot be edited.
pub fn comment_out(tools: &Tools, alias: &Alias) -> Result<FileChange, SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    Ok(ssh_dir(tools).comment_out(alias)?)
}

/// Brings back what was commented out for `alias`.
///
/// # Errors
/// As [`comment_out`].
pub fn bring_back(tools: &Tools, alias: &Alias) -> Result<FileChange, SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    Ok(ssh_dir(tools).bring_back(alias)?)
}

/// Brings back whatever is commented out, also where no session has the name any more. Gives the names.
///
/// # Errors
/// As [`comment_out`].
pub fn bring_all_back(tools: &Tools) -> Result<Vec<Alias>, SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let dir = ssh_dir(tools);
    let text = read_file::read(&dir.config_path()).ok().flatten().unwrap_or_default();
    let names = config::commented_out(&text);
    names.iter().try_for_each(|name| dir.bring_back(name).map(drop))?;
    Ok(names)
}

/// Brings back what was commented out for a session that goes, and says so in the report. The caller holds the lock.
pub(crate) fn with_own_entry_back(
    report: Report,
    dir: &SshDir,
    name: &Alias,
) -> Result<Report, SshFilesError> {
    let back = dir.bring_back(name)?;
    let Report { known_hosts, config, mut remarks } = report;
    if back.changed() {
        remarks.push(brought_back(name));
    }
    Ok(Report { known_hosts, config: config.then(back), remarks })
}

/// That an entry is back, in one sentence.
pub fn brought_back(name: &Alias) -> String {
    format!(
        "Your own entry `Host {name}`, which was commented out, is back in the ssh config; it switches host key checking off."
    )
}

#[cfg(test)]
mod tests;
