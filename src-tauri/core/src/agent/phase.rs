//! The phases of a session, each with what is known in it alone.
//!
//! What a phase does not have cannot be known of it: vitals are of what is online, a drop waits to be told while it
//! lasts, and only a key that is being written can be pinned. The ways from one to another are in
//! [`course`](super::course).

use jiff::Timestamp;
use moorline_model::cause::Cause;
use moorline_model::health::Health;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::HostKey;

/// One phase, with what is known in it alone. `since` is when it came to be so, or when the outage began.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Nothing was tried since the start, or its cell has never run.
    Waiting {
        /// What the last dial found in place of a runtime.
        found: Option<Cause>,
    },
    /// The person paused it.
    Paused,
    /// The first connection is being made.
    Connecting,
    /// A connection stands.
    Online {
        since: Timestamp,
        /// The last reading.
        vitals: Option<Vitals>,
    },
    /// It is not there, and why is being found out; or it is on its way back.
    Suspect {
        since: Timestamp,
        /// A drop that was found before is told at this moment if it is found again by then.
        tell_at: Option<Timestamp>,
        /// A vouched key that is being written.
        pinning: Option<HostKey>,
    },
    /// It dropped, and nothing of it answers.
    Down {
        since: Timestamp,
        cause: Cause,
        /// A drop that is told when this moment comes, unless the session is back by then.
        tell_at: Option<Timestamp>,
    },
    /// A key answers that nobody vouched for.
    NewHostKey { since: Timestamp, key: HostKey, question: KeyQuestion },
    /// The runtime is there and refuses the login.
    AuthFailed { since: Timestamp },
}

/// The state of a question about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyQuestion {
    /// It waits for a person.
    Waits,
    /// A person approved it; the runtime is asked once more whether that is what it shows.
    Approved,
    /// It is what the runtime showed again, and is being written.
    Writing,
    /// It is settled, or the session leads elsewhere by now; what answers next decides.
    Over,
}

impl Phase {
    /// What faces are shown of it.
    pub(super) fn health(&self) -> Health {
        match self {
            Self::Waiting { .. } => Health::Waiting,
            Self::Paused => Health::Paused,
            Self::Connecting => Health::Connecting,
            Self::Online { since, .. } => Health::Online { since: *since },
            Self::Suspect { since, .. } => Health::Suspect { since: *since },
            Self::Down { since, cause, .. } => Health::Down { cause: cause.clone(), since: *since },
            Self::NewHostKey { since, key, .. } => {
                Health::NewHostKey { fingerprint: key.fingerprint(), since: *since }
            }
            Self::AuthFailed { since } => Health::AuthFailed { since: *since },
        }
    }

    /// When its outage began: not when more was learned about it.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Suspect { since, .. }
            | Self::Down { since, .. }
            | Self::NewHostKey { since, .. }
            | Self::AuthFailed { since } => *since,
            Self::Waiting { .. } | Self::Paused | Self::Connecting | Self::Online { .. } => now,
        }
    }

    /// The last reading of what is online.
    pub(super) fn vitals(&self) -> Option<&Vitals> {
        match self {
            Self::Online { vitals, .. } => vitals.as_ref(),
            _ => None,
        }
    }

    /// When its drop is to be told.
    pub(super) fn tell_at(&self) -> Option<Timestamp> {
        match self {
            Self::Suspect { tell_at, .. } | Self::Down { tell_at, .. } => *tell_at,
            _ => None,
        }
    }

    /// The key that people are shown to compare.
    pub(super) fn key_to_compare(&self) -> Option<&HostKey> {
        match self {
            Self::NewHostKey { key, question, .. } if *question != KeyQuestion::Over => Some(key),
            _ => None,
        }
    }

    /// The key that is being written, to be pinned then.
    pub(super) fn pinning(&self) -> Option<&HostKey> {
        match self {
            Self::Suspect { pinning, .. } => pinning.as_ref(),
            Self::NewHostKey { key, question: KeyQuestion::Writing, .. } => Some(key),
            _ => None,
        }
    }

    /// A key that was seen and is not pinned yet.
    pub(super) fn key_in_question(&self) -> Option<&HostKey> {
        self.key_to_compare().or_else(|| self.pinning())
    }

    /// The key that a person approved, and that the runtime is asked for once more.
    pub(super) fn approved(&self) -> Option<&HostKey> {
        match self {
            Self::NewHostKey { key, question: KeyQuestion::Approved, .. } => Some(key),
            _ => None,
        }
    }

    /// Whether nothing is left of the runtime that was followed: this computer's own network, and what stands in
    /// between, say nothing about it. A runtime that has proven its key and refuses the login is there.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Self::Down { cause, .. } | Self::Waiting { found: Some(cause) } => {
                !matches!(cause, Cause::LocalOffline | Cause::Way { .. })
            }
            Self::NewHostKey { .. } => true,
            _ => false,
        }
    }
}
