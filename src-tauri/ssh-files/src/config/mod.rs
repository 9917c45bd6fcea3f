//! One marked block of `Host` entries in an OpenSSH client configuration (pure: bytes in, bytes out).
//!
//! The block is written at the top of the file, because ssh takes the first value it meets for each keyword
//! (OpenSSH `ssh_config(5)`): an entry further down would lose to a `Host *` above it, or be swallowed by a trailing
//! `Match`. It ends with a bare `Host *` line, so that options that stood above every `Host` line still hold for
//! every host. A block that is already there is replaced where it stands.
//!
//! Outside the block one thing is ever changed, and only when asked for: an entry of the person's own that switches host
//! key checking off is commented out, and can be brought back byte for byte.

mod block;
mod comment;
mod loose;
mod quote;
mod words;

pub use block::{BEGIN, END};
pub use comment::{bring_back, comment_out, commented_out};
pub use loose::{LooseEntry, loose_entries};
pub use quote::{IdentityFile, ProxyCommand};

use crate::names::{Alias, HostName, Port, UserName};
use crate::text::{Eol, Lines};

/// One `Host` entry of the managed block.
///
/// A direct entry names the endpoint in `host_name` and `port`. A proxied one carries its own alias as `host_name`,
/// no port, and a `proxy_command`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    /// The literal pattern of the entry, also its `HostKeyAlias`.
    pub alias: Alias,
    /// `HostName`; a proxied entry carries its own alias here.
    pub host_name: HostName,
    /// `Port`; absent for proxied entries.
    pub port: Option<Port>,
    /// `User`.
    pub user: UserName,
    /// `IdentityFile`.
    pub identity_file: IdentityFile,
    /// `UserKnownHostsFile`: where the runtime's key is pinned. The same rules hold for its path.
    pub known_hosts_file: IdentityFile,
    /// `ProxyCommand`, for links that need one.
    pub proxy_command: Option<ProxyCommand>,
}

/// Why a configuration is not edited. Each text says what to do; [`ConfigError::line`] says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file starts with a UTF-8 byte-order mark, which OpenSSH takes for a part of the first keyword.
    #[error("the file starts with a byte-order mark, which ssh cannot read; save it as UTF-8 without BOM")]
    ByteOrderMark,
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
    /// A begin marker without an end marker.
    #[error(
        "Moorline's block begins here and never ends; put `# <<< moorline <<<` on a line of its own after its last entry, or delete this line"
    )]
    Unclosed {
        /// Line of the begin marker, from 1.
        line: usize,
    },
    /// An end marker without a begin marker.
    #[error("Moorline's block ends here but begins nowhere; delete this line")]
    Unopened {
        /// Line of the end marker, from 1.
        line: usize,
    },
    /// A second begin marker.
    #[error(
        "a second block of Moorline begins here; delete one of the two, from its `>>> moorline >>>` line to its `<<< moorline <<<` line"
    )]
    Duplicate {
        /// Line of the second begin marker, from 1.
        line: usize,
    },
}

impl ConfigError {
    /// The line (from 1) where the trouble stands, where there is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::ByteOrderMark | Self::Utf16 | Self::CrOnly => Some(1),
            Self::Nul { line }
            | Self::Unclosed { line }
            | Self::Unopened { line }
            | Self::Duplicate { line } => Some(*line),
        }
    }
}

/// Makes the managed block hold exactly `entries`, in their order; without entries the block goes, markers
/// included. Every byte outside the block stays. Applying the same entries twice changes nothing more.
///
/// # Errors
/// [`ConfigError`] if the file is not lines of ASCII-compatible bytes, or its markers are unbalanced.
pub fn apply(original: &[u8], entries: &[HostEntry]) -> Result<Vec<u8>, ConfigError> {
    let span = block::find(original)?.unwrap_or(0..0);
    let mut out = Vec::with_capacity(original.len() + entries.len() * 400);
    out.extend_from_slice(&original[..span.start]);
    if !entries.is_empty() {
        block::render(entries, Eol::dominant(original), &mut out);
    }
    out.extend_from_slice(&original[span.end..]);
    Ok(out)
}

/// The bytes of the managed block as they stand, marker lines included; `None` without a block.
///
/// # Errors
/// As [`apply`].
pub fn block_of(config: &[u8]) -> Result<Option<&[u8]>, ConfigError> {
    Ok(block::find(config)?.map(|span| &config[span]))
}

/// Whether the file can be edited at all.
///
/// # Errors
/// As [`apply`].
pub fn check(config: &[u8]) -> Result<(), ConfigError> {
    block::find(config).map(drop)
}

/// Line (from 1) of a literal `Host` pattern equal to `alias` outside the managed block, if there is one.
///
/// Patterns are compared as ssh does, with case; negated and wildcard patterns are not literal. A file that
/// [`apply`] would refuse is searched as a whole.
pub fn foreign_entry(config: &[u8], alias: &Alias) -> Option<usize> {
    let block = block::find(config).ok().flatten().unwrap_or(0..0);
    Lines::of(config).find_map(|line| {
        let ours = block.contains(&line.start);
        (!ours && words::host_patterns(line.text).any(|p| p == alias.as_str().as_bytes()))
            .then_some(line.number)
    })
}

/// Line (from 1) of a `Host` line outside the managed block that means `alias` by a pattern such as `gpu*`. A pattern
/// that matches everything means nobody in particular.
pub fn foreign_pattern(config: &[u8], alias: &Alias) -> Option<usize> {
    let name = alias.as_str().as_bytes();
    let block = block::find(config).ok().flatten().unwrap_or(0..0);
    let means_it = |line: &[u8]| {
        let patterns: Vec<_> = words::host_patterns(line).collect();
        let denied =
            patterns.iter().any(|p| p.strip_prefix(b"!").is_some_and(|p| crate::text::fits(p, name)));
        let particular = |p: &Vec<u8>| p.iter().any(|b| !b"*?!".contains(b));
        !denied && patterns.iter().any(|p| particular(p) && crate::text::fits(p, name))
    };
    Lines::of(config)
        .find_map(|line| (!block.contains(&line.start) && means_it(line.text)).then_some(line.number))
}

/// The files that the `Include` lines of a config name, as they stand there (`ssh_config(5)`: relative ones lie in
/// `~/.ssh`, and they may hold `*`).
pub fn included_files(config: &[u8]) -> Vec<Vec<u8>> {
    Lines::of(config).flat_map(|line| words::included(line.text)).collect()
}

/// Line (from 1) of an option that changes its section when the block is removed: the block stands below a `Host` or
/// `Match` line, and the option right below the block, held global by the block's closing line.
pub fn scope_changed_by_removal(config: &[u8]) -> Option<usize> {
    let block = block::find(config).ok().flatten()?;
    let mut inside_section = false;
    for line in Lines::of(config) {
        if block.contains(&line.start) {
            continue;
        }
        let section = words::opens_section(line.text);
        if line.start < block.start {
            inside_section |= section;
        } else if section {
            return None;
        } else if inside_section && words::is_option(line.text) {
            return Some(line.number);
        }
    }
    None
}

#[cfg(test)]
mod tests;
