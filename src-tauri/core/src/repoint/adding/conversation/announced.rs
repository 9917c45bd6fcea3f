//! An announcement under a session key vouches for all of it.

use jiff::Timestamp;
use moorline_model::announcement;
use secrecy::ExposeSecret;

use super::Conversation;
use crate::repoint::adding::announced::Announced;
use crate::repoint::adding::matters::{Need, Reason};
use crate::repoint::adding::step::{Decided, Step};

impl Conversation {
    pub(super) fn announcement(&self) -> Result<Option<&Announced>, Step> {
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
    pub(super) fn follow(&self, announced: &Announced, now: Timestamp) -> Result<Decided, Step> {
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

    /// Whether what was pasted is an announcement.
    pub fn is_announced(&self) -> bool {
        matches!(self.announced, Some(Ok(Some(_))))
    }
}
