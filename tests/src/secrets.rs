//! The search for secrets that were left where they must not be.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use memchr::memmem;

use crate::tree;

/// Texts that must not be found, each in every disguise that a program may write by mistake.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    disguises: Vec<(&'static str, Vec<u8>)>,
}

impl Secrets {
    /// Adds a secret, raw and as base64, hex, UTF-16 and percent-encoded text.
    pub fn add(&mut self, secret: &str) {
        assert!(secret.len() >= 8, "a shorter secret would be found by chance");
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        self.disguises.push(("raw", bytes.to_vec()));
        self.disguises.push(("hex", hex.to_uppercase().into_bytes()));
        self.disguises.push(("hex", hex.into_bytes()));
        self.disguises.push(("percent-encoded", percent.into_bytes()));
        self.disguises.push(("UTF-16", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        for alignment in 0..3 {
            self.disguises.push(("base64", base64_core(bytes, alignment)));
        }
    }

    /// In which disguises the bytes hold one of the secrets.
    pub fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<&'static str> {
        let holds = |needle: &[u8]| memmem::find(bytes, needle).is_some();
        self.disguises.iter().filter(|(_, needle)| holds(needle)).map(|(name, _)| *name).collect()
    }

    /// Every file and link below the folder that holds one, by name or content; one sentence each.
    pub fn find_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for (path, entry) in tree::content(folder) {
            let name = path.as_os_str().as_encoded_bytes();
            for disguise in self.in_bytes(entry.content.as_deref().unwrap_or_default()) {
                found.push(format!("{} holds a secret ({disguise})", path.display()));
            }
            for disguise in self.in_bytes(name) {
                found.push(format!("the name {} holds a secret ({disguise})", path.display()));
            }
        }
        found
    }
}

/// Looks through the process list (`cmdline` and `environ`) over and over until it is stopped.
#[derive(Debug)]
pub struct ProcessWatch {
    stop: Arc<AtomicBool>,
    found: Arc<Mutex<BTreeSet<String>>>,
    rounds: JoinHandle<usize>,
}

impl ProcessWatch {
    /// Starts to look.
    pub fn start(secrets: Secrets) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let found = Arc::new(Mutex::new(BTreeSet::new()));
        let (stopped, finds) = (Arc::clone(&stop), Arc::clone(&found));
        let rounds = thread::spawn(move || {
            let mut rounds = 0;
            while !stopped.load(Ordering::Relaxed) {
                look(&secrets, &finds);
                rounds += 1;
                thread::sleep(Duration::from_millis(1));
            }
            rounds
        });
        Self { stop, found, rounds }
    }

    /// Stops, and returns how often it looked and what it found.
    pub fn finish(self) -> (usize, BTreeSet<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let rounds = self.rounds.join().expect("the watch ends well");
        let found = self.found.lock().expect("nobody else holds it").clone();
        (rounds, found)
    }
}

fn look(secrets: &Secrets, found: &Mutex<BTreeSet<String>>) {
    for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
        if entry.file_name().to_str().is_none_or(|name| name.parse::<u32>().is_err()) {
            continue;
        }
        for part in ["cmdline", "environ"] {
            let Ok(bytes) = fs::read(entry.path().join(part)) else { continue };
            if secrets.in_bytes(&bytes).is_empty() {
                continue;
            }
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            found.lock().expect("nobody else holds it").insert(format!("{part} of {}", name.trim()));
        }
    }
}

/// The base64 text that stands for these bytes wherever they begin, without the characters that depend on
/// their neighbours. `alignment` is the number of bytes before them, modulo 3.
fn base64_core(bytes: &[u8], alignment: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = Vec::new();
    for byte in std::iter::repeat_n(&0u8, alignment).chain(bytes) {
        bits.extend((0..8).rev().map(|shift| byte >> shift & 1));
    }
    let first = (alignment * 8).div_ceil(6);
    let whole = bits.chunks_exact(6).skip(first);
    whole.map(|six| ALPHABET[six.iter().fold(0usize, |value, bit| value << 1 | usize::from(*bit))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disguise_is_seen() {
        let mut secrets = Secrets::default();
        secrets.add("b7Tq9ZxR2mW4");
        let seen = |text: &str| secrets.in_bytes(text.as_bytes()).into_iter().collect::<Vec<_>>();
        assert_eq!(seen("x=b7Tq9ZxR2mW4;"), ["raw"], "plain text is seen");
        // printf '%s' ab7Tq9ZxR2mW4z | base64, and so on
        assert_eq!(seen("YjdUcTlaeFIybVc0"), ["base64"], "base64 from the start is seen");
        assert_eq!(seen("YWI3VHE5WnhSMm1XNHo="), ["base64"], "base64 after one byte is seen");
        assert_eq!(seen("YWFiN1RxOVp4UjJtVzR6"), ["base64"], "base64 after two bytes is seen");
        assert_eq!(seen("62375471395a7852326d5734"), ["hex"], "hex is seen");
        assert!(seen("b7Tq9ZxR2mW").is_empty(), "a part is not the secret");
    }
}
