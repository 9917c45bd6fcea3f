//! The signed line by which a runtime tells of itself.
//!
//! `ml1.<kid>.<body>.<mac>`, each part base64url without padding (RFC 4648 section 5) but the key id, which is so
//! already. The MAC is HMAC-SHA256 (RFC 2104) over everything before its dot, under the session key's
//! [`AnnouncementKey`]. The body is JSON:
//!
//! ```json
//! {"v":1,"kind":"up","runtime":"<16 random bytes>","born":1795000000,"seq":1,"at":1795000001,
//!  "endpoints":[{"link":"ngrok","host":"0.tcp.eu.ngrok.io","port":15873}],"user":"root",
//!  "host_keys":["ssh-ed25519 AAAA…"],"info":{"gpu":"Tesla T4","release":"…"}}
//! ```
//!
//! `kind` is `up`, `beat` or `down`; `born` and `at` are Unix seconds; `host_keys` is there only when they are not
//! derived from the session key; `info` may be left out. A line has at most 2048 bytes. Whoever carries it can hold
//! it back, send it again or make noise; what is believed is decided here, and needs the session key.

mod body;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use moorline_ssh_files::{HostKey, HostName, Place, Port, UserName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use crate::session::{Link, RelayLink};
use crate::session_key::{AnnouncementKey, KeyId};
use crate::trust::Trust;

/// No line is longer, in bytes.
pub const LONGEST: usize = 2048;

/// How every line of this version starts.
pub const PREFIX: &str = "ml1.";

/// An announcement that is older than this tells nothing any more.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// How far a runtime's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

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

/// What a runtime runs on. Printable text, shown to people and used for nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The GPU's name.
    pub gpu: Option<String>,
    /// The image's release.
    pub release: Option<String>,
}

/// The last announcement of a session that was accepted, as it is kept to refuse what is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Under which session key it was made.
    pub kid: KeyId,
    /// The runtime.
    pub runtime: RuntimeId,
    /// When it was born.
    pub born: Timestamp,
    /// The highest number that it used.
    pub seq: u64,
    /// When that was said.
    pub at: Timestamp,
}

impl Accepted {
    /// Whether it was said by the same runtime under the same session key.
    pub fn is_of(&self, said: &Announcement) -> bool {
        self.runtime == said.runtime && self.kid == said.kid
    }

    /// Whether it was said too long ago to tell anything.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > OLDEST
    }

    /// Whether `other` is older news than this, under the same session key: it may not take this one's place.
    pub fn outdates(&self, other: &Self) -> bool {
        let newer =
            if self.runtime == other.runtime { self.seq > other.seq } else { self.born >= other.born };
        self.kid == other.kid && newer
    }
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

/// The key id that a line names, for finding the session to which it belongs. Proves nothing.
///
/// # Errors
/// It does not look like an announcement.
pub fn key_id(line: &str) -> Result<KeyId, Refusal> {
    parts(line).map(|parts| parts.kid)
}

/// The key id that a word names, also one that is cut short: whether anybody's key has that id tells an announcement
/// from a host whose name begins like one.
pub fn named_key_id(word: &str) -> Option<KeyId> {
    word.strip_prefix(PREFIX)?.split('.').next()?.parse().ok()
}

/// Reads a line and checks that it was made under this key.
///
/// # Errors
/// Whatever is wrong with the line itself; whether it is news is for [`accept`].
pub fn open(line: &str, kid: &KeyId, key: &AnnouncementKey) -> Result<Announcement, Refusal> {
    let parts = parts(line)?;
    if parts.kid != *kid {
        return Err(Refusal::Foreign(parts.kid));
    }
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Encoding);
    let (body, tag) = (decode(parts.body)?, decode(parts.mac)?);
    let genuine = mac(key, parts.signed).is_some_and(|mac| mac.verify_slice(&tag).is_ok());
    if genuine { body::read(&body, parts.kid) } else { Err(Refusal::Forged) }
}

/// Whether a genuine announcement is news, and what to keep so that it is not news a second time. The clock comes
/// from outside. What was accepted under another session key counts for nothing: whoever stole that one may have
/// used up its numbers.
///
/// # Errors
/// It is too old, from the future, or was overtaken.
pub fn accept(last: Option<&Accepted>, said: &Announcement, now: Timestamp) -> Result<Accepted, Refusal> {
    let age = now.duration_since(said.at);
    if age > OLDEST {
        return Err(Refusal::Old(said.at));
    }
    if age < -AHEAD {
        return Err(Refusal::Future(said.at));
    }
    if said.born > said.at {
        return Err(Refusal::BornLater);
    }
    let last = last.filter(|last| last.kid == said.kid);
    match last {
        Some(last) if last.runtime == said.runtime && said.seq == last.seq => return Err(Refusal::Known),
        Some(last) if last.runtime == said.runtime && said.seq < last.seq => return Err(Refusal::Replayed),
        Some(last) if last.runtime != said.runtime && said.born <= last.born => return Err(Refusal::Older),
        _ => {}
    }
    let (kid, runtime) = (said.kid.clone(), said.runtime.clone());
    Ok(Accepted { kid, runtime, born: said.born, seq: said.seq, at: said.at })
}

/// The link to take: one of the kind that the session has now, else the first that can be taken. The relay is always
/// the session's own, and an announcement names none.
pub fn way(now: Option<&Link>, endpoints: &[Endpoint]) -> Option<Link> {
    let link = |endpoint: &Endpoint| match (endpoint, now) {
        (Endpoint::Ngrok(place), _) => Some(Link::Ngrok(place.clone())),
        (Endpoint::Direct(place), _) => Some(Link::Direct(place.clone())),
        (Endpoint::Cloudflare(host), _) => Some(Link::Cloudflare(host.clone())),
        (Endpoint::Relay(port), Some(Link::Relay(link))) => {
            Some(Link::Relay(RelayLink { port: *port, ..link.clone() }))
        }
        (Endpoint::Relay(_), _) => None,
    };
    let same_kind = endpoints.iter().filter(|endpoint| now.is_some_and(|now| endpoint.kind() == now.kind()));
    same_kind.chain(endpoints).find_map(link)
}

/// The keys that the runtime may show: those that it named, or the derived one.
pub fn keys(said: &Announcement, derived: HostKey) -> Vec<(HostKey, Trust)> {
    if said.host_keys.is_empty() {
        return vec![(derived, Trust::Derived)];
    }
    said.host_keys.iter().map(|key| (key.clone(), Trust::Announced)).collect()
}

/// The line for an announcement: what a runtime makes, here for tests and for programs that play one.
pub fn seal(said: &Announcement, kid: &KeyId, key: &AnnouncementKey) -> String {
    seal_bytes(&body::write(said), kid, key)
}

/// As [`seal`], with any bytes as the body.
pub fn seal_bytes(body: &[u8], kid: &KeyId, key: &AnnouncementKey) -> String {
    let signed = format!("{PREFIX}{kid}.{}", BASE64_URL_SAFE_NO_PAD.encode(body));
    let tag = mac(key, &signed).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

struct Parts<'a> {
    kid: KeyId,
    body: &'a str,
    mac: &'a str,
    /// Everything before the last dot.
    signed: &'a str,
}

fn parts(line: &str) -> Result<Parts<'_>, Refusal> {
    let rest = line.strip_prefix(PREFIX).ok_or(Refusal::NotOne)?;
    if line.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    let mut fields = rest.split('.');
    let (kid, body, mac) = (fields.next(), fields.next(), fields.next());
    let (Some(kid), Some(body), Some(mac)) = (kid, body, mac) else { return Err(Refusal::Truncated) };
    if fields.next().is_some() {
        return Err(Refusal::Encoding);
    }
    let kid = kid.parse().map_err(|_| Refusal::Encoding)?;
    if mac.len() < 43 {
        return Err(Refusal::Truncated);
    }
    Ok(Parts { kid, body, mac, signed: &line[..line.len() - mac.len() - 1] })
}

/// HMAC takes a key of any length; the `None` is only its signature's.
fn mac(key: &AnnouncementKey, signed: &str) -> Option<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(key.bytes()).ok().map(|mac| mac.chain_update(signed.as_bytes()))
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

#[cfg(test)]
mod tests;
