//! The session key: 32 random bytes that a session and its runtimes share, and what is derived from them.
//!
//! Its text form is `mlk1-<generation>-<43 characters>`: a decimal from 1 and the bytes as base64url without padding.
//! The vault holds that text, and a person puts it once into the notebook's secrets, where the setup cell reads it.
//! Everything else comes from it by HKDF-SHA256 (RFC 5869) without salt, under the info text
//! `moorline/1/<generation>/<purpose>`, so a new generation changes every derived key.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use moorline_ssh_files::{Alias, HostKey};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::next_step::NextStep;

const PREFIX: &str = "mlk1-";

/// The largest generation: nine digits are more than anybody rotates.
const LAST_GENERATION: u32 = 999_999_999;

/// A session's key. `Debug` shows its generation alone.
#[derive(Clone)]
pub struct SessionKey {
    generation: u32,
    bytes: Zeroizing<[u8; 32]>,
}

/// Which session key, of which generation, an announcement was made under: 12 characters of base64url. No secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// The key that vouches for announcements.
#[derive(Clone)]
pub struct AnnouncementKey(Zeroizing<[u8; 32]>);

/// The name of the ntfy topic: whoever knows it can read the announcements, and send others into it.
#[derive(Clone)]
pub struct Topic(SecretString);

/// A text that is no session key. What was given is not repeated: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no session key: it is one text such as mlk1-1-… with 43 letters after the second dash; copy it whole, or make a new one"
)]
pub struct InvalidSessionKey;

impl InvalidSessionKey {
    /// What a person can do about it here.
    pub const NEXT_STEP: NextStep = NextStep::NewSessionKey { session: None };
}

/// A text that is no key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 12 characters of A-Z, a-z, 0-9, - and _")]
pub struct InvalidKeyId;

impl SessionKey {
    /// A new key of this generation from the system's randomness.
    ///
    /// # Errors
    /// The system gives none.
    pub fn random(generation: u32) -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self { generation: generation.clamp(1, LAST_GENERATION), bytes })
    }

    /// How often the session's key was made anew, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The text form, which is the secret itself.
    pub fn text(&self) -> SecretString {
        let encoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*self.bytes));
        SecretString::from(format!("{PREFIX}{}-{}", self.generation, *encoded))
    }

    /// What announcements under this key are marked with.
    pub fn id(&self) -> KeyId {
        let mut bytes = [0; 9];
        self.derive("key-id", &mut bytes);
        KeyId(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key of the announcements' HMAC.
    pub fn announcement_key(&self) -> AnnouncementKey {
        AnnouncementKey(self.seed("announcement-mac"))
    }

    /// The topic on an ntfy server.
    pub fn topic(&self) -> Topic {
        let mut bytes = Zeroizing::new([0; 18]);
        self.derive("ntfy-topic", bytes.as_mut_slice());
        Topic(SecretString::from(format!("ml-{}", BASE64_URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// The public host key of every runtime that the session's setup cell starts.
    pub fn host_key(&self) -> HostKey {
        public_half(&self.host_key_pair())
    }

    /// The private host key as OpenSSH's own text: what the setup cell makes on the runtime.
    pub fn host_key_pem(&self) -> SecretString {
        pem(&self.host_key_pair())
    }

    /// The public half of the key with which the runtime logs in to the relay, without comment.
    pub fn relay_login_key(&self) -> HostKey {
        public_half(&self.relay_pair())
    }

    /// The private half of [`Self::relay_login_key`] as OpenSSH's own text.
    pub fn relay_login_pem(&self) -> SecretString {
        pem(&self.relay_pair())
    }

    fn host_key_pair(&self) -> Ed25519Keypair {
        Ed25519Keypair::from_seed(&self.seed("host-key"))
    }

    fn relay_pair(&self) -> Ed25519Keypair {
        Ed25519Keypair::from_seed(&self.seed("relay-key"))
    }

    fn seed(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        self.derive(purpose, seed.as_mut_slice());
        seed
    }

    fn derive(&self, purpose: &str, out: &mut [u8]) {
        let info = format!("moorline/1/{}/{purpose}", self.generation);
        let expanded = Hkdf::<Sha256>::new(None, self.bytes.as_slice()).expand(info.as_bytes(), out);
        // HKDF gives up to 255 blocks of 32 bytes; no purpose asks for more than one.
        debug_assert!(expanded.is_ok(), "{purpose} asks for too much");
    }
}

/// The name under which the person keeps the key in a notebook's secrets: `MOORLINE_COLAB` for a session `colab`.
pub fn secret_name(session: &Alias) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("MOORLINE_{}", session.as_str().chars().map(plain).collect::<String>())
}

fn public_half(pair: &Ed25519Keypair) -> HostKey {
    HostKey::from_ed25519(&pair.public.0)
}

fn pem(pair: &Ed25519Keypair) -> SecretString {
    // An Ed25519 pair without a passphrase always has a text form.
    let key = PrivateKey::new(KeypairData::Ed25519(pair.clone()), "");
    let text = key.and_then(|key| key.to_openssh(LineEnding::LF));
    debug_assert!(text.is_ok(), "an Ed25519 pair has a text form");
    SecretString::from(text.map(|text| text.to_string()).unwrap_or_default())
}

impl FromStr for SessionKey {
    type Err = InvalidSessionKey;

    fn from_str(text: &str) -> Result<Self, InvalidSessionKey> {
        let (generation, encoded) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).ok_or(InvalidSessionKey)?;
        let plain = (1..=9).contains(&generation.len()) && generation.bytes().all(|b| b.is_ascii_digit());
        if !plain || generation.starts_with('0') {
            return Err(InvalidSessionKey);
        }
        let generation = generation.parse().map_err(|_| InvalidSessionKey)?;
        let mut bytes = Zeroizing::new([0; 32]);
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(encoded, bytes.as_mut_slice());
        if length == Ok(32) { Ok(Self { generation, bytes }) } else { Err(InvalidSessionKey) }
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey(generation {})", self.generation)
    }
}

impl KeyId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let ok = text.len() == 12 && text.bytes().all(plain);
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidKeyId) }
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AnnouncementKey {
    /// The 32 bytes themselves.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for AnnouncementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnnouncementKey(…)")
    }
}

impl Topic {
    /// The topic's name, for the request's path alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Topic(…)")
    }
}

#[cfg(test)]
mod tests;
