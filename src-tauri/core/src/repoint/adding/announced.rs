//! A pasted text that holds an announcement under a session key of this computer.

use moorline_model::announcement::{self, Accepted, Announcement, Kind};
use moorline_model::clock;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{Link, RelayLink, Session};
use moorline_model::session_key::SessionKey;
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, Place, Port};

use super::wish::Wish;
use crate::ssh::context::Tools;
use crate::store::pins_json::{Pins, SessionPins};
use crate::store::session_keys;

/// A genuine announcement of one of the person's runtimes.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The session.
    pub name: Alias,
    /// Its session key.
    pub key: SessionKey,
    /// What the runtime says.
    pub said: Announcement,
    /// What to keep of it.
    pub accepted: Accepted,
    /// Where the channel itself says that it is.
    pub place: Option<Place>,
}

/// The announcement in this text; `None` if there is none under a key that this computer has. `wanted` is the session
/// that the person named. Blocks for as long as the keyring takes.
///
/// # Errors
/// There is one, and it is not to be believed, or leads nowhere; one sentence.
pub fn find(tools: &Tools, text: &str, wanted: Option<&Alias>) -> Result<Option<Announced>, String> {
    // A host may have such a name, too: what makes a word an announcement is a key id that is known here.
    let words = text.split_whitespace().filter(|word| word.starts_with(announcement::PREFIX));
    let lines: Vec<_> = words.filter_map(|word| Some((word, announcement::named_key_id(word)?))).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    // A keyring that cannot be read is no reason to refuse the rest of the text.
    let names = tools.vault.list().unwrap_or_default();
    let of_sessions = names.into_iter().filter(|name| name.kind == SecretKind::SessionKey);
    for name in of_sessions.filter_map(|name| name.session) {
        let Ok(Some(key)) = session_keys::load(&*tools.vault, &name) else { continue };
        // The newest is the last one.
        let kid = key.id();
        let Some((line, _)) = lines.iter().rfind(|(_, of)| *of == kid) else { continue };
        if wanted.is_some_and(|wanted| *wanted != name) {
            return Err(format!(
                "this is an announcement of {name}; name that session, or leave the name out"
            ));
        }
        let said = announcement::open(line, &kid, &key.announcement_key()).map_err(|why| why.to_string())?;
        if said.kind == Kind::Down {
            return Err(format!(
                "this is the goodbye of a runtime of {name}, which leads nowhere; paste what the next one prints"
            ));
        }
        let pins = Pins::load(&tools.dirs.pins_file()).map_err(|why| why.to_string())?;
        let last = pins.get(&name).and_then(|pins| pins.accepted.as_ref());
        let accepted = match announcement::accept(last, &said, clock::moment()) {
            // Pasting twice is no mistake.
            Err(announcement::Refusal::Known) => last.cloned(),
            other => Some(other.map_err(|why| why.to_string())?),
        };
        return Ok(accepted.map(|accepted| Announced { name, key, said, accepted, place: None }));
    }
    Ok(None)
}

impl Announced {
    /// Where it leads, if that is another way than the one that stands, or other keys than those that are pinned.
    pub fn elsewhere(&self, session: &Session, pins: &SessionPins) -> Option<Link> {
        let link = self.link(Some(&session.link))?;
        let in_place = link == session.link
            && self.said.user == session.user
            && self.keys().iter().all(|(key, _)| pins.holds(key));
        (!in_place).then_some(link)
    }

    /// The session as it is to be.
    ///
    /// # Errors
    /// It names no way that the session can take, or another one than the person said; one sentence.
    pub fn session(&self, was: Option<&Session>, wish: &Wish) -> Result<Session, String> {
        let name = &self.name;
        let now = match (was, &wish.relay) {
            (Some(was), _) => Some(was.link.clone()),
            // The port is the announcement's.
            (None, Some(relay)) => {
                let (relay, port) = (relay.clone(), Port::SSH);
                Some(Link::Relay(RelayLink { relay, port, mine_alone: false }))
            }
            (None, None) => None,
        };
        let Some(mut link) = self.link(now.as_ref()) else {
            return Err(format!(
                "the announcement of {name} names no way that this session can take; run the cell again"
            ));
        };
        let through = match &mut link {
            Link::Relay(link) => {
                link.mine_alone |= wish.mine_alone;
                Some(&link.relay)
            }
            _ => None,
        };
        if wish.relay.as_ref().is_some_and(|relay| through != Some(relay))
            || wish.mine_alone && through.is_none()
        {
            return Err(format!(
                "the announcement leads {name} to {link}, and not through the relay that you named; leave the relay out"
            ));
        }
        let user = self.said.user.clone();
        if let Some(other) = wish.user.as_ref().filter(|wanted| **wanted != user) {
            return Err(format!(
                "the announcement of {name} names the user {user}, and not {other}; leave the user out"
            ));
        }
        let folder = wish.folder.clone().or_else(|| was?.folder.clone());
        let identity_file = wish.identity_file.clone().or_else(|| was?.identity_file.clone());
        Ok(Session { name: name.clone(), link, user, folder, identity_file })
    }

    /// The keys that it vouches for; with `wanted`, exactly that one.
    ///
    /// # Errors
    /// That one is not among them; one sentence.
    pub fn keys_of(&self, wanted: Option<Fingerprint>) -> Result<Vec<(HostKey, Trust)>, String> {
        let mut keys = self.keys();
        if let Some(wanted) = wanted {
            keys.retain(|(key, _)| key.fingerprint() == wanted);
            if keys.is_empty() {
                return Err(format!(
                    "the announcement of {} names another host key than {wanted}; find out which one is the runtime's",
                    self.name
                ));
            }
        }
        Ok(keys)
    }

    fn link(&self, now: Option<&Link>) -> Option<Link> {
        match &self.place {
            Some(place) => Some(Link::Ngrok(place.clone())),
            None => announcement::way(now, &self.said.endpoints),
        }
    }

    fn keys(&self) -> Vec<(HostKey, Trust)> {
        announcement::keys(&self.said, self.key.host_key())
    }
}
