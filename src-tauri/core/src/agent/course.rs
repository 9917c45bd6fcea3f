//! Every way from one phase of a session to another.
//!
//! | Transition | from | to | what it does besides |
//! | --- | --- | --- | --- |
//! | [`pause`](Course::pause) | any | `Paused` | forgets all else |
//! | [`resume`](Course::resume) | `Paused` | `Waiting` | |
//! | [`wait`](Course::wait) | any but `Paused` | `Waiting` | |
//! | [`find_nothing`](Course::find_nothing) | `Waiting`, `Connecting`, offline | `Waiting`, with what was found | |
//! | [`dial`](Course::dial) | `Waiting` | `Connecting` | |
//! | [`connect`](Course::connect) | any but `Paused` | `Online` | a return has its connection |
//! | [`lose`](Course::lose) | any but `Paused` | `Suspect` | no return, unless an adoption is under way |
//! | [`doubt`](Course::doubt) | any but `Paused` | `Suspect` | |
//! | [`vouch`](Course::vouch) | any but `Paused` | `Suspect` with a key to pin | a return begins |
//! | [`ask`](Course::ask) | any but `Paused` | `NewHostKey`, waits | no return |
//! | [`approve`](Course::approve) | `NewHostKey`, waits or approved | approved, or waits for another fingerprint | |
//! | [`write_approved`](Course::write_approved) | `NewHostKey`, asked again | `NewHostKey`, being written | a return begins |
//! | [`pinned`](Course::pinned) | a key being written | the same without it | |
//! | [`question_over`](Course::question_over) | a key being written or in question, something found | the same without it | |
//! | [`fail`](Course::fail) | any but `Paused` | `Down` | no return, unless an adoption is under way |
//! | [`end`](Course::end) | `Down` | `Down`, ended | |
//! | [`need_login`](Course::need_login) | any but `Paused` | `AuthFailed` | no return |
//!
//! A transition from where the table has none changes nothing.

use jiff::Timestamp;
use moorline_model::cause::Cause;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::{Fingerprint, HostKey};

use super::effect::Adoption;
use super::phase::{KeyQuestion, Phase};
use super::returning::Return;

/// What an approval meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approval {
    /// No key that waits.
    Nothing,
    /// The key that was compared.
    Same,
    /// A key with this other fingerprint.
    Another(Fingerprint),
}

/// The course of a session: its phase, and what of a return has happened. It changes by the transitions below alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    phase: Phase,
    /// A return that is told when the files are written and the machine is known.
    returning: Option<Return>,
    /// Where the files are being led to.
    adopting: Option<Adoption>,
    /// Whether it has been online since the agent started, or since it was paused: only what was there can drop.
    was_online: bool,
}

impl Default for Course {
    fn default() -> Self {
        Self { phase: Phase::Waiting { found: None }, returning: None, adopting: None, was_online: false }
    }
}

/// The transitions between phases.
impl Course {
    /// The person pauses it: all that was going on is over.
    pub(super) fn pause(&mut self) {
        *self = Self { phase: Phase::Paused, ..Self::default() };
    }

    /// The person resumes it; whether it was paused.
    pub(super) fn resume(&mut self) -> bool {
        let paused = self.is_paused();
        if paused {
            self.phase = Phase::Waiting { found: None };
        }
        paused
    }

    /// There is nothing to dial yet.
    pub(super) fn wait(&mut self) {
        if !self.is_paused() {
            self.phase = Phase::Waiting { found: None };
        }
    }

    /// A dial found nothing where a cell has not run yet; whether it still waits for that. Whatever answered once has
    /// shown that it ran.
    pub(super) fn find_nothing(&mut self, cause: &Cause) -> bool {
        let waits = matches!(
            self.phase,
            Phase::Waiting { .. } | Phase::Connecting | Phase::Down { cause: Cause::LocalOffline, .. }
        );
        if waits {
            self.phase = Phase::Waiting { found: Some(cause.clone()) };
        }
        waits
    }

    /// A first dial has begun.
    pub(super) fn dial(&mut self) {
        if matches!(self.phase, Phase::Waiting { .. }) {
            self.phase = Phase::Connecting;
        }
    }

    /// The connection stands; whether its files are to be mended, because nobody writes them yet.
    pub(super) fn connect(&mut self, now: Timestamp) -> bool {
        if self.is_paused() {
            return false;
        }
        let being_written = self.phase.key_in_question().is_some();
        let vitals = self.phase.vitals().cloned();
        self.phase = Phase::Online { since: now, vitals };
        self.was_online = true;
        if let Some(returning) = &mut self.returning {
            returning.online = true;
            return !returning.files_written && !being_written;
        }
        self.returning = Some(Return::connected(None, now));
        true
    }

    /// The connection broke.
    pub(super) fn lose(&mut self, now: Timestamp) {
        if self.is_paused() {
            return;
        }
        if self.adopting.is_none() {
            self.returning = None;
        }
        self.phase = Phase::Suspect {
            since: now,
            tell_at: self.phase.tell_at(),
            pinning: self.phase.pinning().cloned(),
        };
    }

    /// It is not what it was, and what it is shows soon.
    pub(super) fn doubt(&mut self, now: Timestamp) {
        if self.is_paused() {
            return;
        }
        let (since, tell_at) = (self.phase.since(now), self.phase.tell_at());
        self.phase = Phase::Suspect { since, tell_at, pinning: self.phase.pinning().cloned() };
    }

    /// A key answers that something vouches for: it is written, and the return has begun.
    pub(super) fn vouch(&mut self, key: HostKey, returning: Return, now: Timestamp) {
        if self.is_paused() {
            return;
        }
        let (since, tell_at) = (self.phase.since(now), self.phase.tell_at());
        self.phase = Phase::Suspect { since, tell_at, pinning: Some(key) };
        self.returning = Some(returning);
    }

    /// A key answers that a person has to compare. What they approved a moment ago is given back: it is used up.
    pub(super) fn ask(&mut self, key: HostKey, now: Timestamp) -> Option<Fingerprint> {
        if self.is_paused() {
            return None;
        }
        let approved = self.phase.approved().map(HostKey::fingerprint);
        self.returning = None;
        let since = self.phase.since(now);
        self.phase = Phase::NewHostKey { since, key, question: KeyQuestion::Waits };
        approved
    }

    /// A person approves a key with this fingerprint, which counts if it is the very one that waits.
    pub(super) fn approve(&mut self, compared: Fingerprint) -> Approval {
        let Some(seen) = self.phase.key_in_question().map(HostKey::fingerprint) else {
            return Approval::Nothing;
        };
        let same = seen == compared;
        if let Phase::NewHostKey { question, .. } = &mut self.phase
            && matches!(question, KeyQuestion::Waits | KeyQuestion::Approved)
        {
            *question = if same { KeyQuestion::Approved } else { KeyQuestion::Waits };
        }
        if same { Approval::Same } else { Approval::Another(seen) }
    }

    /// The key that was just asked about is the one that a person approved: it is written, and the return has begun.
    pub(super) fn write_approved(&mut self, returning: Return) {
        if let Phase::NewHostKey { question: question @ KeyQuestion::Waits, .. } = &mut self.phase {
            *question = KeyQuestion::Writing;
            self.returning = Some(returning);
        }
    }

    /// The files are written: the key that was to be pinned by that.
    pub(super) fn pinned(&mut self) -> Option<HostKey> {
        match &mut self.phase {
            Phase::Suspect { pinning, .. } => pinning.take(),
            Phase::NewHostKey { key, question: question @ KeyQuestion::Writing, .. } => {
                *question = KeyQuestion::Over;
                Some(key.clone())
            }
            _ => None,
        }
    }

    /// The session leads elsewhere: what was seen where it led is of no interest.
    pub(super) fn question_over(&mut self) {
        match &mut self.phase {
            Phase::Waiting { found } => *found = None,
            Phase::Suspect { pinning, .. } => *pinning = None,
            Phase::NewHostKey { question, .. } => *question = KeyQuestion::Over,
            _ => {}
        }
    }

    /// A dial shows that it is down. What was online and is not known to be down is told of when `tell_at` comes, but
    /// this computer's own network is no drop. Whether an approval went without an answer.
    pub(super) fn fail(&mut self, cause: Cause, untold: bool, tell_at: Timestamp, now: Timestamp) -> bool {
        if self.is_paused() {
            return false;
        }
        let unanswered = self.phase.approved().is_some();
        let (since, mut due) = (self.phase.since(now), self.phase.tell_at());
        // The old way is dead, and the new one is being written: what a dial finds there decides.
        if self.adopting.is_none() {
            self.returning = None;
            if cause == Cause::LocalOffline {
                due = None;
            } else if self.was_online && untold {
                due = due.or(Some(tell_at));
            }
        }
        self.phase = Phase::Down { since, cause, tell_at: due };
        unanswered
    }

    /// What is down already says itself that it has ended.
    pub(super) fn end(&mut self) {
        if let Phase::Down { cause, .. } = &mut self.phase {
            *cause = Cause::Ended;
        }
    }

    /// Only a person can make the runtime take the login.
    pub(super) fn need_login(&mut self, now: Timestamp) {
        if !self.is_paused() {
            self.returning = None;
            self.phase = Phase::AuthFailed { since: self.phase.since(now) };
        }
    }
}

/// What happens within a phase.
impl Course {
    /// A reading came; only what is online has any.
    pub(super) fn read(&mut self, reading: Vitals) {
        if let Phase::Online { vitals, .. } = &mut self.phase {
            *vitals = Some(reading);
        }
    }

    /// The pinned key answers and refuses the login: it has not dropped. A return on a key that was just vouched for
    /// goes on once the login works, and mends the files again then.
    pub(super) fn refuse_login(&mut self) {
        if let Phase::Online { vitals, .. } = &mut self.phase {
            *vitals = None;
        }
        self.drop_told();
        self.returning.take_if(|returning| returning.online);
        if let Some(returning) = &mut self.returning {
            returning.files_written = false;
        }
    }

    /// Its drop is told, or is not to be told any more.
    pub(super) fn drop_told(&mut self) {
        if let Phase::Suspect { tell_at, .. } | Phase::Down { tell_at, .. } = &mut self.phase {
            *tell_at = None;
        }
    }

    /// Its files are led to where its runtime says that it is.
    pub(super) fn adopt(&mut self, adoption: Adoption, returning: Return) {
        if !self.is_paused() {
            self.drop_told();
            self.returning = Some(returning);
            self.adopting = Some(adoption);
        }
    }

    /// An adoption is over, in whichever way.
    pub(super) fn adopted(&mut self) -> Option<Adoption> {
        self.adopting.take()
    }

    /// A return that is told once all of it has happened.
    pub(super) fn returning_mut(&mut self) -> Option<&mut Return> {
        self.returning.as_mut()
    }

    /// No return is to be told any more, or it is told now.
    pub(super) fn take_return(&mut self) -> Option<Return> {
        self.returning.take()
    }

    /// Its files, which could not be written, are by now: a return that nobody told is told after all.
    pub(super) fn return_late(&mut self, new_machine: Option<bool>, now: Timestamp) {
        if self.is_online() && self.returning.is_none() {
            self.returning = Some(Return::connected(new_machine, now));
        }
    }
}

/// What is known.
impl Course {
    /// The phase, which nothing else changes.
    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whether it has been online since the agent started, or since it was paused.
    pub(super) fn was_online(&self) -> bool {
        self.was_online
    }

    pub(super) fn is_paused(&self) -> bool {
        self.phase == Phase::Paused
    }

    pub(super) fn is_online(&self) -> bool {
        matches!(self.phase, Phase::Online { .. })
    }

    pub(super) fn is_adopting(&self) -> bool {
        self.adopting.is_some()
    }

    pub(super) fn is_returning(&self) -> bool {
        self.returning.is_some()
    }

    /// Whether exactly this key is being written already.
    pub(super) fn is_writing(&self, key: &HostKey) -> bool {
        let begun = |returning: &Return| !returning.online && !returning.files_written;
        self.returning.as_ref().is_some_and(begun) && self.phase.pinning() == Some(key)
    }
}

#[cfg(test)]
mod tests;
