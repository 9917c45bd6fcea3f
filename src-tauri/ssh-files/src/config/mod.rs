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
pub use check::check;
pub use comment::{bring_back, comment_out, commented_out};
pub use entry::{ConfigError, HostEntry};
pub use loose::{LooseEntry, NGROK, loose_entries};
pub use quote::{IdentityFile, ProxyCommand};

use crate::names::Alias;
use crate::text::{Eol, Lines};

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

mod check;
mod entry;
#[cfg(test)]
mod tests;
