//! The view model: what faces show. Nothing of it is secret.

use jiff::Timestamp;
use moorline_model::announcement::RuntimeId;
use moorline_model::editor::Editor;
use moorline_model::health::{Health, Light};
use moorline_model::trust::Trust;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::{Alias, Fingerprint};
use serde::{Deserialize, Serialize};

/// Everything a face shows, as of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Snapshot {
    /// The icon.
    pub light: Light,
    /// The sessions by name.
    pub sessions: Vec<SessionView>,
    /// Whether notifications are off for now, and until when.
    pub snoozed_until: Option<Timestamp>,
    /// Whether Moorline starts at login.
    pub starts_at_login: bool,
}

/// One session as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionView {
    /// Its name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// The link's word.
    pub link: String,
    /// Where it leads.
    pub endpoint: String,
    /// Its health.
    pub health: Health,
    /// Health and cause in a few words, such as `online` or `down: its tunnel is gone`.
    pub state: String,
    /// The last reading, while online.
    pub vitals: Option<Vitals>,
    /// When the runtime will reach its lifetime, if its boot time is known; of a Colab runtime, which tells none, when it
    /// will at the latest.
    pub ends: Option<Timestamp>,
    /// The editor used last; a face offers it first.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub last_editor: Option<Editor>,
    /// Editors that are installed.
    #[cfg_attr(feature = "typescript", ts(type = "Array<string>"))]
    pub editors: Vec<Editor>,
    /// Whether the login key is not installed, but a password is kept.
    pub password_only: bool,
    /// Whether the session knows its notebook's address.
    pub has_notebook: bool,
    /// Another runtime of the person's account that it could follow.
    pub offered: Option<String>,
    /// A runtime that announced itself elsewhere while this one is online; a person may follow it.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub rival: Option<RuntimeId>,
    /// The one action that its health calls for.
    pub action: Option<Action>,
}

/// What a health calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Action {
    /// Dial and mend.
    Repair,
    /// Compare the keys.
    Compare,
    /// Open the notebook.
    OpenNotebook,
}

/// The keys of a session, to be compared by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What is pinned, and how each was learned.
    pub pinned: Vec<(Fingerprint, Trust)>,
    /// The key that answers now and waits for an approval.
    pub seen: Option<Fingerprint>,
}
