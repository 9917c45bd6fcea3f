//! `moorline add` and `repair --from` with a text that holds an announcement under a session key of this computer.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use moorline_core::add::Wish;
use moorline_core::announcement::{self, Accepted, Announcement, Kind};
use moorline_core::channel::{Post, listening};
use moorline_core::clock;
use moorline_core::pins::{Pins, SessionPins};
use moorline_core::session::{Link, RelayLink, Session};
use moorline_core::session_key::{self, SessionKey};
use moorline_core::settle::{self, Change};
use moorline_core::tools::Tools;
use moorline_core::trust::Trust;
use moorline_core::vault::SecretKind;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, Place, Port};
use serde_json::json;

use super::add::Adding;
use super::{claimed, rival};
use crate::ask::{Terminal, confirm};
use crate::printer::Printer;
use crate::report;

/// How long to listen to channels that say nothing.
const LISTEN: Duration = Duration::from_secs(4);

/// A genuine announcement of one of the person's runtimes.
pub struct Announced {
    name: Alias,
    key: SessionKey,
    said: Announcement,
    accepted: Accepted,
    /// Where the channel itself says that it is.
    place: Option<Place>,
}

/// The announcement in this text; `None` if there is none under a key that this computer has. `wanted` is the session
/// that the person named.
///
/// # Errors
/// There is one, and it is not to be believed.
pub fn find(tools: &Tools, text: &str, wanted: Option<&Alias>) -> anyhow::Result<Option<Announced>> {
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
        let Ok(Some(key)) = session_key::load(tools, &name) else { continue };
        // The newest is the last one.
        let kid = key.id();
        let Some((line, _)) = lines.iter().rfind(|(_, of)| *of == kid) else { continue };
        if wanted.is_some_and(|wanted| *wanted != name) {
            bail!("this is an announcement of {name}; name that session, or leave the name out");
        }
        let said = announcement::open(line, &kid, &key.announcement_key())?;
        if said.kind == Kind::Down {
            bail!(
                "this is the goodbye of a runtime of {name}, which leads nowhere, so nothing was changed; paste what the next one prints"
            );
        }
        let pins = Pins::load(&tools.dirs.pins_file())?;
        let last = pins.get(&name).and_then(|pins| pins.accepted.as_ref());
        let accepted = match announcement::accept(last, &said, clock::moment()) {
            // Pasting twice is no mistake.
            Err(announcement::Refusal::Known) => last.cloned(),
            other => Some(other?),
        };
        return Ok(accepted.map(|accepted| Announced { name, key, said, accepted, place: None }));
    }
    Ok(None)
}

/// The newest announcement that lies in the session's channels and was not accepted yet.
pub async fn heard(tools: &Arc<Tools>, session: &Session) -> anyhow::Result<Option<Announced>> {
    let name = &session.name;
    let settings = super::sessions(tools)?.channels(name);
    if settings.channels.is_empty() {
        return Ok(None);
    }
    // Without a key nothing can be read, and without a keyring the rest of the repair still can be done.
    let Ok(Some(key)) = session_key::load(tools, name) else { return Ok(None) };
    let (session, tools) = (session.clone(), Arc::clone(tools));
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let post = Post { session, kid: key.id(), topic: key.topic(), settings, tools };
    let mut newest: Option<Announced> = None;
    let mut last = pins.get(name).and_then(|pins| pins.accepted.clone());
    for news in listening::gather(&post, &key, LISTEN).await {
        let Ok((said, place)) = news.said else { continue };
        let Ok(accepted) = announcement::accept(last.as_ref(), &said, clock::moment()) else { continue };
        last = Some(accepted.clone());
        let way = place.is_some() || announcement::way(Some(&post.session.link), &said.endpoints).is_some();
        if said.kind == Kind::Down {
            newest.take_if(|up| up.said.runtime == said.runtime);
        } else if way {
            newest = Some(Announced { name: name.clone(), key: key.clone(), said, accepted, place });
        }
    }
    Ok(newest)
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

    /// Leads the session there by a text that the person pasted. A runtime that answers where it is keeps its session
    /// unless they say so.
    ///
    /// # Errors
    /// As [`Announced::settle`]; the name is another machine's, or the person said no.
    pub async fn follow(&self, adding: &Adding<'_>, wish: &Wish) -> anyhow::Result<ExitCode> {
        let Adding { tools, printer, .. } = *adding;
        if adding.trust.trust_first_use {
            bail!("the announcement itself vouches for the host key; leave --trust-first-use out");
        }
        let was = super::sessions(tools)?.get(&self.name).cloned();
        // Whatever is refused is refused before anything is dialled.
        self.session(was.as_ref(), wish)?;
        self.keys_of(adding.trust.fingerprint)?;
        match &was {
            None => claimed::refuse(tools, &self.name)?,
            Some(was) => {
                if let Some(rival) = rival::of(tools, was, self, printer).await? {
                    let question = format!("{rival}; re-point it?");
                    if adding.dry_run {
                        printer.note(format!("this would be asked: {question}"));
                    } else if !adding.yes {
                        confirm(&mut Terminal::open(printer.is_json()), &question)?;
                    }
                }
            }
        }
        self.settle(adding, wish, printer).await
    }

    /// Leads the session there; nothing is asked, since the session key vouches for all of it. What the person said
    /// besides goes in, or is refused.
    ///
    /// # Errors
    /// It names no way that the session can take, it is not what the person said, or the files cannot be written.
    pub async fn settle(
        &self,
        adding: &Adding<'_>,
        wish: &Wish,
        printer: &Printer,
    ) -> anyhow::Result<ExitCode> {
        let tools = adding.tools;
        let was = super::sessions(tools)?.get(&self.name).cloned();
        let session = self.session(was.as_ref(), wish)?;
        let keys = self.keys_of(adding.trust.fingerprint)?;
        let change =
            Change { was, keys, accepted: Some(self.accepted.clone()), ..Change::of(session, clock::now()) };
        if adding.dry_run {
            let preview = settle::preview(tools, &change).await?;
            report::print_preview(&preview, printer);
            printer.json(&json!({ "dry_run": true, "files": report::to_json(&preview) }));
            return Ok(ExitCode::SUCCESS);
        }
        let written = settle::settle(tools, &change).await?;
        printer.done(format!("{} announced itself at {}", self.name, change.session.link));
        report::print(&written, printer);
        printer.line(format!("Then: ssh {}", self.name));
        printer.json(&json!({
            "session": self.name,
            "link": change.session.link.kind(),
            "endpoint": change.session.link.to_string(),
            "user": change.session.user,
            "host_key": change.keys.first().map(|(key, trust)| json!({
                "fingerprint": key.fingerprint(), "trust": trust,
            })),
            "files": report::to_json(&written),
        }));
        Ok(ExitCode::SUCCESS)
    }

    /// The session as it is to be.
    fn session(&self, was: Option<&Session>, wish: &Wish) -> anyhow::Result<Session> {
        let name = &self.name;
        let now = match (was, &wish.relay) {
            (Some(was), _) => Some(was.link.clone()),
            // The port is the announcement's.
            (None, Some(relay)) => {
                let (relay, port) = (relay.clone(), Port::try_from(1)?);
                Some(Link::Relay(RelayLink { relay, port, mine_alone: false }))
            }
            (None, None) => None,
        };
        let Some(mut link) = self.link(now.as_ref()) else {
            bail!("the announcement of {name} names no way that this session can take; run the cell again");
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
            bail!(
                "the announcement leads {name} to {link}, and not through the relay that you named; leave --relay and --relay-is-mine-alone out"
            );
        }
        let user = self.said.user.clone();
        if let Some(other) = wish.user.as_ref().filter(|wanted| **wanted != user) {
            bail!("the announcement of {name} names the user {user}, and not {other}; leave --user out");
        }
        let folder = wish.folder.clone().or_else(|| was?.folder.clone());
        let identity_file = wish.identity_file.clone().or_else(|| was?.identity_file.clone());
        Ok(Session { name: name.clone(), link, user, folder, identity_file })
    }

    /// `--fingerprint` means exactly that key.
    fn keys_of(&self, wanted: Option<Fingerprint>) -> anyhow::Result<Vec<(HostKey, Trust)>> {
        let mut keys = self.keys();
        if let Some(wanted) = wanted {
            keys.retain(|(key, _)| key.fingerprint() == wanted);
            if keys.is_empty() {
                bail!(
                    "the announcement of {} names another host key than --fingerprint {wanted}; nothing was changed: find out which one is the runtime's",
                    self.name
                );
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
