//! What the tray writes to its window, one JSON object a line.

use moorline_core::agent::snapshot::Snapshot;
use moorline_core::ssh_files::Alias;
use serde::{Deserialize, Serialize};

/// A line for the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", content = "with", rename_all = "kebab-case")]
pub enum ToWindow {
    /// Everything that is shown, as of now.
    Snapshot(Snapshot),
    /// Come to the front with this view.
    Show(View),
}

/// What the window shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "view", content = "name", rename_all = "kebab-case")]
pub enum View {
    /// All sessions.
    #[default]
    Sessions,
    /// Both keys of a session, side by side.
    Compare(Alias),
    /// What forgetting a session would undo.
    Forget(Alias),
}

impl View {
    /// The compare view of a session if one is named, else the sessions.
    pub fn compare(name: Option<Alias>) -> Self {
        name.map_or(Self::Sessions, Self::Compare)
    }
}

/// Everything the window's page shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shows {
    /// What the agent said last; nothing yet at the start.
    pub snapshot: Option<Snapshot>,
    /// The view.
    pub view: View,
    /// Whether the tray has ended, so that nothing here changes any more.
    pub tray_gone: bool,
}
