//! What a face is shown of a conversation: typed, and without any secret.

use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use super::matters::{Answer, Question, Reason, Remedy};
use super::typed_secret::TypedSecret;

/// A conversation's number, not to be guessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConversationId(pub(super) String);

impl ConversationId {
    /// A new one.
    pub fn new() -> Self {
        use std::fmt::Write as _;
        let mut bytes = [0_u8; 16];
        // Without randomness a number is still one; the socket lets nobody else in.
        let _ = getrandom::fill(&mut bytes);
        Self(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

impl Default for ConversationId {
    fn default() -> Self {
        Self::new()
    }
}

/// A conversation as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AddingView {
    /// Its number.
    pub id: ConversationId,
    /// Rises with every change.
    pub revision: u64,
    /// The number of what is asked now, or was asked last: an answer names it. Rises with every other question, and once
    /// one is answered.
    pub question: u64,
    /// What was pasted last, with every secret in it replaced: what the box shows from now on.
    pub echo: Option<String>,
    /// What was understood of all that was pasted.
    pub read: Option<Understood>,
    /// The session as it would be, once that is clear.
    pub draft: Option<Draft>,
    /// What is to be done next, and by whom.
    pub stage: Stage,
    /// How far it is; empty before it was said to go ahead.
    pub checks: Vec<Check>,
}

/// What was understood of a text, in short items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Understood {
    /// The link's word and where it leads.
    pub link: Option<(String, String)>,
    /// Whom to log in as.
    pub user: Option<String>,
    /// The folder.
    pub folder: Option<String>,
    /// Whether there is a password.
    pub password: bool,
    /// Whether the host key is named.
    pub fingerprint: bool,
    /// Sentences on what is known and leads nowhere, or was left out on purpose.
    pub notices: Vec<String>,
    /// Sentences on what is in doubt.
    pub doubts: Vec<String>,
}

/// The session as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Draft {
    /// Its name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// The link's word.
    pub link: String,
    /// Where it leads.
    pub endpoint: String,
    /// Whom it logs in as.
    pub user: String,
    /// The folder.
    pub folder: Option<String>,
    /// Whether there is no such session yet.
    pub new: bool,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Stage {
    /// The person is asked.
    Asks {
        /// What.
        question: Question,
    },
    /// Something is being found out.
    Looks {
        /// What.
        at: Looking,
    },
    /// It cannot go on as it is.
    Refuses {
        /// Why.
        why: Reason,
        /// In one sentence.
        sentence: String,
        /// What can be done about it here.
        remedies: Vec<Remedy>,
    },
    /// It is done.
    Done {
        /// How.
        outcome: Outcome,
    },
}

/// What is being found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Looking {
    /// Files and keyring of this computer.
    Here,
    /// Google's list.
    Google,
    /// Whether the old runtime answers.
    OldRuntime,
    /// The runtime.
    Runtime,
    /// Whether it lets this computer in.
    Access,
    /// The files are being written.
    Writing,
    /// Whether plain ssh works.
    Ssh,
}

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Check {
    /// What.
    pub what: CheckKind,
    /// How it stands.
    pub state: CheckState,
    /// More, such as the fingerprint or what failed.
    pub detail: Option<String>,
}

/// The checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum CheckKind {
    /// The runtime answers.
    Reached,
    /// Its fingerprint is settled.
    Fingerprint,
    /// It lets this computer in.
    Access,
    /// The ssh files are written.
    Written,
    /// `ssh NAME` works.
    Ssh,
}

/// How a line of the checklist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum CheckState {
    /// Not yet.
    Waits,
    /// Now.
    Runs,
    /// Good.
    Good,
    /// Left out, or not good.
    Bad,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Outcome {
    /// The session.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// The link's word.
    pub link: String,
    /// Where it leads.
    pub endpoint: String,
    /// Whom it logs in as.
    pub user: String,
    /// Whether it is new, or was there.
    pub new: bool,
    /// Whether its runtime announced itself, so that nothing was dialled.
    pub announced: bool,
    /// Whether it was reached.
    pub reachable: bool,
    /// Why it was not, one sentence.
    pub cause: Option<String>,
    /// Why the password is not kept, one sentence.
    pub vault_problem: Option<String>,
    /// The key's fingerprint and how it was learned, where one was settled.
    pub host_key: Option<(String, String)>,
    /// The login's word: `key-works`, `key-installed`, `own-key`, `key-missing`, `password-refused`, `not-tried`.
    pub login: String,
    /// Whether plain `ssh NAME` works; `None` where it was not tried.
    pub ssh_works: Option<bool>,
    /// What is left to do or was left out, a sentence each.
    pub remarks: Vec<String>,
    /// The files that were written, with their backups.
    pub files: Vec<WrittenFile>,
    /// What was written, as a unified diff.
    pub diff: String,
}

/// A file that may have been written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WrittenFile {
    /// Where.
    pub path: String,
    /// Whether it changed.
    pub changed: bool,
    /// Where it is kept as it was.
    pub backup: Option<String>,
}

/// What a face says to a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", content = "with", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Say {
    /// A text, beside those that were pasted before.
    Text(TypedSecret),
    /// The text that was given last, as it is now.
    Edited(TypedSecret),
    /// Read the clipboard.
    Paste,
    /// Everything that was pasted is thrown away.
    StartAgain,
    /// Another name than the proposed one.
    Rename(#[cfg_attr(feature = "typescript", ts(type = "string"))] Alias),
    /// An answer to what is asked.
    Answer(Answer),
    /// What lies in the clipboard is the answer to the question for the key, or for a password.
    PasteAnswer,
    /// Put this line into the clipboard.
    Copy(Copy),
}

impl Say {
    /// Whether this means nothing without the question that it answers.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Answer(_) | Self::PasteAnswer)
    }
}

/// What became of what was said, and how the conversation is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It was taken.
    Taken(AddingView),
    /// It answers a question that is not asked any more, and changed nothing.
    Stale(AddingView),
}

impl Heard {
    /// How the conversation is now.
    pub fn view(self) -> AddingView {
        match self {
            Self::Taken(view) | Self::Stale(view) => view,
        }
    }
}

/// What can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Copy {
    /// The line to run now.
    Line,
    /// `ssh NAME`.
    Command,
}
