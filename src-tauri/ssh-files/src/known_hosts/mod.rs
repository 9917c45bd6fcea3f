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

pub use edit::{KnownHostsEdit, KnownHostsError, KnownHostsOutcome, KnownName, Place};
pub use revoked::is_revoked;

use crate::host_key::HostKey;
use crate::text;
use scan::Target;

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

mod edit;
#[cfg(test)]
mod tests;
