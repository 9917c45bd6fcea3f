//! What can happen to the agent.

use moorline_ssh_files::{Alias, Fingerprint, HostKey};

use super::cause::{Loss, Obstacle};
use super::notice::NoticeAction;
use super::vitals::Vitals;
use crate::editors::Editor;
use crate::session::{RemotePath, Session};
use crate::trust::Trust;

/// A message to the agent.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A watcher saw something of a session.
    Saw(Alias, Sight),
    /// The sessions and pins as they are on disk now (at the start, and after somebody wrote them).
    Loaded(Vec<Loaded>),
    /// The files of a session were written, or could not be.
    Settled(Alias, Result<(), String>),
    /// Somebody asks for something: tray, window, CLI or a notification's button.
    Asked(Request),
    /// This computer slept, or its clock was set: whatever was timed before means nothing.
    Woke,
    /// This computer's network changed.
    NetworkChanged,
    /// A second has passed (sent while anything is timed).
    Tick,
}

/// A session with what is pinned for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The session.
    pub session: Session,
    /// Its pinned keys.
    pub pinned: Vec<(HostKey, Trust)>,
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// It dials.
    Dialling,
    /// It is logged in, and the pinned key was proven.
    Online,
    /// The connection ended.
    Lost(Loss),
    /// A dial failed.
    Failed(Obstacle),
    /// The vitals, while online.
    Vitals(Vitals),
}

/// What can be asked of the agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Open a session; `None` takes the editor and folder that were used last.
    Open {
        /// The session.
        name: Alias,
        /// The editor.
        editor: Option<Editor>,
        /// The folder.
        folder: Option<RemotePath>,
    },
    /// Dial now, and mend the files.
    Repair(Alias),
    /// Pin exactly this key, which a person compared.
    Approve(Alias, Fingerprint),
    /// Stop watching for now.
    Pause(Alias),
    /// Watch again.
    Resume(Alias),
    /// Do what a notification's button says.
    Pressed(NoticeAction),
    /// Read the sessions and pins again: somebody else wrote them.
    Reload,
    /// No notifications for this many minutes; 0 ends it.
    Snooze(u16),
}
