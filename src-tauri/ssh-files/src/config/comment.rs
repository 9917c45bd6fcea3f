//! Commenting an entry of the person's own out, and bringing it back byte for byte.
//!
//! Each line gets `#moorline ALIAS# ` in front, which makes it a comment to ssh. Since all lines of the section go, up
//! to the next `Host` or `Match`, no other line changes its section.

use super::check::check;
use super::entry::ConfigError;
use super::{loose, words};
use crate::names::Alias;
use crate::text::{self, Lines};

const OPENING: &str = "#moorline ";
const CLOSING: &str = "# ";

/// Comments out the [loose](super::loose_entries) entries that `alias` has. Blank lines, line ends and every other byte
/// stay. Without such an entry nothing changes.
///
/// # Errors
/// As [`apply`](super::apply).
pub fn comment_out(config: &[u8], alias: &Alias) -> Result<Vec<u8>, ConfigError> {
    check(config)?;
    let prefix = prefix(alias);
    let mut out = Vec::with_capacity(config.len() + 20 * prefix.len());
    let mut at = 0;
    for section in loose::sections(config) {
        if section.loose().is_none_or(|entry| entry.alias != *alias) {
            continue;
        }
        // What was commented out for another alias is to come back by itself.
        let wanted = |text: &&[u8]| !text::trim(text).is_empty() && commented(text).is_none();
        for line in section.lines().iter().filter(|line| wanted(&line.text)) {
            out.extend_from_slice(&config[at..line.start]);
            out.extend_from_slice(prefix.as_bytes());
            at = line.start;
        }
    }
    out.extend_from_slice(&config[at..]);
    Ok(out)
}

/// Brings back what [`comment_out`] commented out for `alias`, in the place where it stands now. Lines that the person
/// added or changed meanwhile stay as they are.
///
/// A commented line comes back only below its commented `Host` line: under another one it would switch checking off
/// for other machines.
pub fn bring_back(config: &[u8], alias: &Alias) -> Vec<u8> {
    let prefix = prefix(alias);
    let mut out = Vec::with_capacity(config.len());
    let mut below_its_host = false;
    for line in Lines::of(config) {
        let mut bare = line.text;
        while let Some(rest) = bare.strip_prefix(prefix.as_bytes()) {
            bare = rest;
        }
        let length = line.text.len() - bare.len();
        if words::opens_section(bare) {
            below_its_host = length > 0;
        }
        let from = if below_its_host { line.start + length } else { line.start };
        out.extend_from_slice(&config[from..line.end]);
    }
    out
}

/// The aliases that have an entry which [`bring_back`] brings back, in the order of the file.
pub fn commented_out(config: &[u8]) -> Vec<Alias> {
    let mut found = Vec::new();
    for line in Lines::of(config) {
        if let Some((alias, rest)) = commented(line.text)
            && words::opens_section(rest)
            && !found.contains(&alias)
        {
            found.push(alias);
        }
    }
    found
}

fn prefix(alias: &Alias) -> String {
    format!("{OPENING}{alias}{CLOSING}")
}

/// For whom a line was commented out, and what it said.
fn commented(line: &[u8]) -> Option<(Alias, &[u8])> {
    let line = line.strip_prefix(OPENING.as_bytes())?;
    let end = memchr::memmem::find(line, CLOSING.as_bytes())?;
    let alias = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
    Some((alias, &line[end + CLOSING.len()..]))
}

#[cfg(test)]
mod tests;
