//! Reading what a notebook cell, a tool or a person printed, and finding out where a runtime is.
//!
//! Small recognisers each look for one idea; [`read`] merges what they found into one [`Reading`] and says what is
//! doubtful. All of it is pure: no file, no network, no clock. Every value passed its validator; a text can name a
//! host, a port, a user, a password and keys, but never a command.

mod answer;
mod doubt;
mod finding;
mod in_turn;
mod merge;
mod notice;
mod places;
mod recognisers;
mod redacted;
mod ssh_command;
mod text;

use moorline_model::session::RemotePath;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, UserName};
use secrecy::SecretString;

pub use answer::{CompareAnswer, compare_answer};
pub use doubt::{Candidate, Doubt};
pub use finding::{Confidence, Finding, FoundLink, What};
pub use in_turn::read_all;
pub use notice::{GoogleNotice, Notice, NoticeKind};
pub use redacted::{REDACTED, echo, redacted};

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// What a pasted text, or several in turn, say. `Debug` never shows a password.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Everything that was recognised, by text and line.
    pub findings: Vec<Finding>,
    /// The way to the runtime, when exactly one is meant.
    pub link: Option<FoundLink>,
    /// Whom to log in as, when the text says so.
    pub user: Option<UserName>,
    /// That user's password. It may stand there without a link: then nothing says yet where it leads.
    pub password: Option<SecretString>,
    /// The password with which the runtime logs in to the relay of the link; never the runtime's own.
    pub relay_password: Option<SecretString>,
    /// Fingerprints that the runtime told of its own host keys.
    pub fingerprints: Vec<Fingerprint>,
    /// Host keys that the runtime told.
    pub host_keys: Vec<HostKey>,
    /// The folder to open.
    pub folder: Option<RemotePath>,
    /// The alias that the text itself gives the runtime.
    pub suggested_name: Option<Alias>,
    /// What a person should look at first. Of several texts, only of the last, whose lines they name; those of the
    /// earlier ones were told when these were the last.
    pub doubts: Vec<Doubt>,
    /// What is known but leads nowhere, and what was left out on purpose; of the last text, as the doubts.
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

/// A text of nothing but endpoints must not make the merging slow; the last ones are the newest.
fn bounded(mut findings: Vec<Finding>) -> Vec<Finding> {
    const MOST: usize = 256;
    findings.drain(..findings.len().saturating_sub(MOST));
    findings
}
