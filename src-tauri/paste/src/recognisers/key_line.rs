//! Key lines: `ssh-ed25519 AAAA… root@x`, lines of `known_hosts` and of `ssh-keyscan` (OpenSSH sshd(8), `SSH_KNOWN_HOSTS`
//! FILE FORMAT). A login key looks the same as a host key, so a line must say that it is one.

use moorline_ssh_files::{HostKey, HostName, Place, Port};

use super::super::text::{Line, Text, bare};
use super::super::{Confidence, Doubt, Finding, What};
use super::key_words::told_by_server;
use super::refused::refused;
use crate::recognisers::key_words::is_about_host_keys;

const NAME: &str = "key-line";
const TYPES: [&str; 5] =
    ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    let in_cell = text.lines.iter().any(lets_in);
    for (index, line) in text.lines.iter().enumerate() {
        let Some((before, key)) = split(&line.text) else { continue };
        if (in_cell && line.source) || text.around(index, 1, 0).iter().any(lets_in) {
            continue;
        }
        let key = match key.parse::<HostKey>() {
            Ok(key) => key,
            Err(reason) => {
                found.push(refused(NAME, line.number, &reason));
                continue;
            }
        };
        let number = line.number;
        let what = if told_by_server(text, index) {
            What::Doubt(Doubt::SentByServer { line: number })
        } else if line.text.contains(">>") {
            What::Doubt(Doubt::KeyOfWhom { line: number })
        } else {
            match Owner::of(before) {
                Owner::Nobody if is_about_host_keys(text, index) => What::HostKey { key, of: Vec::new() },
                Owner::Nobody => What::Doubt(Doubt::KeyOfWhom { line: number }),
                Owner::Unfit => What::Doubt(Doubt::KeyLineUnfit { line: number }),
                Owner::Named(of) => What::HostKey { key, of },
            }
        };
        found.push(Finding::new(NAME, number, Confidence::Likely, what));
    }
    found
}

/// Whether the line speaks of the file of keys that are let in. Such a key is never the runtime's own.
fn lets_in(line: &Line) -> bool {
    line.text.contains("authorized_keys")
}

/// The key of a line that begins with it, whoever it belongs to.
pub fn leading_key(line: &str) -> Option<HostKey> {
    let (before, key) = split(line)?;
    let runtime = matches!(Owner::of(before), Owner::Named(of) if of.iter().all(|p| p.host.is_loopback()));
    (before.trim().is_empty() || runtime).then(|| key.parse().ok()).flatten()
}

/// What stands before a key on its line, and the key with its type and comment.
fn split(line: &str) -> Option<(&str, &str)> {
    let (at, _) = TYPES
        .iter()
        .filter_map(|kind| line.find(kind).map(|at| (at, kind)))
        .filter(|(at, kind)| line[at + kind.len()..].trim_start_matches([' ', '\t']).starts_with("AAAA"))
        .min()?;
    let starts =
        line[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    let end = line[at..].find(['"', '\'', '`']).map_or(line.len(), |end| at + end);
    starts.then_some((&line[..at], &line[at..end]))
}

enum Owner {
    /// The line says nothing.
    Nobody,
    /// A known-hosts line that must not be pinned.
    Unfit,
    /// These hosts.
    Named(Vec<Place>),
}

impl Owner {
    fn of(before: &str) -> Self {
        let mut words = before.split_whitespace();
        let (first, second) = (words.next(), words.next());
        let Some(first) = first else { return Self::Nobody };
        if first.starts_with('@') || first.starts_with('|') || first.contains(['*', '?']) {
            return Self::Unfit;
        }
        let quoted = bare(first) != first && !first.starts_with('[');
        let places: Option<Vec<Place>> = first.split(',').map(place).collect();
        match places {
            // One bare word may be an option of authorized_keys or an `echo`.
            Some(of)
                if second.is_none()
                    && !quoted
                    && of.iter().any(|p| p.host.as_str().contains('.') || p.host.is_loopback()) =>
            {
                Self::Named(of)
            }
            _ => Self::Nobody,
        }
    }
}

/// `host` or `[host]:port`.
fn place(name: &str) -> Option<Place> {
    let (host, port) = match name.strip_prefix('[').and_then(|n| n.split_once("]:")) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (name, Port::SSH),
    };
    Some(Place { host: host.parse::<HostName>().ok()?, port })
}
