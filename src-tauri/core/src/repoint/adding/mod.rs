//! Adding a runtime, or leading a session to its next one, as a conversation.
//!
//! [`Conversation`] is pure: it is told what was pasted, answered and found out, and says what comes next. Whoever runs
//! it finds the facts and carries the outcome out: [`talk`] does, for the agent and for a command line without one.
//! Everything that can be asked, needed, refused and told stands in [`matters`].
//!
//! ```text
//! text --paste::read--> Reading --step--> Ask(Question) | Find(Need) | Refuse(Reason) | Done(Decided)
//!                          ^                 |               |
//!                          +---- Answer -----+---- Fact -----+
//! ```

pub mod announced;
mod carry_out;
pub mod clipboard;
mod conversation;
mod draft;
mod find;
mod known;
pub mod lines;
pub mod matters;
pub mod talk;
mod typed_secret;
pub mod view;

use moorline_model::session::{RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, Fingerprint, IdentityFile, UserName};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use conversation::Conversation;
pub use known::{Known, KnownError};
pub use typed_secret::TypedSecret;

use crate::repoint::write::Change;
use matters::{Access, Need, Question, Reason};

/// What the person said besides the text, and cannot be asked about any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// The session's name.
    pub name: Option<Alias>,
    /// The relay that holds the runtime's port.
    pub relay: Option<RelayTarget>,
    /// "This relay is mine alone."
    pub mine_alone: bool,
    /// The user on the runtime.
    pub user: Option<UserName>,
    /// The folder to open.
    pub folder: Option<RemotePath>,
    /// The person's own key to log in with.
    pub identity_file: Option<IdentityFile>,
    /// Exactly this key, whatever the text says.
    pub fingerprint: Option<Fingerprint>,
    /// Whatever key answers is to be taken without comparing.
    pub first_use: bool,
    /// Stop before anything is written.
    pub dry_run: bool,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// The person is asked.
    Ask(Question),
    /// Something must be found out.
    Find(Need),
    /// It cannot go on as it is.
    Refuse(Reason),
    /// Everything is known: it can be written.
    Done(Box<Decided>),
}

/// What is to be written, and what was settled on the way.
#[derive(Debug)]
pub struct Decided {
    /// The change.
    pub change: Change,
    /// How the login stands; `None` where nothing was reached.
    pub access: Option<Access>,
    /// Why nothing was reached, one sentence.
    pub unreachable: Option<String>,
    /// The runtime's password, to be kept for exactly this session.
    pub password: Option<SecretString>,
    /// The relay's password, likewise.
    pub relay_password: Option<SecretString>,
    /// The person's own entry of that name, which is to be commented out.
    pub take_over: Option<Alias>,
}
