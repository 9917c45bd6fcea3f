//! What is to be changed in known_hosts, and what came of it.

use crate::host_key::HostKey;
use crate::names::{Alias, HostName, Port};

/// A host and port, as `known_hosts` names it: `host` for port 22, else `[host]:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The host.
    pub host: HostName,
    /// The port.
    pub port: Port,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.port == Port::SSH { self.host.fmt(f) } else { write!(f, "[{}]:{}", self.host, self.port) }
    }
}

/// A name under which `known_hosts` may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KnownName {
    /// An alias (`HostKeyAlias`), never with a port.
    Alias(Alias),
    /// An endpoint.
    Place(Place),
}

impl std::fmt::Display for KnownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alias(alias) => alias.fmt(f),
            Self::Place(place) => place.fmt(f),
        }
    }
}

/// What to change in `known_hosts`. Idempotent: applied twice, the second changes nothing.
///
/// A line counts as written by this crate if it names one of the edit's aliases. A line of someone else for a
/// pinned place with a pinned key is not stale, and stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHostsEdit {
    /// Names whose entries go, unless the entry is exactly one that `pin` wants.
    pub drop: Vec<KnownName>,
    /// Names whose entries go only where they hold this very key (endpoints written earlier). Of plain lines, only
    /// those that name one of the edit's aliases too; hashed lines, which hold one name, by name and key alone.
    pub drop_pairs: Vec<(KnownName, HostKey)>,
    /// Names to pin `pin_keys` under, on one line per key (or one hashed line per name and key).
    pub pin_names: Vec<KnownName>,
    /// The keys to pin; empty pins nothing.
    pub pin_keys: Vec<HostKey>,
}

/// Why a `known_hosts` file is not edited. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnownHostsError {
    /// The file is UTF-16.
    #[error("the file is UTF-16, which ssh cannot read; save it as UTF-8 without BOM")]
    Utf16,
    /// A NUL byte, at which OpenSSH stops reading the line.
    #[error("there is a NUL byte, at which ssh stops reading the line; remove it")]
    Nul {
        /// Line of the byte, from 1.
        line: usize,
    },
    /// Lines end with CR alone, so that OpenSSH reads the whole file as one line.
    #[error("the lines end with CR alone, so ssh reads them as one line; save the file with LF line ends")]
    CrOnly,
    /// A hashed line needs a random salt, and the system gave none.
    #[error("the system gave no random bytes for a hashed line ({0}); try again")]
    Random(String),
}

impl KnownHostsError {
    /// The line (from 1) where the trouble stands, where there is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Utf16 | Self::CrOnly => Some(1),
            Self::Nul { line } => Some(*line),
            Self::Random(_) => None,
        }
    }
}

/// What an edit made of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHostsOutcome {
    /// The whole file after the edit.
    pub bytes: Vec<u8>,
    /// How many lines went.
    pub dropped: usize,
    /// How many lines lost some of their names.
    pub narrowed: usize,
    /// How many lines were added.
    pub added: usize,
    /// How many of the dropped and narrowed lines were not written by this crate.
    pub foreign: usize,
    /// One sentence each: what a person should know.
    pub remarks: Vec<String>,
}
