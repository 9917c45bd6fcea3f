//! What an announcement says.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use moorline_ssh_files::{HostKey, HostName, Place, Port, UserName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::session_key::KeyId;

/// No line is longer, in bytes.
pub const LONGEST: usize = 2048;

/// What a runtime says of itself, proven by the session key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Under which session key it was made.
    pub kid: KeyId,
    /// What happened.
    pub kind: Kind,
    /// Which runtime.
    pub runtime: RuntimeId,
    /// When the runtime's first cell ran.
    pub born: Timestamp,
    /// Rises with every announcement of one runtime.
    pub seq: u64,
    /// When it was said.
    pub at: Timestamp,
    /// Ways to the runtime; none where the channel itself tells the place.
    pub endpoints: Vec<Endpoint>,
    /// The login.
    pub user: UserName,
    /// The runtime's host keys; empty when it has the one that is derived from the session key.
    pub host_keys: Vec<HostKey>,
    /// What it runs on, for people.
    pub info: Info,
}

/// What an announcement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The runtime is there, or leads elsewhere now.
    Up,
    /// It is still there.
    Beat,
    /// It is about to end.
    Down,
}

/// A runtime's own name: 16 random bytes, as 22 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuntimeId(String);

impl RuntimeId {
    /// A new one, of these random bytes.
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuntimeId {
    type Err = InvalidRuntimeId;

    fn from_str(text: &str) -> Result<Self, InvalidRuntimeId> {
        let bytes: Option<[u8; 16]> =
            BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::of).ok_or(InvalidRuntimeId)
    }
}

impl fmt::Display for RuntimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RuntimeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RuntimeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no runtime's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a runtime's id is 16 bytes as 22 characters of base64url")]
pub struct InvalidRuntimeId;

/// One way to a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An ngrok TCP endpoint.
    Ngrok(Place),
    /// A Cloudflare tunnel.
    Cloudflare(HostName),
    /// A port on the loopback of the relay that the session names.
    Relay(Port),
    /// A plain host and port.
    Direct(Place),
}

impl Endpoint {
    /// The link's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ngrok(_) => "ngrok",
            Self::Cloudflare(_) => "cloudflare",
            Self::Relay(_) => "relay",
            Self::Direct(_) => "direct",
        }
    }
}

/// What a runtime runs on. Printable text, shown to people and used for nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The GPU's name.
    pub gpu: Option<String>,
    /// The image's release.
    pub release: Option<String>,
}

/// Why an announcement is not believed. Nothing of it was used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has no `ml1.` in front.
    #[error("this is no announcement: one starts with ml1.")]
    NotOne,
    /// It is longer than any announcement.
    #[error("the announcement is longer than {LONGEST} bytes, which none is")]
    TooLong,
    /// It has not all four parts, or its end is missing.
    #[error("the announcement is cut short; copy or send the whole line")]
    Truncated,
    /// It was made under another session's key, or another generation.
    #[error(
        "the announcement was made under another session key ({0}); run the cell again with this session's"
    )]
    Foreign(KeyId),
    /// A part is not base64url in the one spelling that is allowed.
    #[error("the announcement holds characters that none has")]
    Encoding,
    /// The MAC is wrong.
    #[error("the announcement is forged or damaged: its signature is not of this session's key")]
    Forged,
    /// It is genuine, and this version does not know what it says.
    #[error("the announcement cannot be understood: {0}; update Moorline or write the cell anew")]
    Body(String),
    /// It was said too long ago.
    #[error("the announcement is from {0}, more than a day ago, and no longer counts; run the cell again")]
    Old(Timestamp),
    /// It was said in the future.
    #[error("the announcement says that it is from {0}, in the future; set this computer's clock")]
    Future(Timestamp),
    /// The runtime is younger than what it says.
    #[error("the announcement says that it is older than its own runtime")]
    BornLater,
    /// The very one that was accepted last.
    #[error("the announcement is known already")]
    Known,
    /// An earlier one of the same runtime.
    #[error("the announcement was sent again: a later one of the same runtime was accepted already")]
    Replayed,
    /// It is of a runtime that another one followed already.
    #[error("the announcement is of an older runtime than the one that is followed now")]
    Older,
}
