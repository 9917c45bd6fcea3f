//! Settling a session: writing down where its runtime is and which key it may show, everywhere it must stand.
//!
//! The order makes a crash harmless: the whole outcome is computed and checked first, then a password that the session
//! takes along is kept for the new key, then the session's pins and the session itself are saved, then `known_hosts`, then
//! `config`, and the old password goes last. Each step is atomic, and the next run repeats what is missing.

use std::time::Duration;

use jiff::Timestamp;
use moorline_model::announcement::Accepted;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, HostEntry, InvalidName, KnownHostsEdit, Report, known_hosts};

pub use crate::repoint::change::{SettleError, ssh_dir};

use crate::repoint::change::{Change, LOCK_WAIT};
use crate::repoint::{plan, unchecked_entries};
use crate::ssh::context::Tools;
use crate::ssh::kept_secrets::Rebinding;
use crate::store::config_toml::SessionsFile;
use crate::store::installed_programs::{self, ProxyProgramError};
use crate::store::pins_json::{self, Pins, SessionPins, WrittenName};
use crate::store::state_lock::StateLock;

/// `ssh -G` answers at once; a canonical name in the person's config may make it ask a name server.
const VERIFY_LIMIT: Duration = Duration::from_secs(10);

/// What `change` would do to the ssh files. Nothing is written.
///
/// # Errors
/// Whatever [`settle`] would fail with before it writes.
pub async fn preview(tools: &Tools, change: &Change) -> Result<Report, SettleError> {
    let plan = Plan::make(tools, change)?;
    let report = ssh_dir(tools).preview(&plan.edit, &plan.entries)?;
    verify(tools, &plan, &change.session.name, &report).await?;
    Ok(report)
}

/// Writes `change`: session, pins, `known_hosts`, `config`. Idempotent: a second run writes nothing.
///
/// # Errors
/// Every refusal comes before the first write. If the ssh files then cannot be written, the session and its pins are
/// put back.
pub async fn settle(tools: &Tools, change: &Change) -> Result<Report, SettleError> {
    // A keyring that is locked asks its person before others have to wait.
    let password = password_taken_along(tools, change)?;
    let lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    settle_under(&lock, tools, change, password).await
}

/// The password that follows the session to the machine with its new key.
fn password_taken_along(tools: &Tools, change: &Change) -> Result<Option<Rebinding>, SettleError> {
    let Some(was) = change.was.as_ref().filter(|_| !change.keys.is_empty()) else { return Ok(None) };
    let pinned = Pins::load(&tools.dirs.pins_file())?.keys_of(&was.name);
    Ok(Rebinding::of(&*tools.vault, was, &change.session, &pinned, &change.keys))
}

/// As [`settle`], for who holds the lock already.
pub(super) async fn settle_under(
    _: &StateLock,
    tools: &Tools,
    change: &Change,
    password: Option<Rebinding>,
) -> Result<Report, SettleError> {
    let mut plan = Plan::make(tools, change)?;
    let dir = ssh_dir(tools);
    let foreseen = dir.preview(&plan.edit, &plan.entries)?;
    verify(tools, &plan, &change.session.name, &foreseen).await?;
    install_programs(tools, &plan.sessions, &plan.pins)?;
    let name = &change.session.name;
    if let Some(password) = &password {
        password.begin(&*tools.vault, name);
    }
    // The pins first: a run that is killed in between leaves the session where it was, and pasting again does all of
    // it once more, as a move.
    plan.pins.save()?;
    plan.sessions.save()?;
    let report = match dir.write(&plan.edit, &plan.entries) {
        Ok(report) => report,
        Err(error) => {
            // The ssh files say what they said, so the session and its pins must, too.
            plan.take_back(change)?;
            return Err(error.into());
        }
    };
    // What was taken out of known_hosts need not be remembered any longer.
    plan.pins.entry(name).written = plan.written;
    plan.pins.save()?;
    if let Some(password) = &password {
        password.end(&*tools.vault, name);
    }
    Ok(with_remark(report, plan.remark))
}

/// Makes the ssh files say again what the sessions and pins say, for one session.
///
/// # Errors
/// As [`settle`].
pub async fn heal(tools: &Tools, session: &Session, now: Timestamp) -> Result<Report, SettleError> {
    let change = Change { was: Some(session.clone()), ..Change::of(session.clone(), now) };
    settle(tools, &change).await
}

/// Takes a session out of everything: the ssh files, then the pins and the sessions file. An entry of the person's own
/// that was commented out for it comes back.
///
/// # Errors
/// The ssh files cannot be edited; then the session is still there in full.
pub fn forget(tools: &Tools, name: &Alias) -> Result<Report, SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let mut sessions = SessionsFile::load(&tools.dirs.sessions_file())?;
    let mut pins = Pins::load(&tools.dirs.pins_file())?;
    let remark = pins.remark().map(str::to_owned);
    let edit = plan::forget_edit(name, pins.get(name).unwrap_or(&SessionPins::default()));
    sessions.remove(name);
    let entries = entries(tools, &sessions, &pins)?;
    install_programs(tools, &sessions, &pins)?;
    let report = ssh_dir(tools).write(&edit, &entries)?;
    let report = unchecked_entries::with_own_entry_back(report, &ssh_dir(tools), name)?;
    pins.remove(name);
    pins.save()?;
    sessions.save()?;
    Ok(with_remark(report, remark))
}

/// Keeps what was accepted last of a session's announcements, unless another process has kept a newer one meanwhile.
///
/// # Errors
/// The pins cannot be written.
pub fn keep_accepted(tools: &Tools, name: &Alias, accepted: Accepted) -> Result<(), SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    if SessionsFile::load(&tools.dirs.sessions_file())?.get(name).is_none() {
        return Ok(());
    }
    let mut pins = Pins::load(&tools.dirs.pins_file())?;
    let pin = pins.entry(name);
    if pin.outdates(&accepted) {
        return Ok(());
    }
    pin.accepted = Some(accepted);
    pins.save()?;
    Ok(())
}

/// Keeps what was heard last of a session's runtimes that are not followed.
///
/// # Errors
/// The pins cannot be written.
pub fn keep_heard(tools: &Tools, name: &Alias, heard: Vec<Accepted>) -> Result<(), SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    if SessionsFile::load(&tools.dirs.sessions_file())?.get(name).is_none() {
        return Ok(());
    }
    let mut pins = Pins::load(&tools.dirs.pins_file())?;
    pins.entry(name).heard = heard;
    pins.save()?;
    Ok(())
}

/// Remembers whether there may be a service token for a session in the vault.
///
/// # Errors
/// The pins cannot be read or written, or another process holds the state lock for too long.
pub fn note_service_token(tools: &Tools, name: &Alias, kept: bool) -> Result<(), SettleError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let mut pins = Pins::load(&tools.dirs.pins_file())?;
    if !kept && pins.get(name).is_none() {
        return Ok(());
    }
    pins.entry(name).service_token_kept = kept;
    pins.save()?;
    Ok(())
}

struct Plan {
    sessions: SessionsFile,
    pins: Pins,
    /// What was pinned before.
    pin_was: Option<SessionPins>,
    /// What `written` is to be once the files are in place.
    written: Vec<WrittenName>,
    edit: KnownHostsEdit,
    entries: Vec<HostEntry>,
    remark: Option<String>,
}

impl Plan {
    fn make(tools: &Tools, change: &Change) -> Result<Self, SettleError> {
        let name = &change.session.name;
        let mut sessions = SessionsFile::load(&tools.dirs.sessions_file())?;
        if sessions.get(name) != change.was.as_ref() {
            return Err(SettleError::Overtaken(name.clone()));
        }
        sessions.upsert(change.session.clone());
        let mut pins = Pins::load(&tools.dirs.pins_file())?;
        let remark = pins.remark().map(str::to_owned);
        let pin_was = pins.get(name).cloned();
        // It was judged by what was there before the lock was had.
        if pin_was
            .as_ref()
            .zip(change.accepted.as_ref())
            .is_some_and(|(pin, accepted)| pin.outdates(accepted))
        {
            return Err(SettleError::Overtaken(name.clone()));
        }
        let pin = pins.entry(name);
        record(pin, change);
        let edit = plan::known_hosts_edit(&change.session, pin);
        let kept = |written: &&WrittenName| {
            !pin.derived() && change.session.link.dialled() == Some(&written.place) && pin.holds(&written.key)
        };
        let written = pin.written.iter().filter(kept).cloned().collect();
        let entries = entries(tools, &sessions, &pins)?;
        Ok(Self { sessions, pins, pin_was, written, edit, entries, remark })
    }

    fn take_back(&mut self, change: &Change) -> Result<(), SettleError> {
        let name = &change.session.name;
        match &change.was {
            Some(was) => self.sessions.upsert(was.clone()),
            None => drop(self.sessions.remove(name)),
        }
        match &self.pin_was {
            Some(was) => self.pins.entry(name).clone_from(was),
            None => drop(self.pins.remove(name)),
        }
        self.pins.save()?;
        self.sessions.save()?;
        Ok(())
    }
}

fn record(pin: &mut SessionPins, change: &Change) {
    if !change.keys.is_empty() {
        pin.pin_only(change.keys.iter().cloned(), change.now);
        pin.expected.clear();
        let derived = pin.derived();
        let places = change.session.link.dialled().into_iter().filter(|_| !derived);
        for (place, (key, _)) in places.flat_map(|place| change.keys.iter().map(move |key| (place, key))) {
            let name = WrittenName { place: place.clone(), key: key.clone() };
            if !pin.written.contains(&name) {
                pin.written.push(name);
            }
        }
    }
    let moved = change.was.as_ref().is_some_and(|was| was.link != change.session.link);
    if !change.expected.is_empty() || moved {
        // What was expected at another address says nothing about this one.
        pin.expected.clone_from(&change.expected);
    }
    if change.accepted.is_some() {
        pin.accepted.clone_from(&change.accepted);
    }
}

fn entries(tools: &Tools, sessions: &SessionsFile, pins: &Pins) -> Result<Vec<HostEntry>, SettleError> {
    let all = sessions.sessions();
    for session in all.values() {
        if let Link::Relay(link) = &session.link
            && all.keys().any(|name| name.as_str() == link.relay.host.as_str())
        {
            let (name, relay) = (session.name.clone(), link.relay.clone());
            return Err(SettleError::RelayIsSession { name, relay });
        }
    }
    let none = SessionPins::default();
    let entries = all.values().map(|session| {
        plan::host_entry(session, pins.get(&session.name).unwrap_or(&none), &tools.dirs, &tools.ssh)
    });
    Ok(entries.collect::<Result<_, InvalidName>>()?)
}

/// All entries are written whenever one is, so any of them may name the programs for the first time.
fn install_programs(tools: &Tools, sessions: &SessionsFile, pins: &Pins) -> Result<(), ProxyProgramError> {
    let none = SessionPins::default();
    let needed = sessions
        .sessions()
        .values()
        .any(|session| pins_json::runs_our_proxy(session, pins.get(&session.name).unwrap_or(&none)));
    if needed { installed_programs::install(&tools.dirs) } else { Ok(()) }
}

/// What would make ssh refuse the session, found before anything is written.
async fn verify(tools: &Tools, plan: &Plan, name: &Alias, report: &Report) -> Result<(), SettleError> {
    refuse_revoked(plan, name, report)?;
    let Some(entry) = plan.entries.iter().find(|entry| entry.alias == *name) else { return Ok(()) };
    let config = report.config.after().unwrap_or_default();
    Ok(tools.ssh.check_entry(entry, &plan.edit.pin_keys, &report.config.path, config, VERIFY_LIMIT).await?)
}

fn refuse_revoked(plan: &Plan, name: &Alias, report: &Report) -> Result<(), SettleError> {
    let file = &report.known_hosts;
    let before = file.before.as_deref().unwrap_or_default();
    for key in &plan.edit.pin_keys {
        if let Some(line) = known_hosts::is_revoked(before, &plan.edit.pin_names, key) {
            return Err(SettleError::Revoked {
                name: name.clone(),
                print: key.fingerprint(),
                kind: key.algorithm().as_str(),
                file: file.path.display().to_string(),
                line,
            });
        }
    }
    Ok(())
}

fn with_remark(mut report: Report, remark: Option<String>) -> Report {
    report.remarks.extend(remark);
    report
}
