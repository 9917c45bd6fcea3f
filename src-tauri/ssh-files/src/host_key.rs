//! Host keys and their fingerprints.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use crate::names::InvalidName;

const KEY_RULE: &str = "a host key is one line such as `ssh-ed25519 AAAA…`, of type ssh-ed25519, ecdsa-sha2-nistp256/384/521 or ssh-rsa (2048 bits or more)";
const FINGERPRINT_RULE: &str =
    "a fingerprint looks like `SHA256:` and 43 letters, as `ssh-keygen -lf` prints it";

/// The algorithms that a host key may have here: what sshd generates today, without DSA and security keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyAlgorithm {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `ssh-rsa`, the key type; whatever signature algorithm is used with it.
    Rsa,
}

impl KeyAlgorithm {
    /// All of them, the preferred one first.
    pub const ALL: [Self; 5] = [Self::Ed25519, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Rsa];

    /// The name on the wire and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str().as_bytes() == name)
    }
}

/// A public host key. Its text form is always made anew from the decoded bytes, so nothing of the text it was
/// read from (comments, line breaks, further fields) can travel into a file.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostKey {
    algorithm: KeyAlgorithm,
    blob: Vec<u8>,
}

impl HostKey {
    /// Reads an SSH wire-format public key (RFC 4253 section 6.6, RFC 5656, RFC 8709).
    pub fn from_blob(blob: &[u8]) -> Result<Self, InvalidName> {
        Self::check(blob)
            .map(|algorithm| Self { algorithm, blob: blob.to_vec() })
            .ok_or_else(|| InvalidName::new("host key", "(binary)", KEY_RULE))
    }

    /// The Ed25519 key of these 32 bytes (RFC 8709 section 4).
    pub fn from_ed25519(public: &[u8; 32]) -> Self {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend_from_slice(public);
        Self { algorithm: KeyAlgorithm::Ed25519, blob }
    }

    /// The wire-format bytes.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The key's type.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SHA-256 fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.blob).into())
    }

    /// The base64 field as it stands in `known_hosts`.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.blob)
    }

    fn check(blob: &[u8]) -> Option<KeyAlgorithm> {
        let mut rest = blob;
        let algorithm = KeyAlgorithm::from_name(take_string(&mut rest)?)?;
        let ok = match algorithm {
            KeyAlgorithm::Ed25519 => take_string(&mut rest)?.len() == 32,
            KeyAlgorithm::EcdsaP256 => ecdsa_point(&mut rest, b"nistp256", 65)?,
            KeyAlgorithm::EcdsaP384 => ecdsa_point(&mut rest, b"nistp384", 97)?,
            KeyAlgorithm::EcdsaP521 => ecdsa_point(&mut rest, b"nistp521", 133)?,
            KeyAlgorithm::Rsa => {
                let exponent = take_string(&mut rest)?;
                let modulus = take_string(&mut rest)?;
                let significant = modulus.iter().skip_while(|b| **b == 0).count();
                !exponent.is_empty() && exponent.len() <= 8 && (256..=2048).contains(&significant)
            }
        };
        (ok && rest.is_empty()).then_some(algorithm)
    }
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (field, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(field)
}

fn ecdsa_point(rest: &mut &[u8], curve: &[u8], length: usize) -> Option<bool> {
    let named = take_string(rest)?;
    let point = take_string(rest)?;
    Some(named == curve && point.len() == length && point.first() == Some(&4))
}

impl FromStr for HostKey {
    type Err = InvalidName;

    /// Reads `TYPE BASE64 [COMMENT]` on one line; the comment is dropped.
    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let refuse = || InvalidName::new("host key", value, KEY_RULE);
        if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
            return Err(refuse());
        }
        let mut fields = value.split([' ', '\t']).filter(|f| !f.is_empty());
        let (Some(name), Some(encoded)) = (fields.next(), fields.next()) else { return Err(refuse()) };
        let blob = BASE64_STANDARD.decode(encoded).map_err(|_| refuse())?;
        let key = Self::from_blob(&blob).map_err(|_| refuse())?;
        if key.algorithm.as_str() == name { Ok(key) } else { Err(refuse()) }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm.as_str(), self.base64())
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({} {})", self.algorithm.as_str(), self.fingerprint())
    }
}

/// A SHA-256 fingerprint of a host key, as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl FromStr for Fingerprint {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        value
            .strip_prefix("SHA256:")
            .and_then(|v| BASE64_STANDARD_NO_PAD.decode(v.trim_end_matches('=')).ok())
            .and_then(|v| v.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidName::new("fingerprint", value, FINGERPRINT_RULE))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", BASE64_STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::{Fingerprint, HostKey};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    macro_rules! as_text {
        ($($name:ident),*) => {$(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                }
            }
        )*};
    }

    as_text!(HostKey, Fingerprint);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
    const EC: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";

    #[test]
    fn keys_are_re_encoded_and_lose_their_comment() {
        for line in [ED, EC] {
            let key: HostKey = format!("{line}  root@9a1b2c  more").parse().unwrap();
            assert_eq!(key.to_string(), line);
        }
    }

    #[test]
    fn what_could_smuggle_a_second_entry_is_refused() {
        let (kind, encoded) = ED.split_once(' ').unwrap();
        for line in [
            format!("{ED}\n* {ED}"),
            format!("{ED}\r* {ED}"),
            format!("{kind}\n{encoded}"),
            format!("ssh-rsa {encoded}"),
            format!("{kind} {}", &encoded[..encoded.len() - 4]),
            format!("{kind} {encoded}AAAA"),
            format!("@cert-authority * {ED}"),
            "ssh-dss AAAAB3NzaC1kc3MAAACBAP".to_owned(),
            String::new(),
        ] {
            assert!(line.parse::<HostKey>().is_err(), "{line:?}");
        }
    }

    #[test]
    fn fingerprints_match_ssh_keygen() {
        // `ssh-keygen -lf` of the key above.
        let print = "SHA256:".to_owned()
            + &BASE64_STANDARD_NO_PAD.encode(Sha256::digest(ED.parse::<HostKey>().unwrap().blob()));
        assert_eq!(print.parse::<Fingerprint>().unwrap(), ED.parse::<HostKey>().unwrap().fingerprint());
        assert_eq!(print.parse::<Fingerprint>().unwrap().to_string(), print);
        assert!("SHA256:short".parse::<Fingerprint>().is_err());
        assert!("MD5:aa:bb".parse::<Fingerprint>().is_err());
    }
}
