//! What a person is told on the desktop.

use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use crate::announcement::RuntimeId;
use crate::google::EndpointId;

/// The kinds, each with its own switch in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A session dropped.
    Dropped,
    /// It is back, on the same machine or on a new one.
    Back,
    /// A key nobody vouched for, or a login that is refused: a person is needed.
    Needed,
    /// Little time is left of the runtime's lifetime.
    Lifetime,
    /// The disk is nearly full.
    Disk,
    /// A Colab runtime does nothing, and may be ended for it.
    Idle,
    /// Few of the account's compute units are left.
    Units,
}

impl NoticeKind {
    /// Its word in the settings and in events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Back => "back",
            Self::Needed => "needed",
            Self::Lifetime => "lifetime",
            Self::Disk => "disk",
            Self::Idle => "idle",
            Self::Units => "units",
        }
    }
}

/// A notification. It replaces the one before it with the same `slot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which notification it replaces: the session's name, or `all` for several with one cause.
    pub slot: String,
    /// Its kind.
    pub kind: NoticeKind,
    /// The sessions it speaks of.
    pub sessions: Vec<Alias>,
    /// The headline.
    pub title: String,
    /// One or two sentences: cause first, one next step.
    pub body: String,
    /// Buttons, main action first; a click on the notification itself does the main action.
    pub actions: Vec<NoticeAction>,
}

/// A button. None of them approves a key: that is done where both fingerprints are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeAction {
    /// Open the session in the editor that was used last.
    OpenEditor(Alias),
    /// Open the session's notebook in the browser.
    OpenNotebook(Alias),
    /// Show both keys.
    Compare(Alias),
    /// Reach and mend now.
    Repair(Alias),
    /// Follow this runtime instead of the one that is online.
    TakeOver(Alias, RuntimeId),
    /// Follow this runtime of the account from now on.
    Follow(Alias, EndpointId),
    /// Show the window.
    ShowWindow,
}
