//! Hashed names: `|1|salt|hash`, both base64, hash = HMAC-SHA1 of the lower-case name under the salt
//! (OpenSSH `ssh-keygen(1)`, `-H`, and `hostfile.c`'s `HASH_MAGIC` form).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// What OpenSSH writes; other lengths are read all the same.
const SALT_LENGTH: usize = 20;
const HASH_LENGTH: usize = 20;

/// A hashed name with its salt already worked into the MAC, so that several names can be tried for the price of one.
pub(super) struct HashedName {
    keyed: Hmac<Sha1>,
    hash: [u8; HASH_LENGTH],
}

impl HashedName {
    /// Decodes salt and hash; `None` if they are not what a hashed name looks like.
    pub(super) fn read(salt: &[u8], hash: &[u8]) -> Option<Self> {
        let mut salt_bytes = [0_u8; 96];
        let salt_length = BASE64_STANDARD.decode_slice(salt, &mut salt_bytes).ok()?;
        let mut hash_bytes = [0_u8; HASH_LENGTH + 1];
        let hash_length = BASE64_STANDARD.decode_slice(hash, &mut hash_bytes).ok()?;
        let hash = *hash_bytes[..hash_length].first_chunk()?;
        let keyed = Hmac::new_from_slice(&salt_bytes[..salt_length]).ok()?;
        (hash_length == HASH_LENGTH).then_some(Self { keyed, hash })
    }

    /// Whether this is `name`, which must be in lower case.
    pub(super) fn is(&self, name: &[u8]) -> bool {
        let mut mac = self.keyed.clone();
        mac.update(name);
        mac.finalize().into_bytes()[..] == self.hash
    }
}

/// The hashed form of `name` (in lower case) under a fresh random salt.
pub(super) fn hash(name: &[u8]) -> Result<String, String> {
    let mut salt = [0_u8; SALT_LENGTH];
    getrandom::fill(&mut salt).map_err(|e| e.to_string())?;
    Ok(hash_with(salt, name))
}

fn hash_with(salt: [u8; SALT_LENGTH], name: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new(&padded(salt));
    mac.update(name);
    let hash = mac.finalize().into_bytes();
    format!("|1|{}|{}", BASE64_STANDARD.encode(salt), BASE64_STANDARD.encode(hash))
}

/// HMAC pads a short key with zeros to the block size (RFC 2104 section 2).
fn padded(salt: [u8; SALT_LENGTH]) -> hmac::digest::Key<Hmac<Sha1>> {
    let mut key = hmac::digest::Key::<Hmac<Sha1>>::default();
    key[..SALT_LENGTH].copy_from_slice(&salt);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hashed_by_ssh_keygen_are_known() {
        // Two lines of one file, made by `ssh-keygen -H`.
        for (salt, hash, name) in [
            ("ZA2H50HmqkxmmoKkzTBHh5YFE6s=", "OjnTqJQG4AQPQl/j9TfINfh01Hk=", "[127.0.0.1]:7423"),
            ("QgVxTN/hTtnj0DDd94h3gblk9RA=", "ZoZY4iGFj9hXeC8qIofPMTBcwng=", "github.com"),
        ] {
            let hashed = HashedName::read(salt.as_bytes(), hash.as_bytes()).unwrap();
            assert!(hashed.is(name.as_bytes()), "{name}");
            assert!(!hashed.is(b"else"));
        }
    }

    #[test]
    fn what_is_written_is_read_and_every_salt_differs() {
        let (one, two) = (hash(b"colab").unwrap(), hash(b"colab").unwrap());
        assert_ne!(one, two);
        let (salt, hash) = one.strip_prefix("|1|").unwrap().split_once('|').unwrap();
        assert_eq!((salt.len(), hash.len()), (28, 28));
        assert!(HashedName::read(salt.as_bytes(), hash.as_bytes()).unwrap().is(b"colab"));
    }

    #[test]
    fn bad_base64_is_no_hashed_name() {
        assert!(HashedName::read(b"notbase64", b"xx").is_none());
        assert!(HashedName::read(b"", b"").is_none());
        assert!(HashedName::read(&[b'A'; 400], &[b'A'; 28]).is_none());
    }
}
