//! The key that answers: whose it is, and what vouches for it.

use moorline_model::session::Session;
use moorline_model::trust::{Evidence, Trust, Verdict, channel_may_replace, judge};
use moorline_ssh_files::{Fingerprint, HostKey};

use super::{Conversation, ToldOfKey};
use crate::repoint::adding::lines;
use crate::repoint::adding::matters::{KeyQuestion, KnownKey, Need, NoComparison, Question, Reason};
use crate::repoint::adding::step::Step;
use crate::ssh::reach::{Expected, Seen};
use crate::store::pins_json::SessionPins;

impl Conversation {
    /// What would make ssh refuse the session is found before anything is sent.
    pub(super) fn pinnable(&self, session: &Session, key: &HostKey) -> Result<(), Step> {
        match self.pinning.as_ref().filter(|(of, with, _)| of == session && with == key) {
            Some((_, _, Ok(()))) => Ok(()),
            Some((_, _, Err(why))) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::Pinning(Box::new(session.clone()), key.clone()))),
        }
    }

    /// What is remembered of the session and named for it: for which keys the runtime is asked first.
    pub fn expected(&self, session: &Session) -> Expected {
        let pins = self.known.pins.get(&session.name);
        let mut named = self.evidence();
        if let Some(pins) = pins
            && !named.names_a_key()
            && !self.moves(session)
        {
            named.fingerprints.extend(pins.expected.iter().copied());
        }
        let pinned = pins.map(|pins| pins.keys.iter().map(|pinned| pinned.key.clone()).collect());
        Expected { named, pinned: pinned.unwrap_or_default() }
    }

    /// The key to pin, and why; or the question.
    pub(super) fn key(&self, session: &Session, seen: &Seen) -> Result<(HostKey, Trust), Step> {
        let none = SessionPins::default();
        let pins = self.known.pins.get(&session.name).unwrap_or(&none);
        let expected = self.expected(session);
        let channel = seen.channel && channel_may_replace(pins.keys.iter().map(|pinned| pinned.trust));
        let evidence = Evidence { channel, ..expected.named };
        let print = seen.key.fingerprint();
        match judge(&seen.key, &expected.pinned, &evidence) {
            Verdict::Known => {
                let pinned = pins.keys.iter().find(|old| old.key == seen.key);
                Ok((seen.key.clone(), pinned.map_or(Trust::FirstUse, |old| old.trust)))
            }
            Verdict::Accept(trust) => Ok((seen.key.clone(), trust)),
            Verdict::Contradicted => Err(Step::Refuse(Reason::NotTheNamedKey {
                name: session.name.clone(),
                endpoint: session.link.to_string(),
                seen: print,
                named: shown(&evidence.all_fingerprints()),
            })),
            Verdict::Ask => match &self.told_of_key {
                Some(ToldOfKey::Approved(told)) if *told == print => Ok((seen.key.clone(), Trust::Approved)),
                Some(ToldOfKey::NotCompared(told)) if *told == print => {
                    Ok((seen.key.clone(), Trust::FirstUse))
                }
                Some(ToldOfKey::Approved(_) | ToldOfKey::NotCompared(_)) => {
                    Err(Step::Refuse(Reason::KeyChanged(print)))
                }
                Some(ToldOfKey::Notebook { fingerprints, .. }) if fingerprints.contains(&print) => {
                    Ok((seen.key.clone(), Trust::Pasted))
                }
                Some(ToldOfKey::Notebook { fingerprints, .. }) if !fingerprints.is_empty() => {
                    self.other_key(session, print, fingerprints)
                }
                told => {
                    let last = match told {
                        Some(ToldOfKey::Notebook { seen_by_client: true, .. }) => {
                            Some(NoComparison::SeenByClient)
                        }
                        Some(_) => Some(NoComparison::NoFingerprint),
                        None => None,
                    };
                    Err(self.key_question(session, seen, pins, last).map_or_else(|step| step, Step::Ask))
                }
            },
        }
    }

    /// The notebook shows another key: the runtime may hold that one, too.
    fn other_key(
        &self,
        session: &Session,
        seen: Fingerprint,
        told: &[Fingerprint],
    ) -> Result<(HostKey, Trust), Step> {
        match self.other_key.as_ref().filter(|(of, _)| of == told) {
            None => Err(Step::Find(Need::OtherKey(told.to_vec()))),
            Some((_, Some(key))) => Ok((key.clone(), Trust::Pasted)),
            Some((_, None)) => Err(Step::Refuse(Reason::NotTheNamedKey {
                name: session.name.clone(),
                endpoint: session.link.to_string(),
                seen,
                named: shown(told),
            })),
        }
    }

    fn key_question(
        &self,
        session: &Session,
        seen: &Seen,
        pins: &SessionPins,
        last_text: Option<NoComparison>,
    ) -> Result<Question, Step> {
        let before = pins
            .keys
            .iter()
            .map(|old| KnownKey { fingerprint: old.key.fingerprint(), learned: old.trust.to_string() });
        // Without a password somebody has to be let in by hand: the same run does it. The key for that may have to be
        // made, which who only looks does not do.
        let lets_in = self.password.is_none() && session.identity_file.is_none() && !self.wish.dry_run;
        let line = if lets_in {
            lines::let_in_and_show(&session.user, self.login_key()?)
        } else {
            lines::show_fingerprints()
        };
        Ok(Question::Key(Box::new(KeyQuestion {
            name: session.name.clone(),
            endpoint: session.link.to_string(),
            kind: seen.key.algorithm().as_str().to_owned(),
            seen: seen.key.fingerprint(),
            before: before.collect(),
            line,
            line_lets_in: lets_in,
            relay_proved_nothing: seen.channel_failed.clone(),
            last_text,
        })))
    }

    /// A key that was named besides means exactly that one; a text that names another one contradicts it.
    pub(super) fn one_named_key(&self) -> Result<(), Step> {
        let text = Evidence {
            keys: self.reading.host_keys.clone(),
            fingerprints: self.reading.fingerprints.clone(),
            channel: false,
        };
        match self.wish.fingerprint {
            Some(only) if text.names_a_key() && !text.all_fingerprints().contains(&only) => {
                Err(Step::Refuse(Reason::Unusable(format!(
                    "the text names another host key than {only}; find out which one is the runtime's"
                ))))
            }
            _ => Ok(()),
        }
    }

    /// What the person named: the text, or exactly the one that they said besides.
    pub(super) fn evidence(&self) -> Evidence {
        let mut evidence = Evidence {
            keys: self.reading.host_keys.clone(),
            fingerprints: self.reading.fingerprints.clone(),
            channel: false,
        };
        if let Some(only) = self.wish.fingerprint {
            evidence.keys.retain(|key| key.fingerprint() == only);
            evidence.fingerprints = vec![only];
        }
        evidence
    }

    /// A whole key line in the text can be pinned without reaching anything: a wrong one only means that ssh refuses. It
    /// replaces no key that is pinned for the same address: an older text would break an alias that works.
    pub(super) fn pasted_keys(&self, session: &Session) -> Vec<(HostKey, Trust)> {
        let pinned = self.known.pins.get(&session.name).is_some_and(|pins| !pins.keys.is_empty());
        if pinned && !self.moves(session) {
            return Vec::new();
        }
        self.evidence().keys.into_iter().map(|key| (key, Trust::Pasted)).collect()
    }
}

fn shown(prints: &[Fingerprint]) -> String {
    prints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
