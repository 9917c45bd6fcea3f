//! What a text means, as far as it could be read.

use moorline_model::session::RemotePath;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, UserName};
use secrecy::SecretString;

use crate::doubt::Doubt;
use crate::finding::{Finding, FoundLink};
use crate::notice::Notice;

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
