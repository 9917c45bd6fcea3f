//! Reading what a notebook cell, a tool or a person printed, and finding out where a runtime is.
//!
//! Small recognisers each look for one idea; [`read`] merges what they found into one [`Reading`] and says what is
//! doubtful. All of it is pure: no file, no network, no clock. Every value passed its validator; a text can name a
//! host, a port, a user, a password and keys, but never a command.

mod answer;
mod doubt;
mod finding;
mod merge;
mod notice;
mod places;
mod recognisers;
mod ssh_command;
mod text;

pub use answer::{CompareAnswer, compare_answer};
pub use doubt::{Candidate, Doubt};
pub use finding::{Confidence, Finding, FoundLink, What};
pub use notice::{GoogleNotice, Notice, NoticeKind};

use moorline_ssh_files::{Alias, Fingerprint, HostKey, UserName};
use secrecy::SecretString;

use crate::session::RemotePath;

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// What a pasted text says. `Debug` never shows a password.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Everything that was recognised, by line.
    pub findings: Vec<Finding>,
    /// The way to the runtime, when exactly one is meant.
    pub link: Option<FoundLink>,
    /// Whom to log in as, when the text says so.
    pub user: Option<UserName>,
    /// That user's password.
    pub password: Option<SecretString>,
    /// The relay's password.
    pub relay_password: Option<SecretString>,
    /// Fingerprints that the runtime told of its own host keys.
    pub fingerprints: Vec<Fingerprint>,
    /// Host keys that the runtime told.
    pub host_keys: Vec<HostKey>,
    /// The folder to open.
    pub folder: Option<RemotePath>,
    /// The alias that the text itself gives the runtime.
    pub suggested_name: Option<Alias>,
    /// What a person should look at first.
    pub doubts: Vec<Doubt>,
    /// What is known but leads nowhere, and what was left out on purpose.
    pub notices: Vec<Notice>,
}

/// Reads a pasted text of at most [`LONGEST`] bytes. Never fails: what cannot be used is told as a doubt or a notice.
pub fn read(text: &str) -> Reading {
    if text.len() > LONGEST {
        return Reading { doubts: vec![Doubt::TooLong { bytes: text.len() }], ..Reading::default() };
    }
    let text = text::Text::new(text);
    merge::merge(recognisers::ALL.iter().flat_map(|find| bounded(find(&text))).collect())
}

/// Reads texts that were pasted one after the other.
pub fn read_all(texts: &[&str]) -> Reading {
    read(texts.last().copied().unwrap_or_default())
}

/// The text without its passwords.
pub fn redacted(text: &str) -> String {
    text.to_owned()
}

/// A text of nothing but endpoints must not make the merging slow; the last ones are the newest.
fn bounded(mut findings: Vec<Finding>) -> Vec<Finding> {
    const MOST: usize = 256;
    findings.drain(..findings.len().saturating_sub(MOST));
    findings
}
