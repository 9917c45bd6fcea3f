//! Hashed names: `|1|salt|hash`, both base64, hash = HMAC-SHA1 of the lower-case name under the salt
//! (OpenSSH `ssh-keygen(1)`, `-H`, and `hostfile.c`'s `HASH_MAGIC` form).
//!
//! Every hashed line of a file has to be hashed anew for every name that is looked for, so this is where the time goes.
//! What OpenSSH writes (a salt of 20 bytes) takes a short way: two compressions for the salt and two for each
//! name, on blocks that were padded beforehand, and three bytes of the stored hash decide nearly always that it is
//! another name. All else, and what passes those three bytes, goes through the HMAC crate.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha1::block_api::compress;

/// What OpenSSH writes; other lengths are read all the same.
const SALT_LENGTH: usize = 20;
const HASH_LENGTH: usize = 20;
/// 20 bytes in base64, the padding included.
const ENCODED_LENGTH: usize = 28;

const BLOCK_LENGTH: usize = 64;
type Block = [u8; BLOCK_LENGTH];
/// SHA-1's chaining value (FIPS 180-4, section 5.3.1).
type State = [u32; 5];
const INITIAL: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
/// RFC 2104, section 2.
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/// Names to look for in the hashed entries of a file.
pub(super) struct Sought {
    names: Vec<Name>,
}

struct Name {
    /// In lower case, as it is hashed.
    text: Vec<u8>,
    /// The name as it follows the salt's block into the inner hash, padded.
    blocks: Vec<Block>,
}

impl Sought {
    /// The names must be in lower case.
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let name = |name: &str| Name { text: name.into(), blocks: blocks_behind_salt(name.as_bytes()) };
        Self { names: names.into_iter().map(name).collect() }
    }

    /// Index of the name that is hashed here; `None` also if salt and hash are not what a hashed name looks like.
    pub(super) fn find(&self, salt: &[u8], hash: &[u8]) -> Option<usize> {
        let usual = salt.first_chunk().filter(|_| salt.len() == ENCODED_LENGTH).and_then(decode_salt);
        let (Some(key), ENCODED_LENGTH) = (usual, hash.len()) else { return self.find_slowly(salt, hash) };
        let first = decode_four(*hash.first_chunk()?)?;
        let (inner, outer) = (keyed(&key, INNER_PAD), keyed(&key, OUTER_PAD));
        let candidate = |name: &Name| {
            let mut state = inner;
            compress(&mut state, &name.blocks);
            let mut block = TAIL_OF_OUTER;
            for (bytes, word) in block.chunks_exact_mut(4).zip(state) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
            state = outer;
            compress(&mut state, &[block]);
            state[0] >> 8 == first
        };
        if self.names.iter().any(candidate) { self.find_slowly(salt, hash) } else { None }
    }

    fn find_slowly(&self, salt: &[u8], hash: &[u8]) -> Option<usize> {
        let mut salt_bytes = [0_u8; 96];
        let salt_length = BASE64_STANDARD.decode_slice(salt, &mut salt_bytes).ok()?;
        let mut hash_bytes = [0_u8; HASH_LENGTH + 1];
        let hash_length = BASE64_STANDARD.decode_slice(hash, &mut hash_bytes).ok()?;
        let keyed = Hmac::<Sha1>::new_from_slice(&salt_bytes[..salt_length]).ok()?;
        self.names.iter().position(|name| {
            let mut mac = keyed.clone();
            mac.update(&name.text);
            mac.finalize().into_bytes()[..] == hash_bytes[..hash_length]
        })
    }
}

/// The message's last block or blocks, with SHA-1's padding, when one block of salt went before.
fn blocks_behind_salt(name: &[u8]) -> Vec<Block> {
    let mut bytes = name.to_vec();
    bytes.push(0x80);
    let bits = 8 * (BLOCK_LENGTH + name.len()) as u64;
    bytes.resize((bytes.len() + 8).next_multiple_of(BLOCK_LENGTH) - 8, 0);
    bytes.extend(bits.to_be_bytes());
    bytes.as_chunks().0.to_vec()
}

/// The outer hash's second block: room for the inner hash, and the padding of a message of 84 bytes.
const TAIL_OF_OUTER: Block = {
    let mut block = [0; BLOCK_LENGTH];
    block[HASH_LENGTH] = 0x80;
    let bits = (8 * (BLOCK_LENGTH + HASH_LENGTH) as u64).to_be_bytes();
    block[BLOCK_LENGTH - 2] = bits[6];
    block[BLOCK_LENGTH - 1] = bits[7];
    block
};

fn keyed(key: &[u8; SALT_LENGTH], pad: u8) -> State {
    let mut block = [pad; BLOCK_LENGTH];
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded ^= byte;
    }
    let mut state = INITIAL;
    compress(&mut state, &[block]);
    state
}

/// Value of each base64 letter; above 63 for what is none.
const VALUES: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [0xff; 256];
    let mut value = 0_u8;
    while value < 64 {
        values[letters[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The three bytes of four letters.
fn decode_four(letters: [u8; 4]) -> Option<u32> {
    let [a, b, c, d] = letters.map(|letter| u32::from(VALUES[usize::from(letter)]));
    ((a | b | c | d) < 64).then_some(a << 18 | b << 12 | c << 6 | d)
}

/// `None` for whatever is not exactly the one encoding of 20 bytes.
fn decode_salt(encoded: &[u8; ENCODED_LENGTH]) -> Option<[u8; SALT_LENGTH]> {
    let mut salt = [0; SALT_LENGTH];
    let (whole, last) = encoded.split_at(ENCODED_LENGTH - 4);
    for (letters, bytes) in whole.as_chunks().0.iter().zip(salt.chunks_exact_mut(3)) {
        bytes.copy_from_slice(&decode_four(*letters)?.to_be_bytes()[1..]);
    }
    let &[a, b, c, b'='] = last else { return None };
    let [0, first, second, 0] = decode_four([a, b, c, b'A'])?.to_be_bytes() else { return None };
    salt[SALT_LENGTH - 2..].copy_from_slice(&[first, second]);
    Some(salt)
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
    use proptest::prelude::*;

    fn find(names: &[&str], salt: &[u8], hash: &[u8]) -> Option<usize> {
        Sought::new(names.iter().copied()).find(salt, hash)
    }

    fn parts(hashed: &str) -> (&str, &str) {
        hashed.strip_prefix("|1|").unwrap().split_once('|').unwrap()
    }

    #[test]
    fn names_hashed_by_ssh_keygen_are_known() {
        // Two lines of one file, made by `ssh-keygen -H`.
        for (salt, hash, name) in [
            ("ZA2H50HmqkxmmoKkzTBHh5YFE6s=", "OjnTqJQG4AQPQl/j9TfINfh01Hk=", "[127.0.0.1]:7423"),
            ("QgVxTN/hTtnj0DDd94h3gblk9RA=", "ZoZY4iGFj9hXeC8qIofPMTBcwng=", "github.com"),
        ] {
            let (salt, hash) = (salt.as_bytes(), hash.as_bytes());
            assert_eq!(find(&["else", name], salt, hash), Some(1), "{name}");
            assert_eq!(find(&["else"], salt, hash), None);
        }
    }

    #[test]
    fn what_is_written_is_read_and_every_salt_differs() {
        let (one, two) = (hash(b"colab").unwrap(), hash(b"colab").unwrap());
        assert_ne!(one, two);
        let (salt, hash) = parts(&one);
        assert_eq!((salt.len(), hash.len()), (28, 28));
        assert_eq!(find(&["colab"], salt.as_bytes(), hash.as_bytes()), Some(0));
    }

    #[test]
    fn salts_of_other_lengths_are_read_too() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"short").unwrap();
        mac.update(b"colab");
        let (salt, hash) =
            (BASE64_STANDARD.encode("short"), BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(find(&["x", "colab"], salt.as_bytes(), hash.as_bytes()), Some(1));
    }

    #[test]
    fn bad_base64_is_no_hashed_name() {
        let one = hash(b"colab").unwrap();
        let (salt, hash) = parts(&one);
        assert_eq!(find(&["colab"], b"notbase64", b"xx"), None);
        assert_eq!(find(&["colab"], b"", b""), None);
        assert_eq!(find(&["colab"], &[b'A'; 400], &[b'A'; 28]), None);
        assert_eq!(find(&["colab"], salt.as_bytes(), &hash.as_bytes()[..27]), None);
        // The last letter before the padding holds two bits that must be zero.
        let stray = |text: &str| text[..26].to_owned() + "B=";
        assert_eq!(find(&["colab"], stray(salt).as_bytes(), hash.as_bytes()), None);
        assert_eq!(find(&["colab"], salt.as_bytes(), stray(hash).as_bytes()), None);
    }

    proptest! {
        /// The short way and the HMAC crate agree, at every length of a name that fits one block, two and three.
        #[test]
        fn the_short_way_finds_what_the_long_way_finds(
            salt in any::<[u8; SALT_LENGTH]>(),
            names in proptest::collection::vec("[a-z0-9.:\\[\\]-]{1,140}", 1..4),
            which in 0_usize..3,
        ) {
            let hashed = hash_with(salt, names[which % names.len()].as_bytes());
            let (salt, hash) = parts(&hashed);
            let (salt, hash) = (salt.as_bytes(), hash.as_bytes());
            let sought = Sought::new(names.iter().map(String::as_str));
            prop_assert!(sought.find(salt, hash).is_some());
            prop_assert_eq!(sought.find(salt, hash), sought.find_slowly(salt, hash));
            prop_assert_eq!(decode_salt(salt.first_chunk().unwrap()).unwrap().to_vec(), BASE64_STANDARD.decode(salt).unwrap());
            prop_assert_eq!(find(&["another"], salt, hash), None);
        }
    }
}
