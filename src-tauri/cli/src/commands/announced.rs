//! What a session's channels hold, for `moorline repair`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use moorline_core::announce::channels::{Post, listening};
use moorline_core::repoint::adding::Wish;
use moorline_core::repoint::adding::announced::Announced;
use moorline_core::repoint::change::Change;
use moorline_core::repoint::write;
use moorline_core::ssh::context::Tools;
use moorline_core::store::pins_json::Pins;
use moorline_core::store::session_keys;
use moorline_model::announcement::{self, Kind};
use moorline_model::clock;
use moorline_model::session::Session;
use serde_json::json;

use super::adding::Adding;
use crate::printer::Printer;
use crate::report;

/// How long to listen to channels that say nothing.
const LISTEN: Duration = Duration::from_secs(4);

/// The newest announcement that lies in the session's channels and was not accepted yet.
pub async fn heard(tools: &Arc<Tools>, session: &Session) -> anyhow::Result<Option<Announced>> {
    let name = &session.name;
    let settings = super::sessions(tools)?.channels(name);
    if settings.channels.is_empty() {
        return Ok(None);
    }
    // Without a key nothing can be read, and without a keyring the rest of the repair still can be done.
    let Ok(Some(key)) = session_keys::load(&*tools.vault, name) else { return Ok(None) };
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

/// Leads the session there; nothing is asked, since the session key vouches for all of it. What the person said besides
/// goes in, or is refused.
///
/// # Errors
/// It names no way that the session can take, it is not what the person said, or the files cannot be written.
pub async fn settle(
    announced: &Announced,
    adding: &Adding<'_>,
    wish: &Wish,
    printer: &Printer,
) -> anyhow::Result<ExitCode> {
    let tools = adding.tools;
    let was = super::sessions(tools)?.get(&announced.name).cloned();
    let session = announced.session(was.as_ref(), wish).map_err(anyhow::Error::msg)?;
    let keys = announced.keys_of(adding.trust.fingerprint).map_err(anyhow::Error::msg)?;
    if adding.trust.trust_first_use {
        bail!("the announcement itself vouches for the host key; leave --trust-first-use out");
    }
    let change =
        Change { was, keys, accepted: Some(announced.accepted.clone()), ..Change::of(session, clock::now()) };
    if adding.dry_run {
        let preview = write::preview(tools, &change).await?;
        report::print_preview(&preview, printer);
        printer.json(&json!({ "dry_run": true, "files": report::to_json(&preview) }));
        return Ok(ExitCode::SUCCESS);
    }
    let written = write::settle(tools, &change).await?;
    printer.done(format!("{} announced itself at {}", announced.name, change.session.link));
    report::print(&written, printer);
    printer.line(format!("Then: ssh {}", announced.name));
    printer.json(&json!({
        "session": announced.name,
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
