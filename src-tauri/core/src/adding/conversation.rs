//! The conversation itself: what was said and found out so far, and the one next step that follows from it. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, IdentityFile, UserName};
use secrecy::{ExposeSecret, SecretString};

use super::announced::Announced;
use super::draft::{self, GoogleAnswer, PortOf, Where};
use super::known::Known;
use super::lines;
use super::matters::{
    Access, Answer, Fact, KeyQuestion, KnownKey, LoginQuestion, Need, NoComparison, NotSeen, Question,
    Reason, StillThere, Summary, Taken,
};
use super::view::Draft;
use super::{Decided, Step, Wish};
use crate::announcement;
use crate::claims::Claim;
use crate::paste::{self, Doubt, FoundLink, Reading};
use crate::pins::SessionPins;
use crate::reach::{Expected, Seen};
use crate::session::{Link, RelayTarget, Session};
use crate::settle::Change;
use crate::trust::{Evidence, Trust, Verdict, channel_may_replace, judge};

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

    /// Takes a text: one more, or what became of the last one.
    pub fn take_text(&mut self, text: SecretString, replaces_last: bool) {
        let before = self.way();
        if replaces_last {
            self.texts.pop();
        }
        self.texts.push(text);
        self.texts.drain(..self.texts.len().saturating_sub(MOST_TEXTS));
        self.read_again();
        // A text that leads elsewhere begins anew: nothing that was given for the other way goes along.
        if before.is_some() && self.way().is_some() && self.way() != before {
            self.texts.drain(..self.texts.len().saturating_sub(1));
            self.password = None;
            self.relay_password = None;
            self.relay_refused = false;
            self.read_again();
        }
    }

    /// Where the texts lead, and as whom.
    fn way(&self) -> Option<(FoundLink, Option<UserName>)> {
        self.reading.link.clone().map(|link| (link, self.reading.user.clone()))
    }

    /// Throws away everything that was pasted, said and found out.
    pub fn start_again(&mut self, known: Known) {
        *self = Self::new(self.wish.clone(), known);
    }

    /// Takes another name. What was said of the former one does not count for it.
    pub fn rename(&mut self, name: Alias) {
        self.renamed = Some(name);
        self.goes_ahead = None;
        self.leaves = false;
        self.adds_anyway = false;
        self.login_later = false;
    }

    fn read_again(&mut self) {
        let texts: Vec<&str> = self.texts.iter().map(ExposeSecret::expose_secret).collect();
        self.reading = paste::read_all(&texts);
        // An echo without its password comes back when somebody goes on typing: what was read before is kept.
        if let Some(password) = &self.reading.password {
            self.password = Some(password.clone());
        }
        if let Some(password) = &self.reading.relay_password {
            self.relay_password = Some(password.clone());
        }
        self.leads = Where { port_of: self.leads.port_of.take(), ..Where::default() };
        self.goes_ahead = None;
        self.leaves = false;
        self.adds_anyway = false;
        self.login_later = false;
        self.told_of_key = None;
        self.announced = None;
        self.access = None;
        self.seen.take_if(|(_, seen)| matches!(seen, Err(NotSeen::RelayWantsLogin)));
    }

    /// Takes an answer. One that fits nothing that is asked changes nothing.
    pub fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Endpoint(number) => self.leads.endpoint = Some(number),
            Answer::ThisComputer => self.leads.port_of = Some(PortOf::Here),
            Answer::Relay(relay) => {
                self.leads.port_of = Some(PortOf::Relay(relay));
                self.relay_password = None;
            }
            Answer::Name(name) => self.rename(name),
            Answer::TakeName(name) => self.takes = Some((name, Take::AllTheSame)),
            Answer::TakeOver(name) => self.takes = Some((name, Take::Over)),
            Answer::GoAhead { mine_alone } => {
                if let Ok(Session { link: Link::Relay(link), .. }) = self.session() {
                    self.mine_alone = Some((link.relay, mine_alone));
                }
                self.goes_ahead = self.session().ok();
            }
            Answer::Leave => self.leaves = true,
            Answer::Notebook(text) => self.compare(&text),
            Answer::Approve(print) => self.told_of_key = Some(ToldOfKey::Approved(print)),
            Answer::WithoutComparing(print) => self.told_of_key = Some(ToldOfKey::NotCompared(print)),
            Answer::Password(password) => {
                self.password = Some(password.secret().clone());
                self.access = None;
            }
            Answer::OwnKey(file) => {
                self.own_key = Some(file);
                self.access = None;
                self.carry_over_to_own_key();
            }
            Answer::LineWasRun => self.access = None,
            Answer::LoginLater => self.login_later = true,
            Answer::RelayPassword(password) => {
                self.relay_password = Some(password.secret().clone());
                self.relay_refused = true;
                self.seen = None;
            }
            Answer::TryAgain => self.forget_facts(),
            Answer::AddAnyway => self.adds_anyway = true,
            Answer::GoogleRuntime(runtime) => {
                self.texts.clear();
                self.read_again();
                self.reading = Reading {
                    link: Some(FoundLink::GoogleColab { session: None, runtime: Some(runtime) }),
                    ..Reading::default()
                };
            }
        }
    }

    /// Takes a fact.
    pub fn learn(&mut self, need: &Need, fact: Fact) {
        match (need, fact) {
            (_, Fact::NoAnnouncement) => self.announced = Some(Ok(None)),
            (_, Fact::Announced(announced)) => self.announced = Some(Ok(Some(announced))),
            (_, Fact::NotAnnounced(why)) => self.announced = Some(Err(why)),
            (_, Fact::GoogleRuntime(runtime)) => {
                self.leads.google = Some(runtime.map_or(GoogleAnswer::Unknown, GoogleAnswer::Known));
            }
            (_, Fact::Name(name, claim, loose)) => drop(self.names.insert(name, Name { claim, loose })),
            (Need::Preview(session), Fact::Preview(diff)) => {
                self.preview = Some(((**session).clone(), Ok(diff)));
            }
            (Need::Preview(session), Fact::NotWritable(why)) => {
                self.preview = Some(((**session).clone(), Err(why)));
            }
            (Need::LoginKey, Fact::LoginKey(line)) => self.login_key = Some(Ok(line)),
            (Need::LoginKey, Fact::NotWritable(why)) => self.login_key = Some(Err(why)),
            (Need::StillThere(session), Fact::StillThere(still)) => {
                self.still_there = Some(((**session).clone(), still));
            }
            (Need::Runtime(session), Fact::Seen(seen)) => self.seen = Some(((**session).clone(), Ok(seen))),
            (Need::Runtime(session), Fact::NotSeen(why)) => self.seen = Some(((**session).clone(), Err(why))),
            (Need::OtherKey(prints), Fact::OtherKey(key)) => self.other_key = Some((prints.clone(), key)),
            (Need::Pinning(session, key), Fact::Pinnable) => {
                self.pinning = Some(((**session).clone(), key.clone(), Ok(())));
            }
            (Need::Pinning(session, key), Fact::NotWritable(why)) => {
                self.pinning = Some(((**session).clone(), key.clone(), Err(why)));
            }
            (Need::Login(key), Fact::Login(access)) => {
                self.access = self.session().ok().map(|session| (session, key.clone(), access));
            }
            // A fact for something else than what was asked.
            _ => {}
        }
    }

    /// The sessions and pins changed, or time has passed: everything is looked at once more.
    pub fn refresh(&mut self, known: Known) {
        self.known = known;
        self.forget_facts();
    }

    fn forget_facts(&mut self) {
        self.names.clear();
        self.login_key = None;
        self.preview = None;
        self.still_there = None;
        self.seen = None;
        self.other_key = None;
        self.pinning = None;
        self.access = None;
        self.announced = None;
        self.leads.google = None;
        self.told_of_key = None;
        self.adds_anyway = false;
        self.login_later = false;
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

    fn announcement(&self) -> Result<Option<&Announced>, Step> {
        match &self.announced {
            Some(Ok(announced)) => Ok(announced.as_deref()),
            Some(Err(why)) => Err(Step::Refuse(Reason::Announcement(why.clone()))),
            None if self.may_announce() => Err(Step::Find(Need::Announcement)),
            None => Ok(None),
        }
    }

    /// Whether a word of the texts looks like an announcement.
    fn may_announce(&self) -> bool {
        let words = self.texts.iter().flat_map(|text| text.expose_secret().split_whitespace());
        words
            .into_iter()
            .any(|word| word.starts_with(announcement::PREFIX) && announcement::named_key_id(word).is_some())
    }

    /// The session key vouches for all of it: nothing is compared, and nothing is dialled but the old way.
    fn follow(&self, announced: &Announced, now: Timestamp) -> Result<Decided, Step> {
        let was = self.known.sessions.get(&announced.name);
        let refuse = |why: String| Step::Refuse(Reason::Announcement(why));
        if self.wish.first_use {
            let why = "the announcement itself vouches for the host key, so none is taken without comparing";
            return Err(refuse(why.to_owned()));
        }
        let session = announced.session(was, &self.wish).map_err(refuse)?;
        let keys = announced.keys_of(self.wish.fingerprint).map_err(refuse)?;
        self.free_name(&session)?;
        if was.is_some_and(|was| was.link != session.link) {
            self.leave_old(&session)?;
        }
        let mut decided = self.decided(session, keys, None, None, now);
        decided.change.accepted = Some(announced.accepted.clone());
        decided.change.expected = Vec::new();
        Ok(decided)
    }

    fn session(&self) -> Result<Session, Step> {
        let wish = Wish {
            name: self.renamed.clone().or_else(|| self.wish.name.clone()),
            identity_file: self.own_key.clone().or_else(|| self.wish.identity_file.clone()),
            ..self.wish.clone()
        };
        let mut session = draft::session(&self.reading, &wish, &self.known, &self.leads)?;
        // What was said of one relay counts for no other.
        if let (Link::Relay(link), Some((relay, mine_alone))) = (&mut session.link, &self.mine_alone)
            && link.relay == *relay
        {
            link.mine_alone = *mine_alone || wish.mine_alone;
        }
        Ok(session)
    }

    /// A new session takes no name that is another machine's, unless the person says so.
    fn free_name(&self, session: &Session) -> Result<(), Step> {
        let name = &session.name;
        if self.known.sessions.contains_key(name) {
            return Ok(());
        }
        let Some(found) = self.names.get(name) else { return Err(Step::Find(Need::Name(name.clone()))) };
        let by = match &found.claim {
            None => return Ok(()),
            Some(Claim::Entry { file, line }) => {
                Taken::Entry { file: file.clone(), line: *line, loose: found.loose }
            }
            Some(Claim::Pattern { file, line }) => Taken::Pattern { file: file.clone(), line: *line },
            Some(Claim::KnownHost) => Taken::KnownHost,
        };
        match (self.takes.as_ref().filter(|(taken, _)| taken == name).map(|(_, how)| how), &by) {
            // Two entries of one name never do: an entry goes, or keeps its name.
            (Some(Take::Over), Taken::Entry { loose: true, .. })
            | (Some(Take::AllTheSame), Taken::Pattern { .. } | Taken::KnownHost) => Ok(()),
            _ => {
                let free = self.known.free_name(name);
                Err(Step::Ask(Question::NameTaken { name: name.clone(), by, free }))
            }
        }
    }

    /// What can be known before is known before: whether the files can be written at all.
    fn writable(&self, session: &Session) -> Result<String, Step> {
        match self.preview.as_ref().filter(|(of, _)| of == session) {
            Some((_, Ok(diff))) => Ok(diff.clone()),
            Some((_, Err(why))) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::Preview(Box::new(session.clone())))),
        }
    }

    /// A new session, and one that would be reached in another way, are gone ahead with when the person says so.
    fn go_ahead(&self, session: &Session, diff: String) -> Result<(), Step> {
        let was = self.known.sessions.get(&session.name);
        let same_way = was.is_some_and(|was| was.user == session.user && same_way(&was.link, &session.link));
        // A text may not choose which session it leads on.
        let meant =
            self.wish.name.is_some() || self.renamed.is_some() || self.reading.suggested_name.is_none();
        if (same_way && meant) || self.goes_ahead.as_ref() == Some(session) {
            return Ok(());
        }
        let evidence = self.evidence();
        let doubts = self.reading.doubts.iter().filter(|doubt| !matters_elsewhere(doubt));
        Err(Step::Ask(Question::GoAhead(Box::new(Summary {
            name: session.name.clone(),
            name_from_text: self.renamed.is_none()
                && draft::named_by_text(&self.reading, &self.wish, &session.name),
            link: session.link.kind().to_owned(),
            endpoint: session.link.to_string(),
            user: session.user.to_string(),
            folder: session.folder.clone(),
            moves_from: was.map(|was| format!("{}@{} ({})", was.user, was.link, was.link.kind())),
            relay: match &session.link {
                Link::Relay(link) => Some(link.relay.clone()),
                _ => None,
            },
            has_password: self.password.is_some(),
            has_fingerprint: evidence.names_a_key(),
            doubts: doubts.map(ToString::to_string).collect(),
            diff,
        }))))
    }

    /// A runtime that still answers where it is keeps its session, unless the person says so.
    fn leave_old(&self, session: &Session) -> Result<(), Step> {
        let Some(was) = self.known.sessions.get(&session.name) else { return Ok(()) };
        if was.link == session.link || was.link.leads_nowhere() || self.leaves {
            return Ok(());
        }
        let Some((_, still)) = self.still_there.as_ref().filter(|(of, _)| of == was) else {
            return Err(Step::Find(Need::StillThere(Box::new(was.clone()))));
        };
        let unsure = match still {
            StillThere::No => return Ok(()),
            StillThere::Yes => None,
            StillThere::Unsure(why) => Some(why.clone()),
        };
        let (at, to) = (was.link.to_string(), session.link.to_string());
        Err(Step::Ask(Question::StillAnswers { at, to, unsure }))
    }

    /// What answers, or why nothing does where that is no obstacle.
    fn runtime(&self, session: &Session) -> Result<Result<&Seen, String>, Step> {
        let found = self.seen.as_ref().filter(|(of, _)| of == session).map(|(_, seen)| seen);
        match (found, &session.link) {
            (None, _) => Err(Step::Find(Need::Runtime(Box::new(session.clone())))),
            (Some(Ok(seen)), _) => Ok(Ok(seen)),
            // A password is kept as soon as it is said, which who only looks does not want.
            (Some(Err(NotSeen::RelayWantsLogin)), Link::Relay(link))
                if self.adds_anyway || self.wish.dry_run =>
            {
                Ok(Err(format!("{} wants a password", link.relay)))
            }
            (Some(Err(NotSeen::RelayWantsLogin)), Link::Relay(link)) => {
                Err(Step::Ask(Question::RelayLogin {
                    relay: link.relay.clone(),
                    refused: self.relay_refused,
                }))
            }
            (Some(Err(NotSeen::RelayWantsLogin)), _) => {
                Ok(Err("a machine in between wants a login".to_owned()))
            }
            (Some(Err(NotSeen::Other(why))), _) if self.adds_anyway => Ok(Err(why.clone())),
            (Some(Err(NotSeen::Other(why))), _) => {
                Err(Step::Ask(Question::Unreachable { cause: why.clone() }))
            }
        }
    }

    /// What would make ssh refuse the session is found before anything is sent.
    fn pinnable(&self, session: &Session, key: &HostKey) -> Result<(), Step> {
        match self.pinning.as_ref().filter(|(of, with, _)| of == session && with == key) {
            Some((_, _, Ok(()))) => Ok(()),
            Some((_, _, Err(why))) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::Pinning(Box::new(session.clone()), key.clone()))),
        }
    }

    /// Whether what was pasted is an announcement.
    pub fn is_announced(&self) -> bool {
        matches!(self.announced, Some(Ok(Some(_))))
    }

    /// The key to pin, and why; or the question.
    fn key(&self, session: &Session, seen: &Seen) -> Result<(HostKey, Trust), Step> {
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

    fn login_key(&self) -> Result<&str, Step> {
        match &self.login_key {
            Some(Ok(line)) => Ok(line),
            Some(Err(why)) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::LoginKey)),
        }
    }

    fn login(&self, session: &Session, key: &HostKey) -> Result<Access, Step> {
        let found = self.access.as_ref().filter(|(of, with, _)| of == session && with == key);
        let Some((_, _, access)) = found else {
            return Err(Step::Find(Need::Login(key.clone())));
        };
        let problem = match access {
            Access::Works | Access::Installed | Access::OwnKey => return Ok(access.clone()),
            _ if self.login_later => return Ok(access.clone()),
            Access::Missing => None,
            Access::Refused(why) | Access::WrongPassword(why) | Access::NotTried(why) => Some(why.clone()),
        };
        let line = lines::let_in(&session.user, self.login_key()?);
        Err(Step::Ask(Question::Login(Box::new(LoginQuestion {
            name: session.name.clone(),
            user: session.user.to_string(),
            line,
            problem,
        }))))
    }

    /// A key that was named besides means exactly that one; a text that names another one contradicts it.
    fn one_named_key(&self) -> Result<(), Step> {
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
    fn evidence(&self) -> Evidence {
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

    fn compare(&mut self, text: &str) {
        let said = paste::compare_answer(text);
        let seen_by_client = said.doubts.iter().any(|doubt| matches!(doubt, Doubt::SentByServer { .. }));
        self.told_of_key = Some(ToldOfKey::Notebook { fingerprints: said.fingerprints, seen_by_client });
        self.other_key = None;
        // The line that shows the fingerprints may have let this computer in.
        self.access = None;
    }

    /// The way of logging in changed, and no more: what was found out of the runtime still counts.
    fn carry_over_to_own_key(&mut self) {
        let Ok(session) = self.session() else { return };
        for of in [self.seen.as_mut().map(|(of, _)| of), self.preview.as_mut().map(|(of, _)| of)]
            .into_iter()
            .flatten()
        {
            if of.name == session.name && of.link == session.link {
                of.clone_from(&session);
            }
        }
        if self.goes_ahead.is_some() {
            self.goes_ahead = Some(session);
        }
    }

    fn moves(&self, session: &Session) -> bool {
        self.known.sessions.get(&session.name).is_some_and(|was| was.link != session.link)
    }

    /// A whole key line in the text can be pinned without reaching anything: a wrong one only means that ssh refuses. It
    /// replaces no key that is pinned for the same address: an older text would break an alias that works.
    fn pasted_keys(&self, session: &Session) -> Vec<(HostKey, Trust)> {
        let pinned = self.known.pins.get(&session.name).is_some_and(|pins| !pins.keys.is_empty());
        if pinned && !self.moves(session) {
            return Vec::new();
        }
        self.evidence().keys.into_iter().map(|key| (key, Trust::Pasted)).collect()
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

/// Whether a session is reached as before, only elsewhere: a restart of the same thing.
fn same_way(was: &Link, is: &Link) -> bool {
    match (was, is) {
        (Link::Relay(was), Link::Relay(is)) => was.relay == is.relay,
        (Link::Direct(was), Link::Direct(is)) => was.host == is.host,
        (Link::Ngrok(_), Link::Ngrok(_)) | (Link::Cloudflare(_), Link::Cloudflare(_)) => true,
        (Link::Colab(was), Link::Colab(is)) => was == is,
        _ => false,
    }
}

/// Doubts that a question of their own takes up: it says the same.
pub(super) fn matters_elsewhere(doubt: &Doubt) -> bool {
    matches!(
        doubt,
        Doubt::WhichRelay { .. } | Doubt::SeveralLinks(_) | Doubt::NothingFound | Doubt::OnlyPassword
    )
}

fn shown(prints: &[Fingerprint]) -> String {
    prints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests;
