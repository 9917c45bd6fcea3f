//! The conversation itself: what was said and found out so far, and the one next step that follows from it. Pure.

mod announced;
mod found;
mod key;
mod login;
pub(super) mod places;
mod said;

use std::collections::BTreeMap;

use jiff::Timestamp;
use moorline_model::session::{RelayTarget, Session};
use moorline_model::trust::Trust;
use moorline_paste::Reading;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, IdentityFile};
use secrecy::SecretString;

use super::announced::Announced;
use super::draft::Where;
use super::known::Known;
use super::matters::{Access, NotSeen, StillThere};
use super::step::{Decided, Step};
use super::view::Draft;
use super::wish::Wish;
use crate::repoint::change::Change;
use crate::repoint::name_taken::Claim;
use crate::ssh::reach::Seen;

/// More texts than a person pastes one after the other.
const MOST_TEXTS: usize = 8;

/// A conversation about one session.
///
/// Nothing in it is a state that could be wrong: there is what was said, and what was found out *for which session or
/// key*. A fact that belongs to another session than the one that follows from the answers now does not count.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that the person said, and all can be")]
pub struct Conversation {
    wish: Wish,
    known: Known,
    texts: Vec<SecretString>,
    reading: Reading,
    // Said by the person.
    leads: Where,
    mine_alone: Option<(RelayTarget, bool)>,
    own_key: Option<IdentityFile>,
    renamed: Option<Alias>,
    takes: Option<(Alias, Take)>,
    goes_ahead: Option<Session>,
    leaves: bool,
    told_of_key: Option<ToldOfKey>,
    password: Option<SecretString>,
    relay_password: Option<SecretString>,
    relay_refused: bool,
    login_later: bool,
    adds_anyway: bool,
    // Found out.
    announced: Option<Result<Option<Box<Announced>>, String>>,
    names: BTreeMap<Alias, Name>,
    login_key: Option<Result<String, String>>,
    preview: Option<(Session, Result<String, String>)>,
    still_there: Option<(Session, StillThere)>,
    seen: Option<(Session, Result<Seen, NotSeen>)>,
    other_key: Option<(Vec<Fingerprint>, Option<HostKey>)>,
    pinning: Option<(Session, HostKey, Result<(), String>)>,
    access: Option<(Session, HostKey, Access)>,
}

/// What has a name.
#[derive(Debug)]
struct Name {
    claim: Option<Claim>,
    /// Whether that is an entry which switches checking off.
    loose: bool,
}

/// What the person said of a name that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    AllTheSame,
    Over,
}

/// What the person said of a key.
#[derive(Debug)]
enum ToldOfKey {
    Approved(Fingerprint),
    NotCompared(Fingerprint),
    Notebook { fingerprints: Vec<Fingerprint>, seen_by_client: bool },
}

impl Conversation {
    /// Begins one.
    pub fn new(wish: Wish, known: Known) -> Self {
        Self {
            wish,
            known,
            texts: Vec::new(),
            reading: Reading::default(),
            leads: Where::default(),
            mine_alone: None,
            own_key: None,
            renamed: None,
            takes: None,
            goes_ahead: None,
            leaves: false,
            told_of_key: None,
            password: None,
            relay_password: None,
            relay_refused: false,
            login_later: false,
            adds_anyway: false,
            announced: None,
            names: BTreeMap::new(),
            login_key: None,
            preview: None,
            still_there: None,
            seen: None,
            other_key: None,
            pinning: None,
            access: None,
        }
    }

    /// What was understood of everything that was pasted.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The texts, oldest first.
    pub fn texts(&self) -> &[SecretString] {
        &self.texts
    }

    /// What the person said besides.
    pub fn wish(&self) -> &Wish {
        &self.wish
    }

    /// The password that was pasted or typed.
    pub fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }

    /// The relay's password that was pasted or typed.
    pub fn relay_password(&self) -> Option<&SecretString> {
        self.relay_password.as_ref()
    }

    /// The session as it would be, once that is clear.
    pub fn draft(&self) -> Option<Draft> {
        let session = match &self.announced {
            Some(Ok(Some(announced))) => {
                announced.session(self.known.sessions.get(&announced.name), &self.wish).ok()?
            }
            _ => self.session().ok()?,
        };
        Some(Draft {
            link: session.link.kind().to_owned(),
            endpoint: session.link.to_string(),
            user: session.user.to_string(),
            folder: session.folder.as_ref().map(ToString::to_string),
            new: !self.known.sessions.contains_key(&session.name),
            name: session.name,
        })
    }

    /// The session that was reached, and what answered.
    pub fn reached(&self) -> Option<(&Session, &Seen)> {
        self.seen.as_ref().and_then(|(session, seen)| Some((session, seen.as_ref().ok()?)))
    }

    /// The person's own entry that is to be commented out for this session.
    pub fn takes_over(&self, name: &Alias) -> bool {
        self.takes.as_ref().is_some_and(|(of, how)| of == name && *how == Take::Over)
    }

    /// A session as it is before this conversation.
    pub fn was(&self, name: &Alias) -> Option<Session> {
        self.known.sessions.get(name).cloned()
    }

    /// How the login stood last.
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref().map(|(_, _, access)| access)
    }

    /// Whether the person said to go ahead, or need not.
    pub fn under_way(&self) -> bool {
        self.goes_ahead.is_some() || self.seen.is_some()
    }

    /// What comes next. `now` is when the change would be written.
    pub fn step(&self, now: Timestamp) -> Step {
        self.decide(now).map_or_else(|step| step, |decided| Step::Done(Box::new(decided)))
    }

    fn decide(&self, now: Timestamp) -> Result<Decided, Step> {
        if let Some(announced) = self.announcement()? {
            return self.follow(announced, now);
        }
        let session = self.session()?;
        self.one_named_key()?;
        self.free_name(&session)?;
        let diff = self.writable(&session)?;
        self.go_ahead(&session, diff)?;
        self.leave_old(&session)?;
        match self.runtime(&session)? {
            Ok(seen) => {
                let (key, trust) = self.key(&session, seen)?;
                self.pinnable(&session, &key)?;
                // Logging in may put a key there, so who only looks does not.
                let access = if self.wish.dry_run { None } else { Some(self.login(&session, &key)?) };
                Ok(self.decided(session, vec![(key, trust)], access, None, now))
            }
            Err(why) => {
                let keys = self.pasted_keys(&session);
                Ok(self.decided(session, keys, None, Some(why), now))
            }
        }
    }

    fn decided(
        &self,
        session: Session,
        keys: Vec<(HostKey, Trust)>,
        access: Option<Access>,
        unreachable: Option<String>,
        now: Timestamp,
    ) -> Decided {
        let name = session.name.clone();
        let expected = if keys.is_empty() { self.evidence().all_fingerprints() } else { Vec::new() };
        let was = self.known.sessions.get(&name).cloned();
        // One that was refused replaces none that may be right.
        let refused = matches!(access, Some(Access::WrongPassword(_)));
        Decided {
            password: self.password.clone().filter(|_| !refused),
            relay_password: self.relay_password.clone(),
            take_over: self.takes_over(&name).then(|| name.clone()),
            change: Change { was, keys, expected, ..Change::of(session, now) },
            access,
            unreachable,
        }
    }
}

#[cfg(test)]
mod tests;
