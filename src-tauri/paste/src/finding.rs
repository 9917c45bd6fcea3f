//! What a recogniser hands over: a value that passed its validator, where it stood and how sure the recogniser is.

use std::fmt;

use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{ColabLink, Link, RelayLink, RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, Fingerprint, HostKey, HostName, Place, Port, UserName};
use secrecy::SecretString;

use super::{Doubt, Notice};

/// A way to a runtime that stands in a pasted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundLink {
    /// An ngrok TCP endpoint.
    Ngrok(Place),
    /// A plain host and port.
    Direct(Place),
    /// A Cloudflare tunnel's host name.
    Cloudflare(HostName),
    /// A port on the loopback of a relay.
    Relay {
        /// The machine that holds the port.
        relay: RelayTarget,
        /// The port on its `127.0.0.1`.
        port: Port,
    },
    /// A runtime that Google's own command line reaches.
    GoogleColab {
        /// The name of the session there, when it is one that may be used here too.
        session: Option<Alias>,
        /// The runtime, when the text names it.
        runtime: Option<EndpointId>,
    },
}

impl FoundLink {
    /// The link as a session holds it, with a relay that nobody declared theirs alone; `None` for Google's own SSH
    /// where the text does not name the runtime.
    pub fn to_link(&self) -> Option<Link> {
        Some(match self {
            Self::Ngrok(place) => Link::Ngrok(place.clone()),
            Self::Direct(place) => Link::Direct(place.clone()),
            Self::Cloudflare(host) => Link::Cloudflare(host.clone()),
            Self::Relay { relay, port } => {
                Link::Relay(RelayLink { relay: relay.clone(), port: *port, mine_alone: false })
            }
            Self::GoogleColab { runtime, .. } => Link::Colab(ColabLink { runtime: runtime.clone()? }),
        })
    }

    /// The host and port that the text names, for links that name one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Ngrok(place) | Self::Direct(place) => Some(place),
            Self::Cloudflare(_) | Self::Relay { .. } | Self::GoogleColab { .. } => None,
        }
    }
}

impl fmt::Display for FoundLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ngrok(place) | Self::Direct(place) if place.host.as_str().contains(':') => {
                write!(f, "[{}]:{}", place.host, place.port)
            }
            Self::Ngrok(place) | Self::Direct(place) => write!(f, "{}:{}", place.host, place.port),
            Self::Cloudflare(host) => write!(f, "{host}"),
            Self::Relay { relay, port } => write!(f, "port {port} of {relay}"),
            Self::GoogleColab { runtime: Some(runtime), .. } => write!(f, "Colab runtime {runtime}"),
            Self::GoogleColab { session: Some(name), .. } => write!(f, "Colab session {name}"),
            Self::GoogleColab { .. } => f.write_str("a Colab session"),
        }
    }
}

/// How sure a recogniser is that its finding is what the person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A bare value that only looks right.
    Guess,
    /// A value with a label or a known form.
    Likely,
    /// A line that a known tool prints for exactly this purpose.
    Certain,
}

/// One thing that a recogniser saw.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// The pasted text that it stood in, from 0, where several were read.
    pub text: usize,
    /// The line of that text, from 1.
    pub line: usize,
    /// How sure the recogniser is.
    pub confidence: Confidence,
    /// The recogniser's name.
    pub recogniser: &'static str,
    /// Findings of one recogniser that differ in this never supersede one another (another `Host` entry, another
    /// session); those with the same do, the last one wins.
    pub label: Option<String>,
}

impl Finding {
    pub(super) fn new(recogniser: &'static str, line: usize, confidence: Confidence, what: What) -> Self {
        Self { what, text: 0, line, confidence, recogniser, label: None }
    }

    pub(super) fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

/// The kinds of finding. `Debug` and `Display` never show a password.
#[derive(Debug, Clone)]
pub enum What {
    /// A way to a runtime.
    Link {
        /// The way.
        link: FoundLink,
        /// The user that the same line or block names.
        user: Option<UserName>,
    },
    /// A port on the loopback of a machine that the line does not name.
    LoopbackPort {
        /// The port.
        port: Port,
        /// The user that the same line names.
        user: Option<UserName>,
    },
    /// Whom to log in as.
    User(UserName),
    /// A login password.
    Password {
        /// Whose it is, when the text says so.
        user: Option<UserName>,
        /// The password.
        secret: SecretString,
    },
    /// The password of the relay that the runtime opens its tunnel to.
    RelayPassword(SecretString),
    /// A secret that is neither, or not clearly: it is not taken, and must not be shown.
    OtherSecret(SecretString),
    /// The fingerprint of the runtime's host key, told by the runtime itself.
    Fingerprint(Fingerprint),
    /// A host key of the runtime, told by the runtime itself.
    HostKey {
        /// The key.
        key: HostKey,
        /// The names that the line gives it; empty when the runtime printed it as its own.
        of: Vec<Place>,
    },
    /// The folder to open.
    Folder(RemotePath),
    /// The alias that the person or tool gave this runtime.
    Name(Alias),
    /// Something to ask or tell before the reading is used.
    Doubt(Doubt),
    /// Something known that leads nowhere, or that is left out on purpose.
    Notice(Notice),
}

impl What {
    /// The secret that it holds.
    pub(super) fn secret(&self) -> Option<&SecretString> {
        match self {
            Self::Password { secret, .. } | Self::RelayPassword(secret) | Self::OtherSecret(secret) => {
                Some(secret)
            }
            _ => None,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { link, .. } => write!(f, "{link}"),
            Self::LoopbackPort { port, .. } => write!(f, "port {port} of an unnamed machine"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Password { user: Some(user), .. } => write!(f, "a password for {user}"),
            Self::Password { user: None, .. } => f.write_str("a password"),
            Self::RelayPassword(_) => f.write_str("the relay's password"),
            Self::OtherSecret(_) => f.write_str("another secret"),
            Self::Fingerprint(print) => write!(f, "{print}"),
            Self::HostKey { key, .. } => write!(f, "host key {}", key.fingerprint()),
            Self::Folder(path) => write!(f, "folder {path}"),
            Self::Name(alias) => write!(f, "name {alias}"),
            Self::Doubt(doubt) => write!(f, "{doubt}"),
            Self::Notice(notice) => write!(f, "{notice}"),
        }
    }
}
