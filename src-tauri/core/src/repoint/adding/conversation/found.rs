//! What was found out, and what of it does not count any more.

use super::{Conversation, Name};
use crate::repoint::adding::draft::GoogleAnswer;
use crate::repoint::adding::known::Known;
use crate::repoint::adding::matters::{Fact, Need};

impl Conversation {
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

    pub(super) fn forget_facts(&mut self) {
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
}
