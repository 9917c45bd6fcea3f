//! `moorline add` and `repair --from` with a text that holds an announcement under a session key of this computer.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use moorline_core::announcement::{self, Accepted, Announcement, Kind};
use moorline_core::channel::{Post, listening};
use moorline_core::clock;
use moorline_core::pins::{Pins, SessionPins};
use moorline_core::session::{Link, Session};
use moorline_core::session_key::{self, SessionKey};
use moorline_core::settle::{self, Change};
use moorline_core::tools::Tools;
use moorline_core::trust::Trust;
use moorline_core::vault::SecretKind;
use moorline_ssh_files::{Alias, Place};
use serde_json::json;

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
    // The newest is the last one.
    let Some(line) = text.split_whitespace().rev().find(|word| word.starts_with(announcement::PREFIX)) else {
        return Ok(None);
    };
    let kid = match announcement::key_id(line) {
        Ok(kid) => kid,
        Err(refusal) => bail!("{refusal}"),
    };
    // A keyring that cannot be read is no reason to refuse the rest of the text.
    let names = tools.vault.list().unwrap_or_default();
    let of_sessions = names.into_iter().filter(|name| name.kind == SecretKind::SessionKey);
    for name in of_sessions.filter_map(|name| name.session) {
        let Ok(Some(key)) = session_key::load(tools, &name) else { continue };
        if key.id() != kid {
            continue;
        }
        if wanted.is_some_and(|wanted| *wanted != name) {
            bail!("this is an announcement of {name}; name that session, or leave the name out");
        }
        let said = announcement::open(line, &kid, &key.announcement_key())?;
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

    /// Leads the session there; nothing is asked, since the session key vouches for all of it.
    ///
    /// # Errors
    /// It names no way that the session can take, or the files cannot be written.
    pub async fn settle(&self, tools: &Tools, dry_run: bool, printer: &Printer) -> anyhow::Result<ExitCode> {
        let was = super::sessions(tools)?.get(&self.name).cloned();
        let Some(link) = self.link(was.as_ref().map(|session| &session.link)) else {
            bail!(
                "the announcement of {} names no way that this session can take; run the cell again",
                self.name
            );
        };
        let session = match &was {
            Some(was) => Session { link, user: self.said.user.clone(), ..was.clone() },
            None => Session {
                name: self.name.clone(),
                link,
                user: self.said.user.clone(),
                folder: None,
                identity_file: None,
            },
        };
        let change = Change {
            was,
            keys: self.keys(),
            accepted: Some(self.accepted.clone()),
            ..Change::of(session, clock::now())
        };
        if dry_run {
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

    fn link(&self, now: Option<&Link>) -> Option<Link> {
        match &self.place {
            Some(place) => Some(Link::Ngrok(place.clone())),
            None => announcement::way(now, &self.said.endpoints),
        }
    }

    fn keys(&self) -> Vec<(moorline_ssh_files::HostKey, Trust)> {
        announcement::keys(&self.said, self.key.host_key())
    }
}
