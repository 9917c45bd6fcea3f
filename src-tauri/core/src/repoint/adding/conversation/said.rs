//! What the person says: texts, a name, answers.

use moorline_model::session::{Link, Session};
use moorline_paste::{Doubt, FoundLink, Reading};
use moorline_ssh_files::{Alias, UserName};
use secrecy::{ExposeSecret, SecretString};

use super::{Conversation, MOST_TEXTS, Take, ToldOfKey};
use crate::repoint::adding::draft::{PortOf, Where};
use crate::repoint::adding::known::Known;
use crate::repoint::adding::matters::{Answer, NotSeen};

impl Conversation {
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
        self.reading = moorline_paste::read_all(&texts);
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

    fn compare(&mut self, text: &str) {
        let said = moorline_paste::compare_answer(text);
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
}
