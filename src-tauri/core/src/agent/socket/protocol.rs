//! What is said through the agent's door: one JSON object a line, in both directions.
//!
//! ```text
//! caller                                                    agent
//! {"protocol":1,"role":"cli"}
//!                                                           {"say":"welcome","protocol":1,"version":"…","process":17}
//! {"id":1,"call":"ask","request":{"repair":"colab"}}
//!                                                           {"say":"answer","id":1,"answer":"done"}
//! {"id":2,"call":"juggle"}
//!                                                           {"say":"refused","id":2,"error":"…"}
//! ```
//!
//! No call reads a secret, whatever the role. A call may bring one: what a person typed while they add a runtime.

use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use crate::agent::event::Event;
use crate::agent::message::Request;
use crate::agent::snapshot::Comparison;
use crate::agent::snapshot::Snapshot;
use crate::announce::cell::{CellCopy, CellMade, CellWish};
use crate::repoint::adding::Wish;
use crate::repoint::adding::view::{AddingView, ConversationId, Say};
use crate::repoint::first_look::FirstLook;

/// The version of what is said here. Another one is refused.
pub const PROTOCOL: u32 = 1;

/// The first line of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Who calls.
    pub role: Role,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The window.
    Window,
    /// The command line.
    Cli,
    /// A `ProxyCommand`: may look, and nothing else.
    Proxy,
}

/// A later line of a caller.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Numbered {
    /// Comes back with the answer.
    pub id: u64,
    /// What is wanted.
    #[serde(flatten)]
    pub call: Call,
}

/// What a caller may want.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    /// How everything is now.
    Snapshot,
    /// How everything is now, and again whenever that changes.
    Follow,
    /// What happens from now on.
    Events,
    /// Something to be done. It is begun when the answer comes, not finished.
    Ask {
        /// What.
        request: Request,
    },
    /// The keys of a session.
    Compare {
        /// The session.
        session: Alias,
    },
    /// Begins a conversation about a new session, or a new way to one.
    Add {
        /// What the person said besides.
        wish: Wish,
    },
    /// Says something in a conversation.
    AddSay {
        /// Which.
        conversation: ConversationId,
        /// The number of the question that it answers: see [`AddingView::question`]. What answers none is taken whatever
        /// is asked.
        question: u64,
        /// What.
        say: Say,
    },
    /// Waits until a conversation is at another revision, for a few seconds at most.
    AddWait {
        /// Which.
        conversation: ConversationId,
        /// The revision that is known.
        revision: u64,
    },
    /// Ends a conversation, and throws away what was pasted.
    AddEnd {
        /// Which.
        conversation: ConversationId,
    },
    /// What is here already that could become a session.
    FirstLook,
    /// Makes a session with a cell.
    MakeCell {
        /// As the person wants it.
        wish: CellWish,
    },
    /// Puts a session's cell, or the secret for its notebook, into the clipboard.
    CopyCell {
        /// The session.
        session: Alias,
        /// Which of both.
        what: CellCopy,
    },
}

/// A line of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum Said {
    /// To the greeting.
    Welcome {
        /// [`PROTOCOL`].
        protocol: u32,
        /// Moorline's version.
        version: String,
        /// The agent's process id.
        process: u32,
    },
    /// To a call.
    Answer {
        /// The call's.
        id: u64,
        /// The answer.
        answer: Answer,
    },
    /// To a call that cannot be met, or a line that is none.
    Refused {
        /// The call's, if it had one.
        id: Option<u64>,
        /// Why, in one sentence.
        error: String,
    },
    /// How everything is now, to who follows.
    Snapshot {
        /// It.
        snapshot: Snapshot,
    },
    /// What happened, to who wanted events.
    Event {
        /// It.
        event: Event,
    },
    /// The caller reads too slowly: this many events are lost.
    Missed {
        /// How many.
        events: u64,
    },
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Begun.
    Done,
    /// How everything is.
    Snapshot(Snapshot),
    /// The keys of a session.
    Comparison(Comparison),
    /// A conversation as it is now.
    Adding(Box<AddingView>),
    /// The same, where what was said answers a question that is not asked any more: it changed nothing.
    Stale(Box<AddingView>),
    /// What is here already.
    FirstLook(FirstLook),
    /// The cell was made.
    CellMade(CellMade),
}

impl Role {
    /// Whether this role may make this call.
    pub fn may(self, call: &Call) -> bool {
        match self {
            Self::Window | Self::Cli => true,
            Self::Proxy => matches!(call, Call::Snapshot | Call::Follow),
        }
    }
}
