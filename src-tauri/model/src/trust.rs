//! How a host key was learned, and what may be done with one that nobody vouched for.

use std::fmt;

use moorline_ssh_files::{Fingerprint, HostKey};
use serde::{Deserialize, Serialize};

/// How a host key was learned, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// A person said go without comparing.
    FirstUse,
    /// A person compared the fingerprints.
    Approved,
    /// The key or its fingerprint stood in the pasted text.
    Pasted,
    /// Fetched through a TLS provider that vouches for this runtime, or from a relay port that provably is the
    /// person's own.
    Channel,
    /// Named in an announcement under the session key.
    Announced,
    /// Derived from the session key.
    Derived,
}

impl Trust {
    /// The word in files and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstUse => "first-use",
            Self::Approved => "approved",
            Self::Pasted => "pasted",
            Self::Channel => "channel",
            Self::Announced => "announced",
            Self::Derived => "derived",
        }
    }
}

impl fmt::Display for Trust {
    /// How the key was learned, as the end of a sentence that begins "the key was …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstUse => "taken on first use, not compared",
            Self::Approved => "compared and approved by you",
            Self::Pasted => "given by you",
            Self::Channel => "read over a channel that is yours alone",
            Self::Announced => "announced under the session key",
            Self::Derived => "derived from the session key",
        })
    }
}

/// What vouches for a runtime's host key besides what is already pinned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Keys that stood in the pasted text.
    pub keys: Vec<HostKey>,
    /// Fingerprints that stood in the pasted text, or were given as an option.
    pub fingerprints: Vec<Fingerprint>,
    /// Set when the key came over a channel that proves it (the relay's uid check, a TLS provider).
    pub channel: bool,
}

impl Evidence {
    /// All fingerprints that the person gave, those of whole keys too.
    pub fn all_fingerprints(&self) -> Vec<Fingerprint> {
        self.fingerprints.iter().copied().chain(self.keys.iter().map(HostKey::fingerprint)).collect()
    }

    /// Whether the person gave something to compare with.
    pub fn names_a_key(&self) -> bool {
        !self.keys.is_empty() || !self.fingerprints.is_empty()
    }

    /// Whether the person named this key.
    pub fn names(&self, key: &HostKey) -> bool {
        self.keys.contains(key) || self.fingerprints.contains(&key.fingerprint())
    }
}

/// What is to be done about the key that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is pinned already.
    Known,
    /// It may be pinned, with this trust, without asking.
    Accept(Trust),
    /// Nobody vouched for it: a person must compare.
    Ask,
    /// The person named another key than the one that answers: pin nothing, send nothing.
    Contradicted,
}

/// Whether a key that came over a channel may replace keys that were learned so, unasked. What the session key vouches
/// for is not the channel's to replace: whoever owns a relay has the channel, and not that key.
pub fn channel_may_replace(pinned: impl IntoIterator<Item = Trust>) -> bool {
    pinned.into_iter().all(|trust| trust <= Trust::Channel)
}

/// Judges the key that answers at a session's endpoint.
///
/// A pinned key stays good unless the person has just named a different one. What the person named outranks a
/// channel: text that contradicts the wire is never overruled.
pub fn judge(seen: &HostKey, pinned: &[HostKey], evidence: &Evidence) -> Verdict {
    let known = pinned.contains(seen);
    if evidence.names_a_key() {
        return match (evidence.names(seen), known) {
            (true, true) => Verdict::Known,
            (true, false) => Verdict::Accept(Trust::Pasted),
            (false, _) => Verdict::Contradicted,
        };
    }
    match (known, evidence.channel) {
        (true, _) => Verdict::Known,
        (false, true) => Verdict::Accept(Trust::Channel),
        (false, false) => Verdict::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_never_replaces_what_the_session_key_vouches_for() {
        assert!(channel_may_replace([]));
        assert!(channel_may_replace([Trust::Approved, Trust::Pasted, Trust::Channel]));
        assert!(!channel_may_replace([Trust::Announced]));
        assert!(!channel_may_replace([Trust::Channel, Trust::Derived]));
    }

    fn key(n: u8) -> HostKey {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([n; 32]);
        HostKey::from_blob(&blob).unwrap()
    }

    #[test]
    fn a_pinned_key_is_known_and_a_new_one_is_asked_about() {
        let nothing = Evidence::default();
        assert_eq!(judge(&key(1), &[key(1)], &nothing), Verdict::Known);
        assert_eq!(judge(&key(2), &[key(1)], &nothing), Verdict::Ask, "a changed key is never taken unasked");
        assert_eq!(judge(&key(2), &[], &nothing), Verdict::Ask, "nor is a first one");
    }

    #[test]
    fn what_the_person_named_decides() {
        let by_print = Evidence { fingerprints: vec![key(2).fingerprint()], ..Evidence::default() };
        let by_key = Evidence { keys: vec![key(2)], ..Evidence::default() };
        for evidence in [by_print, by_key] {
            assert_eq!(judge(&key(2), &[key(1)], &evidence), Verdict::Accept(Trust::Pasted));
            assert_eq!(judge(&key(2), &[key(2)], &evidence), Verdict::Known);
            assert_eq!(judge(&key(3), &[], &evidence), Verdict::Contradicted);
            assert_eq!(
                judge(&key(1), &[key(1)], &evidence),
                Verdict::Contradicted,
                "the old machine still answers"
            );
            let with_channel = Evidence { channel: true, ..evidence };
            assert_eq!(
                judge(&key(3), &[], &with_channel),
                Verdict::Contradicted,
                "a channel overrules nobody"
            );
        }
    }

    #[test]
    fn only_a_channel_that_proves_itself_is_taken_unasked() {
        let channel = Evidence { channel: true, ..Evidence::default() };
        assert_eq!(judge(&key(2), &[key(1)], &channel), Verdict::Accept(Trust::Channel));
    }

    #[test]
    fn trust_is_ordered_as_documented() {
        use Trust::{Announced, Approved, Channel, Derived, FirstUse, Pasted};
        let order = [FirstUse, Approved, Pasted, Channel, Announced, Derived];
        assert!(order.is_sorted());
        for trust in order {
            assert_eq!(serde_json::to_string(&trust).unwrap(), format!("{:?}", trust.word()));
        }
    }
}
