//! The agent's file work: one job after the other, away from the loop, so that no job overtakes an earlier one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moorline_ssh_files::{Alias, HostKey};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::msg::{Loaded, Msg};
use super::run::Messages;
use crate::clock;
use crate::editors::Editor;
use crate::pins::Pins;
use crate::session::{RemotePath, Session};
use crate::sessions_file::{Remembered, SessionsFile};
use crate::settle::{self, Change, SettleError};
use crate::state_lock::StateLock;
use crate::tools::Tools;
use crate::trust::Trust;

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How often the files are looked at: a change by another program is taken up within this.
const LOOK: Duration = Duration::from_secs(2);

/// One piece of file work.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a session's files.
    Settle(Session, Option<(HostKey, Trust)>),
    /// Read the sessions and pins.
    Read,
    /// Remember the editor and folder that were used last.
    LastUsed(Alias, Editor, Option<RemotePath>),
    /// Remember whether a session is paused.
    Paused(Alias, bool),
}

/// Does the jobs until nobody sends more.
pub(super) async fn work(tools: Arc<Tools>, mut jobs: mpsc::UnboundedReceiver<Job>, out: Messages) {
    while let Some(job) = jobs.recv().await {
        let (tools, runtime) = (Arc::clone(&tools), Handle::current());
        let done = tokio::task::spawn_blocking(move || runtime.block_on(job.carry_out(&tools))).await;
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

impl Job {
    async fn carry_out(self, tools: &Tools) -> Vec<Msg> {
        match self {
            Self::Settle(session, key) => settle(tools, session, key).await,
            Self::Read => read(tools),
            Self::LastUsed(name, editor, folder) => {
                remember(tools, &name, |remembered| {
                    remembered.last_editor = Some(editor);
                    remembered.last_folder = folder;
                });
                Vec::new()
            }
            Self::Paused(name, paused) => {
                remember(tools, &name, |remembered| remembered.paused = paused);
                Vec::new()
            }
        }
    }
}

async fn settle(tools: &Tools, session: Session, key: Option<(HostKey, Trust)>) -> Vec<Msg> {
    let name = session.name.clone();
    let session = match key {
        Some(_) => Some(session),
        // Mending takes the session as it is on disk by now.
        None => SessionsFile::load(&tools.dirs.sessions_file())
            .map_or(Some(session), |file| file.get(&name).cloned()),
    };
    let Some(session) = session else { return read(tools) };
    let keys = key.into_iter().collect();
    let change = Change { was: Some(session.clone()), keys, ..Change::of(session, clock::now()) };
    match settle::settle(tools, &change).await {
        Ok(_) => vec![Msg::Settled(name, Ok(()))],
        Err(error) => {
            let overtaken = matches!(error, SettleError::Overtaken(_));
            let mut outcomes = vec![Msg::Settled(name, Err(error.to_string()))];
            if overtaken {
                outcomes.extend(read(tools));
            }
            outcomes
        }
    }
}

fn read(tools: &Tools) -> Vec<Msg> {
    // Between another writer's two files lies a moment in which they do not belong together. Whoever cannot lock
    // cannot write either, and may read.
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT);
    let sessions = match SessionsFile::load(&tools.dirs.sessions_file()) {
        Ok(sessions) => sessions,
        Err(error) => return vec![Msg::Unreadable(error.to_string())],
    };
    let pins = match Pins::load(&tools.dirs.pins_file()) {
        Ok(pins) => pins,
        Err(error) => return vec![Msg::Unreadable(error.to_string())],
    };
    let loaded = sessions.sessions().values().map(|session| {
        let keys = pins.get(&session.name).map(|pins| pins.keys.as_slice()).unwrap_or_default();
        let pinned = keys.iter().map(|pinned| (pinned.key.clone(), pinned.trust)).collect();
        Loaded { remembered: sessions.remembered(&session.name), ..Loaded::new(session.clone(), pinned) }
    });
    vec![Msg::Configured(sessions.settings().clone()), Msg::Loaded(loaded.collect())]
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
