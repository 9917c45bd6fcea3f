//! What a person may set.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

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

/// What a person may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a runtime may live.
    pub lifetime: SignedDuration,
    /// A disk that is fuller than this, in percent, is warned of.
    pub disk_percent: u8,
    /// Kinds of notification that are switched off.
    pub silent: Vec<NoticeKind>,
    /// A terminal attaches to `tmux new -A -s main` on the runtime.
    pub terminal_in_tmux: bool,
    /// A Colab runtime that did nothing for so long is warned of; zero for never.
    pub idle: SignedDuration,
    /// Compute units for less than this are warned of; zero for never.
    pub units: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        let lifetime = SignedDuration::from_hours(12);
        let (idle, units) = (SignedDuration::from_mins(15), SignedDuration::from_hours(2));
        Self { lifetime, disk_percent: 90, silent: Vec::new(), terminal_in_tmux: false, idle, units }
    }
}
