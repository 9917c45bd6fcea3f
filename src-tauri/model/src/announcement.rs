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

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use moorline_ssh_files::HostKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub use content::{Announcement, Endpoint, Info, InvalidRuntimeId, Kind, LONGEST, Refusal, RuntimeId};

use crate::session::{Link, RelayLink};
use crate::session_key::{AnnouncementKey, KeyId};
use crate::trust::Trust;

/// How every line of this version starts.
pub const PREFIX: &str = "ml1.";

/// An announcement that is older than this tells nothing any more.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// How far a runtime's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

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

mod content;
#[cfg(test)]
mod tests;
