//! Dropping, narrowing and pinning entries of a `known_hosts` file (pure: bytes in, bytes out).
//!
//! The format is OpenSSH's, `sshd(8)`, section "`SSH_KNOWN_HOSTS` FILE FORMAT". Lines that are not touched keep every byte,
//! those that OpenSSH cannot read included. Lines with a marker (`@cert-authority`, `@revoked`) or with wildcard or
//! negated patterns are never changed.

mod hashed;
mod line;
mod plan;
mod revoked;
mod scan;

pub use revoked::is_revoked;

use crate::host_key::HostKey;
use crate::names::{Alias, HostName, Port};
use crate::text;
use scan::Target;

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

/// Applies `edit`. Every line that it does not name keeps every byte.
///
/// A pinned line takes the place of the first dropped line that this crate wrote, else it goes to the end; before a
/// last line without line end, so that dropping it again restores the file. It is hashed if most of the file's
/// entries are. Line ends are those of most lines.
///
/// # Errors
/// [`KnownHostsError`] if the file is not lines of ASCII-compatible bytes.
pub fn apply(original: &[u8], edit: &KnownHostsEdit) -> Result<KnownHostsOutcome, KnownHostsError> {
    check(original)?;
    let targets = Target::of_edit(edit);
    let found = scan::scan(original, &targets);
    plan::carry_out(original, edit, &targets, &found)
}

/// Whether the file can be edited at all.
///
/// # Errors
/// As [`apply`].
pub fn check(known_hosts: &[u8]) -> Result<(), KnownHostsError> {
    if text::is_utf16(known_hosts) {
        return Err(KnownHostsError::Utf16);
    }
    if let Some(at) = memchr::memchr(0, known_hosts) {
        return Err(KnownHostsError::Nul { line: text::line_number(known_hosts, at) });
    }
    if text::is_cr_only(known_hosts) {
        return Err(KnownHostsError::CrOnly);
    }
    Ok(())
}

/// All keys that stand in `known_hosts` under exactly `name`, plain or hashed, markers and wildcards aside.
/// Each key once, in the file's order.
pub fn keys_of(known_hosts: &[u8], name: &KnownName) -> Vec<HostKey> {
    let edit = KnownHostsEdit { drop: vec![name.clone()], ..KnownHostsEdit::default() };
    let targets = Target::of_edit(&edit);
    let mut keys = Vec::new();
    for hit in scan::scan(known_hosts, &targets).hits {
        let entry = hit.entry(known_hosts);
        let usable = entry.marker.is_none() && !entry.has_pattern();
        if let Some(key) = entry.key().filter(|k| usable && !keys.contains(k)) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests;
