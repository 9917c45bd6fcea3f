//! Why a runtime cannot be used: what a watcher saw, and what the agent makes of it.

use moorline_ssh_files::HostKey;
use serde::{Deserialize, Serialize};

use crate::colab_runtime::EndpointId;

/// What stood between a watcher and a working connection. Watchers report it; they decide nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// This computer has no network, or no name server answers.
    OwnNetwork,
    /// The endpoint's name has no address.
    NameUnknown,
    /// The endpoint refuses connections.
    Refused,
    /// No answer to a connection attempt, or a router says that there is no way.
    Unreachable,
    /// Accepted, then closed without a byte.
    ClosedAtOnce,
    /// Accepted, then silent.
    Silent,
    /// Something else than an SSH server answers.
    NotSsh,
    /// The relay itself cannot be used; its sentence.
    Relay(String),
    /// The relay is fine, nothing listens on the runtime's port there.
    NothingBehindRelay,
    /// The edge is fine, and says that nobody holds the tunnel any more.
    TunnelGone,
    /// The edge that carries the link wants something, or refuses; its sentence.
    Edge(String),
    /// The program that the link needs is missing or failed; its sentence.
    Program(String),
    /// What vouches for the runtime cannot be asked, or refuses; its sentence. Of the runtime that says nothing.
    Provider(String),
    /// The provider lists the account's runtimes, and this one is not among them.
    Ended {
        /// Those that are.
        others: Vec<Other>,
    },
    /// Another key than the pinned ones answers.
    Key {
        /// The key.
        key: HostKey,
        /// Whether the way there proves that it is the person's own runtime.
        channel: bool,
    },
    /// The pinned key answers, and refuses this desktop's login.
    Login,
    /// Anything else; one sentence.
    Other(String),
}

/// Another runtime of the person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Which.
    pub runtime: EndpointId,
    /// Whether it was there while the session's own one still was: then it is for something else.
    pub beside: bool,
}

/// How an established connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The other side closed it.
    Closed,
    /// Pings were not answered in time.
    Silent,
}

/// The cause of an outage as people are told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Cause {
    /// This computer's own network.
    LocalOffline,
    /// The tunnel is gone; the machine may still run.
    TunnelDown,
    /// The tunnel answers, sshd behind it does not.
    SshdDown,
    /// A link that names no tunnel leads to no SSH server any more; the machine may still run.
    NoServer,
    /// Somebody answers there and hangs up at once; no tunnel is known of.
    HangsUp,
    /// Nothing of the runtime is left to be seen.
    RuntimeGone,
    /// The runtime has ended, for certain: its provider, or itself, says so.
    Ended,
    /// The relay or a local program is in the way.
    Way {
        /// One sentence.
        sentence: String,
    },
    /// Not known; an honest answer.
    Unknown {
        /// What was seen.
        sentence: String,
    },
}
