//! What the agent believes about a session.

use jiff::Timestamp;
use moorline_ssh_files::Fingerprint;
use serde::{Deserialize, Serialize};

use super::cause::Cause;

/// A session's health. `since` is when it came to be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Health {
    /// Not watched yet, or nothing has been tried since the start.
    Waiting,
    /// The person paused it.
    Paused,
    /// The first connection is being made.
    Connecting,
    /// A connection stands.
    Online {
        /// Since when.
        since: Timestamp,
    },
    /// The connection broke, and the cause is being looked for.
    Suspect {
        /// Since when.
        since: Timestamp,
    },
    /// It is down.
    Down {
        /// Why.
        cause: Cause,
        /// Since when.
        since: Timestamp,
    },
    /// A key answers that nobody vouched for.
    NewHostKey {
        /// The fingerprint of exactly the key that was seen.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        fingerprint: Fingerprint,
        /// Since when.
        since: Timestamp,
    },
    /// The runtime is there and does not know this desktop's key.
    AuthFailed {
        /// Since when.
        since: Timestamp,
    },
}

/// The four states of the tray icon, best first; the icon shows the worst of all sessions that are not paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Light {
    /// Nothing is followed.
    Idle,
    /// All is well.
    Online,
    /// Something is being found out, or a person is needed.
    Attention,
    /// A session is down.
    Offline,
}

impl Health {
    /// The light that this health asks for.
    pub fn light(&self) -> Light {
        match self {
            Self::Waiting | Self::Paused => Light::Idle,
            Self::Online { .. } => Light::Online,
            Self::Connecting | Self::Suspect { .. } | Self::NewHostKey { .. } | Self::AuthFailed { .. } => {
                Light::Attention
            }
            Self::Down { cause: Cause::LocalOffline, .. } => Light::Attention,
            Self::Down { .. } => Light::Offline,
        }
    }
}
