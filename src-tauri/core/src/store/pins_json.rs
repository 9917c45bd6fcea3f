//! `pins.json`: which host keys each session's runtime may show, and how each was learned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use moorline_model::announcement::Accepted;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, Place};
use serde::{Deserialize, Serialize};

use crate::store::dirs::{Dirs, DirsError};
use crate::store::{read_file, write_file};

/// The layout that this version reads and writes.
const VERSION: u64 = 1;

/// All sessions' pins in memory. Whoever saves holds the [state lock](crate::store::state_lock::StateLock) from before
/// the load.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
    unchanged: Option<String>,
    remark: Option<String>,
    /// What is there cannot be understood, and is moved aside before it is replaced.
    unreadable: bool,
    sessions: BTreeMap<Alias, SessionPins>,
}

/// What is known of one session's runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPins {
    /// The pinned keys; several when a runtime has one per algorithm.
    #[serde(default)]
    pub keys: Vec<PinnedKey>,
    /// Fingerprints that stood in a paste while the runtime could not be reached; one of them must answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Fingerprint>,
    /// Endpoint names that Moorline put into `known_hosts`, and with which key: what it may take out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<WrittenName>,
    /// The host key of the runtime on which the login key was installed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_key_installed: Option<Fingerprint>,
    /// The last announcement that was accepted: what is sent again is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// The last announcements of runtimes that were not followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Accepted>,
    /// The relays that were prepared for the session's runtimes: where there is something to undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<String>,
    /// Whether there may be a service token in the vault. Spares a look there on each way through a tunnel; for which
    /// tunnel it was given stands beside the token alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_token_kept: bool,
}

/// A host key that is accepted for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedKey {
    /// The key.
    pub key: HostKey,
    /// How it was learned.
    pub trust: Trust,
    /// When it was learned.
    pub learned: Timestamp,
}

/// An endpoint under whose name a key was written to `known_hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenName {
    /// The endpoint.
    #[serde(with = "place")]
    pub place: Place,
    /// The key that was written under it.
    pub key: HostKey,
}

/// Why the pins could not be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The file is there, and cannot be read.
    #[error("cannot read {path}: {source}; check its permissions and try again")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be replaced.
    #[error("cannot write {path}: {source}; the old file is still in place")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file's directory cannot be made.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// A file that cannot be understood could not be moved aside.
    #[error("cannot understand {path} nor move it aside: {source}; move it away yourself and try again")]
    KeepAside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer Moorline wrote the file.
    #[error(
        "{path} has version {found}, and this Moorline knows version {VERSION}: use the newer Moorline that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it says.
        found: u64,
    },
}

impl Pins {
    /// Reads the file; one that is missing pins nothing.
    ///
    /// Of a file that cannot be understood nothing is pinned: the safe state, since every runtime then shows a key that
    /// a person must settle again. [`Pins::remark`] says so. It stays where it is until [`Pins::save`] has something
    /// to write; then it is moved aside, to `pins.json.unreadable-1` and so on.
    ///
    /// # Errors
    /// The file cannot be read, or is newer.
    pub fn load(path: &Path) -> Result<Self, PinsError> {
        let empty = |remark| Self {
            path: path.to_owned(),
            unchanged: None,
            remark,
            unreadable: false,
            sessions: BTreeMap::new(),
        };
        let bytes = match read_file::read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(empty(None)),
            Err(source) => return Err(PinsError::Read { path: path.to_owned(), source }),
        };
        if let Ok(Head { version }) = serde_json::from_slice(&bytes)
            && version > VERSION
        {
            return Err(PinsError::Newer { path: path.to_owned(), found: version });
        }
        let read: Result<Layout, _> = serde_json::from_slice(&bytes);
        match read {
            Ok(layout) => {
                let text = String::from_utf8(bytes).ok();
                Ok(Self { unchanged: text, sessions: layout.sessions, ..empty(None) })
            }
            Err(error) => {
                let remark = format!(
                    "{} cannot be understood (line {}); no host key is pinned any more, and each runtime's key must \
                     be settled again; the file is kept beside it when it is written anew",
                    path.display(),
                    error.line().max(1),
                );
                tracing::warn!(file = %path.display(), "pins cannot be understood");
                Ok(Self { unreadable: true, ..empty(Some(remark)) })
            }
        }
    }

    /// A sentence for the person about what happened while loading.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// All sessions that have pins.
    pub fn sessions(&self) -> &BTreeMap<Alias, SessionPins> {
        &self.sessions
    }

    /// One session's pins.
    pub fn get(&self, name: &Alias) -> Option<&SessionPins> {
        self.sessions.get(name)
    }

    /// The keys that are pinned for a session.
    pub fn keys_of(&self, name: &Alias) -> Vec<HostKey> {
        let keys = self.get(name).map(|pins| pins.keys.iter().map(|pinned| pinned.key.clone()));
        keys.map(Iterator::collect).unwrap_or_default()
    }

    /// One session's pins, to change them; empty ones are made where there are none.
    pub fn entry(&mut self, name: &Alias) -> &mut SessionPins {
        self.sessions.entry(name.clone()).or_default()
    }

    /// Forgets a session, and gives back what was known of it.
    pub fn remove(&mut self, name: &Alias) -> Option<SessionPins> {
        self.sessions.remove(name)
    }

    /// Writes the file, 0600, in a directory for the person alone; `false` when nothing had changed, and then
    /// nothing is written.
    ///
    /// # Errors
    /// The file cannot be written; the old one is still in place.
    pub fn save(&mut self) -> Result<bool, PinsError> {
        let failed = |source| PinsError::Write { path: self.path.clone(), source };
        let layout = LayoutRef { version: VERSION, sessions: &self.sessions };
        let mut text = serde_json::to_string_pretty(&layout).map_err(|e| failed(e.into()))?;
        text.push('\n');
        let nothing_to_say = self.unchanged.is_none() && self.sessions.is_empty();
        if nothing_to_say || self.unchanged.as_ref() == Some(&text) {
            return Ok(false);
        }
        if let Some(dir) = self.path.parent() {
            Dirs::create_private(dir)?;
        }
        if self.unreadable {
            keep_aside(&self.path)
                .map_err(|source| PinsError::KeepAside { path: self.path.clone(), source })?;
            self.unreadable = false;
        }
        write_file::replace(&self.path, text.as_bytes()).map_err(failed)?;
        self.unchanged = Some(text);
        Ok(true)
    }
}

impl SessionPins {
    /// Whether `key` is pinned.
    pub fn holds(&self, key: &HostKey) -> bool {
        self.keys.iter().any(|pinned| pinned.key == *key)
    }

    /// Whether a pinned key is derived from the session key: then it is the same on every runtime, wherever it is
    /// reached, and stands under the alias alone.
    pub fn derived(&self) -> bool {
        self.keys.iter().any(|pinned| pinned.trust == Trust::Derived)
    }

    /// Whether something newer than this announcement was accepted meanwhile. A runtime that was heard before is held to
    /// its own numbers: it may come back after a younger one.
    pub fn outdates(&self, announced: &Accepted) -> bool {
        let same = |other: &&Accepted| other.runtime == announced.runtime && other.kid == announced.kid;
        let last = self.accepted.as_ref();
        let own = last.filter(same).or_else(|| self.heard.iter().find(same));
        own.or(last).is_some_and(|kept| kept.outdates(announced))
    }

    /// Makes `keys` the only pinned ones. A key that was pinned before keeps the time at which it was learned,
    /// and the better trust of the two.
    pub fn pin_only(&mut self, keys: impl IntoIterator<Item = (HostKey, Trust)>, now: Timestamp) {
        let mut pinned: Vec<PinnedKey> = Vec::new();
        for (key, trust) in keys {
            if pinned.iter().any(|p| p.key == key) {
                continue;
            }
            let new = match self.keys.iter().find(|old| old.key == key) {
                Some(old) => PinnedKey { trust: old.trust.max(trust), ..old.clone() },
                None => PinnedKey { key, trust, learned: now },
            };
            pinned.push(new);
        }
        self.keys = pinned;
    }
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

#[derive(Deserialize)]
struct Layout {
    #[expect(dead_code, reason = "a file without a version is not ours")]
    version: u64,
    sessions: BTreeMap<Alias, SessionPins>,
}

#[derive(Serialize)]
struct LayoutRef<'a> {
    version: u64,
    sessions: &'a BTreeMap<Alias, SessionPins>,
}

fn keep_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for n in 1..=999 {
        let aside = path.with_file_name(format!("{name}.unreadable-{n}"));
        // A link fails where a rename would replace an earlier one.
        match fs::hard_link(path, &aside) {
            Ok(()) => return fs::remove_file(path).map(|()| aside),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // Some file systems have no hard links.
            Err(_) if !aside.exists() => return fs::rename(path, &aside).map(|()| aside),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are 999 such files already"))
}

mod place {
    use moorline_ssh_files::{HostName, Place, Port};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    struct Owned {
        host: HostName,
        port: Port,
    }

    #[derive(Serialize)]
    struct Borrowed<'a> {
        host: &'a HostName,
        port: Port,
    }

    pub fn serialize<S: Serializer>(place: &Place, to: S) -> Result<S::Ok, S::Error> {
        Borrowed { host: &place.host, port: place.port }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Place, D::Error> {
        Owned::deserialize(from).map(|Owned { host, port }| Place { host, port })
    }
}

/// Whether ssh reaches the session through `moorline-proxy`. A runtime whose host key is derived is, wherever it is:
/// its endpoint changes, and neither the entry nor `known_hosts` does.
pub fn runs_our_proxy(session: &Session, pin: &SessionPins) -> bool {
    match &session.link {
        Link::Direct(_) | Link::Ngrok(_) => pin.derived(),
        other => other.runs_moorline(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorline_model::announcement::RuntimeId;

    const ED: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
    const EC: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";

    fn key(line: &str) -> HostKey {
        line.parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("moorline/pins.json");
        (temp, path)
    }

    #[test]
    fn a_runtime_that_was_heard_before_is_held_to_its_own_numbers() {
        let accepted = |runtime: u8, seq| {
            let (kid, born) = ("--OZ09tBwwt2".parse().unwrap(), at(i64::from(runtime)));
            Accepted { kid, runtime: RuntimeId::of([runtime; 16]), born, seq, at: at(60) }
        };
        let mut pin = SessionPins { accepted: Some(accepted(2, 5)), ..SessionPins::default() };
        assert!(pin.outdates(&accepted(1, 4)), "an older one, of which nobody knows");
        pin.heard = vec![accepted(1, 3), accepted(2, 9)];
        assert!(!pin.outdates(&accepted(1, 4)), "it goes on");
        assert!(pin.outdates(&accepted(1, 2)), "that was overtaken");
        assert!(!pin.outdates(&accepted(2, 6)) && pin.outdates(&accepted(2, 4)), "the followed one");
        assert!(pin.outdates(&accepted(0, 1)) && !pin.outdates(&accepted(3, 1)));
    }

    #[test]
    fn everything_reads_back_and_an_unchanged_file_is_not_written() {
        let (_temp, path) = file();
        let colab: Alias = "colab".parse().unwrap();
        let mut pins = Pins::load(&path).unwrap();
        assert!(!pins.save().unwrap() && !path.exists(), "nothing to say, nothing written");
        let entry = pins.entry(&colab);
        entry.pin_only([(key(ED), Trust::Pasted)], at(1_795_000_000));
        entry.expected = vec![key(EC).fingerprint()];
        let place = Place { host: "0.tcp.ngrok.io".parse().unwrap(), port: 15873.try_into().unwrap() };
        entry.written.push(WrittenName { place, key: key(ED) });
        entry.login_key_installed = Some(key(ED).fingerprint());
        assert!(pins.save().unwrap() && !pins.save().unwrap());
        let mut again = Pins::load(&path).unwrap();
        assert_eq!(again.sessions(), pins.sessions());
        assert!(!again.save().unwrap(), "what was read is what would be written");
        assert!(fs::read_to_string(&path).unwrap().contains("\"trust\": \"pasted\""));
        assert!(again.remove(&colab).is_some() && again.remove(&colab).is_none());
        assert!(again.save().unwrap(), "forgetting is a change");
        assert!(Pins::load(&path).unwrap().sessions().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_the_person_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_temp, path) = file();
        let mut pins = Pins::load(&path).unwrap();
        pins.entry(&"a".parse().unwrap());
        pins.save().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn what_cannot_be_understood_is_kept_aside_and_pins_nothing() {
        let (_temp, path) = file();
        fs::create_dir(path.parent().unwrap()).unwrap();
        let smuggled = format!(
            r#"{{"version":1,"sessions":{{"a":{{"keys":[{{"key":"{ED}\n* {ED}","trust":"derived","learned":"2026-11-20T00:00:00Z"}}]}}}}}}"#
        );
        let foreign_name = r#"{"version":1,"sessions":{"*":{"keys":[]}}}"#;
        let garbled: [&[u8]; 6] =
            [b"", b"{\n", b"\xff\xfe{", br#"{"sessions":{}}"#, smuggled.as_bytes(), foreign_name.as_bytes()];
        for (n, bytes) in garbled.iter().enumerate() {
            fs::write(&path, bytes).unwrap();
            let mut pins = Pins::load(&path).unwrap();
            let aside = path.with_file_name(format!("pins.json.unreadable-{}", n + 1));
            assert!(pins.sessions().is_empty(), "the safe state");
            assert!(pins.remark().unwrap().contains(path.to_str().unwrap()), "{:?}", pins.remark());
            assert!(!pins.save().unwrap() && !aside.exists(), "reading changes nothing");
            assert_eq!(fs::read(&path).unwrap(), *bytes);
            pins.entry(&"a".parse().unwrap());
            assert!(pins.save().unwrap());
            assert_eq!(fs::read(&aside).unwrap(), *bytes, "nothing is thrown away");
            assert!(Pins::load(&path).unwrap().remark().is_none(), "said until it is settled");
        }
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let (_temp, path) = file();
        fs::create_dir(path.parent().unwrap()).unwrap();
        let newer = r#"{"version":2,"sessions":["something new"]}"#;
        fs::write(&path, newer).unwrap();
        assert!(matches!(Pins::load(&path), Err(PinsError::Newer { found: 2, .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    }

    #[test]
    fn a_key_seen_again_keeps_its_time_and_the_better_trust() {
        let mut pins = SessionPins::default();
        pins.pin_only([(key(ED), Trust::Approved)], at(1));
        pins.pin_only(
            [(key(ED), Trust::FirstUse), (key(EC), Trust::FirstUse), (key(EC), Trust::Derived)],
            at(2),
        );
        let held: Vec<_> = pins.keys.iter().map(|p| (&p.key, p.trust, p.learned)).collect();
        assert_eq!(held, [(&key(ED), Trust::Approved, at(1)), (&key(EC), Trust::FirstUse, at(2))]);
        pins.pin_only([(key(EC), Trust::Channel)], at(3));
        assert!(!pins.holds(&key(ED)), "the old runtime's key is refused from now on");
        assert_eq!(pins.keys[0].trust, Trust::Channel);
    }
}
