//! Where the session leads and under which name, and whether the person wants that.

use moorline_model::session::{Link, Session};
use moorline_paste::Doubt;

use super::{Conversation, Take};
use crate::repoint::adding::draft;
use crate::repoint::adding::matters::{Need, NotSeen, Question, Reason, StillThere, Summary, Taken};
use crate::repoint::adding::step::Step;
use crate::repoint::adding::wish::Wish;
use crate::repoint::name_taken::Claim;
use crate::ssh::reach::Seen;

impl Conversation {
    pub(super) fn session(&self) -> Result<Session, Step> {
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
    pub(super) fn free_name(&self, session: &Session) -> Result<(), Step> {
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
    pub(super) fn writable(&self, session: &Session) -> Result<String, Step> {
        match self.preview.as_ref().filter(|(of, _)| of == session) {
            Some((_, Ok(diff))) => Ok(diff.clone()),
            Some((_, Err(why))) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::Preview(Box::new(session.clone())))),
        }
    }

    /// A new session, and one that would be reached in another way, are gone ahead with when the person says so.
    pub(super) fn go_ahead(&self, session: &Session, diff: String) -> Result<(), Step> {
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
    pub(super) fn leave_old(&self, session: &Session) -> Result<(), Step> {
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
    pub(super) fn runtime(&self, session: &Session) -> Result<Result<&Seen, String>, Step> {
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

    pub(super) fn moves(&self, session: &Session) -> bool {
        self.known.sessions.get(&session.name).is_some_and(|was| was.link != session.link)
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
pub(in crate::repoint::adding) fn matters_elsewhere(doubt: &Doubt) -> bool {
    matches!(
        doubt,
        Doubt::WhichRelay { .. } | Doubt::SeveralLinks(_) | Doubt::NothingFound | Doubt::OnlyPassword
    )
}
