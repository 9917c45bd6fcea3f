//! The agent's file work: one job after the other, away from the loop, so that no job overtakes an earlier one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use jiff::Timestamp;
use moorline_model::clock;
use moorline_model::remembered::Remembered;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, HostKey};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::effect::{Adoption, FileJob};
use super::message::{Loaded, Msg};
use super::run::Messages;
use crate::repoint::change::{Change, SettleError};
use crate::repoint::write;
use crate::ssh::context::Tools;
use crate::store::config_toml::{SessionsFile, SessionsFileError};
use crate::store::pins_json::{PinnedKey, Pins};
use crate::store::session_keys;
use crate::store::state_lock::StateLock;
use crate::store::told_json;

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How often the files are looked at: a change by another program is taken up within this.
const LOOK: Duration = Duration::from_secs(2);

/// A person's editor empties `config.toml` before it fills it again. A file that is younger than this may be on its
/// way, and is looked at once more before its sessions are believed to be gone.
const HALF_WRITTEN: Duration = Duration::from_millis(500);

/// How often a file that may be half written is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How often mending starts anew when somebody wrote `config.toml` meanwhile.
const MENDINGS: usize = 5;

/// Does the jobs until nobody sends more.
pub(super) async fn work(tools: Arc<Tools>, mut jobs: mpsc::UnboundedReceiver<FileJob>, out: Messages) {
    while let Some(job) = jobs.recv().await {
        let (tools, runtime) = (Arc::clone(&tools), Handle::current());
        let done = tokio::task::spawn_blocking(move || runtime.block_on(carry_out(job, &tools))).await;
        match done {
            Ok(outcomes) => {
                for msg in outcomes {
                    // The agent may be ending; the file work is done all the same.
                    out.send(msg).await;
                }
            }
            Err(error) => tracing::error!(%error, "file work broke off"),
        }
    }
}

/// Tells the agent to read the files again whenever another program, or this one, changed them.
pub(super) async fn look(tools: Arc<Tools>, out: Messages) {
    let mut known = None;
    loop {
        let tools = Arc::clone(&tools);
        let Ok(now) = tokio::task::spawn_blocking(move || Looks::of(&tools)).await else { return };
        // The first look counts as a change, too: what was written between the agent's first reading and this look
        // would never be seen.
        let changed = known.replace(now) != Some(now);
        if changed && !out.send(Msg::FilesChanged).await {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What tells that the sessions or pins were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looks([Option<(SystemTime, u64)>; 2]);

impl Looks {
    fn of(tools: &Tools) -> Self {
        Self([look_at(&tools.dirs.sessions_file()), look_at(&tools.dirs.pins_file())])
    }
}

fn look_at(path: &Path) -> Option<(SystemTime, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

async fn carry_out(job: FileJob, tools: &Tools) -> Vec<Msg> {
    match job {
        FileJob::Settle { session, key: None } => mend(tools, session).await,
        FileJob::Settle { session, key: Some(key) } => replace(tools, session.clone(), session, key).await,
        FileJob::Move { was, session, key } => replace(tools, was, session, key).await,
        FileJob::Adopt(adoption) => adopt(tools, adoption).await,
        FileJob::Reload => read(tools),
        FileJob::RememberAccepted(name, accepted) => {
            if let Err(error) = write::keep_accepted(tools, &name, accepted) {
                tracing::warn!(session = %name, %error, "what was accepted last is not remembered");
            }
            Vec::new()
        }
        FileJob::RememberHeard(name, heard) => {
            if let Err(error) = write::keep_heard(tools, &name, heard) {
                tracing::warn!(session = %name, %error, "what was heard of other runtimes is not remembered");
            }
            Vec::new()
        }
        FileJob::RememberTold(name, recalled) => {
            if let Err(error) = told_json::keep(&tools.dirs.told_file(), &name, recalled) {
                tracing::warn!(session = %name, %error, "what was told is not kept over a restart");
            }
            Vec::new()
        }
        FileJob::RememberUsed { name, editor, folder } => {
            remember(tools, &name, |remembered| {
                remembered.last_editor = Some(editor);
                remembered.last_folder = folder;
            });
            Vec::new()
        }
        FileJob::RememberPause(name, paused) => {
            match try_remember(tools, &name, |remembered| remembered.paused = paused) {
                Ok(()) => Vec::new(),
                Err(error) => vec![Msg::NotKept(name, error)],
            }
        }
    }
}

async fn replace(tools: &Tools, was: Session, session: Session, key: (HostKey, Trust)) -> Vec<Msg> {
    let change = Change { was: Some(was), keys: vec![key], ..Change::of(session.clone(), clock::now()) };
    match write::settle(tools, &change).await {
        Ok(_) => vec![Msg::Settled(session.name, Ok(()))],
        Err(error) => {
            let overtaken = matches!(error, SettleError::Overtaken(_));
            let mut outcomes = vec![Msg::Settled(session.name, Err(error.to_string()))];
            if overtaken {
                outcomes.extend(read(tools));
            }
            outcomes
        }
    }
}

/// Mending takes the session as it is on disk by now. Nobody was asked anything, so a session that was written
/// meanwhile is no reason to stop: its newer state is mended.
async fn mend(tools: &Tools, session: Session) -> Vec<Msg> {
    let name = session.name;
    for _ in 0..MENDINGS {
        let session = match sessions(tools) {
            Ok(file) => match file.get(&name) {
                Some(session) => session.clone(),
                None => return read(tools),
            },
            Err(error) => return vec![Msg::Unmended(name, error.to_string())],
        };
        match write::heal(tools, &session, clock::now()).await {
            Err(SettleError::Overtaken(_)) => {}
            Err(error @ (SettleError::Sessions(_) | SettleError::Pins(_))) => {
                return vec![Msg::Unmended(name, error.to_string())];
            }
            outcome => {
                return vec![Msg::Settled(name, outcome.map(drop).map_err(|error| error.to_string()))];
            }
        }
    }
    let error = SettleError::Overtaken(name.clone());
    [vec![Msg::Settled(name, Err(error.to_string()))], read(tools)].concat()
}

/// A runtime's own word leads to the session as it is on disk by now, of which it changes the way and the login alone.
async fn adopt(tools: &Tools, adoption: Adoption) -> Vec<Msg> {
    let Adoption { name, link, user, keys, accepted } = adoption;
    // It may have been heard, or have waited, under a session key that was made anew meanwhile. A keyring that is
    // locked by now says nothing about that.
    if let Ok(key) = session_keys::load(&*tools.vault, &name)
        && key.is_none_or(|key| key.id() != accepted.kid)
    {
        let sentence = format!(
            "{name}: the notebook secret was changed, so an announcement under the one before is not followed"
        );
        return vec![Msg::Adopted(name, Err(sentence))];
    }
    for _ in 0..MENDINGS {
        let was = match sessions(tools) {
            Ok(file) => match file.get(&name) {
                Some(session) => session.clone(),
                None => return read(tools),
            },
            Err(error) => return vec![Msg::Adopted(name, Err(error.to_string()))],
        };
        let session = Session { link: link.clone(), user: user.clone(), ..was.clone() };
        let change = Change {
            was: Some(was),
            keys: keys.clone(),
            accepted: Some(accepted.clone()),
            ..Change::of(session, clock::now())
        };
        match write::settle(tools, &change).await {
            Err(SettleError::Overtaken(_)) => {}
            outcome => return vec![Msg::Adopted(name, outcome.map(drop).map_err(|error| error.to_string()))],
        }
    }
    let error = SettleError::Overtaken(name.clone());
    [vec![Msg::Adopted(name, Err(error.to_string()))], read(tools)].concat()
}

/// The sessions, once nobody seems to be in the middle of writing them.
fn sessions(tools: &Tools) -> Result<SessionsFile, SessionsFileError> {
    let path = tools.dirs.sessions_file();
    loop {
        let loaded = SessionsFile::load(&path);
        let whole = loaded.as_ref().is_ok_and(|file| !file.sessions().is_empty());
        if whole || !young(&path) {
            return loaded;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

fn young(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|found| found.modified()).ok();
    // A date in the future belongs to a clock that was set back.
    let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
    age.is_some_and(|age| age < HALF_WRITTEN)
}

fn read(tools: &Tools) -> Vec<Msg> {
    // Between another writer's two files lies a moment in which they do not belong together. Whoever cannot lock
    // cannot write either, and may read.
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT);
    let sessions = match sessions(tools) {
        Ok(sessions) => sessions,
        Err(error) => return vec![Msg::Unreadable(error.to_string())],
    };
    let pins = match Pins::load(&tools.dirs.pins_file()) {
        Ok(pins) => pins,
        Err(error) => return vec![Msg::Unreadable(error.to_string())],
    };
    let mut known = told_json::load(&tools.dirs.told_file());
    let loaded = sessions.sessions().values().map(|session| {
        let pins = pins.get(&session.name);
        let keys = pins.map(|pins| pins.keys.as_slice()).unwrap_or_default();
        let pinned = keys.iter().map(|pinned| (pinned.key.clone(), pinned.trust)).collect();
        Loaded {
            remembered: sessions.remembered(&session.name),
            recalled: known.remove(&session.name).unwrap_or_default(),
            channels: sessions.channels(&session.name),
            accepted: pins.and_then(|pins| pins.accepted.clone()),
            heard: pins.map(|pins| pins.heard.clone()).unwrap_or_default(),
            first_seen: first_seen(session, keys),
            ..Loaded::new(session.clone(), pinned)
        }
    });
    vec![Msg::Configured(sessions.settings().clone()), Msg::Loaded(loaded.collect())]
}

/// A Colab runtime's key is its own, and pinned when the runtime is first seen.
fn first_seen(session: &Session, keys: &[PinnedKey]) -> Option<Timestamp> {
    let through_google = |pinned: &&PinnedKey| pinned.trust == Trust::Channel;
    let seen = || keys.iter().filter(through_google).map(|pinned| pinned.learned).max();
    matches!(session.link, Link::Colab(_)).then(seen).flatten()
}

/// What is remembered is a comfort: when it cannot be written, the log says so and nothing else is lost.
fn remember(tools: &Tools, name: &Alias, change: impl FnOnce(&mut Remembered)) {
    if let Err(error) = try_remember(tools, name, change) {
        tracing::warn!(session = %name, error, "what was used last is not remembered");
    }
}

fn try_remember(tools: &Tools, name: &Alias, change: impl FnOnce(&mut Remembered)) -> Result<(), String> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT).map_err(|error| error.to_string())?;
    let path = tools.dirs.sessions_file();
    let mut file = SessionsFile::load(&path).map_err(|error| error.to_string())?;
    let mut remembered = file.remembered(name);
    change(&mut remembered);
    file.remember(name, remembered);
    file.save().map(drop).map_err(|error| error.to_string())
}
