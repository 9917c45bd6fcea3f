//! ngrok agents that a session's former runtimes left behind.

use std::process::ExitCode;

use anyhow::bail;
use moorline_core::net::ngrok::matching::{Forgotten, forgotten};
use moorline_core::net::ngrok::{self, Agent, Endpoint};
use moorline_core::ssh::context::Tools;
use moorline_core::store::session_keys;
use moorline_model::clock;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::Place;
use serde_json::json;

use crate::advice::with_command;
use crate::ask::Terminal;
use crate::printer::Printer;

/// Shows the agents that no session leads to, and stops those that the person says yes to; with `yes` those that
/// hold nothing.
///
/// # Errors
/// ngrok cannot be asked, or refuses.
pub fn stop_agents(
    tools: &Tools,
    session: &Session,
    yes: bool,
    printer: &Printer,
) -> anyhow::Result<ExitCode> {
    let kid = session_keys::load(&*tools.vault, &session.name)?.map(|key| key.id());
    let account = ngrok::account(&*tools.vault)?;
    let waiting = printer.waiting("asking ngrok");
    let (agents, endpoints) = super::block_on(async {
        Ok::<_, ngrok::NgrokError>((account.agents().await?, account.endpoints().await?))
    })??;
    drop(waiting);
    let followed = followed(tools)?;
    let left = forgotten(&agents, &endpoints, &followed, kid.as_ref());
    if left.is_empty() {
        printer.done(format!("no ngrok agent was left behind ({} in use)", agents.len()));
    }
    let mut terminal = Terminal::open(printer.is_json());
    let (mut stopped, mut kept) = (Vec::new(), Vec::new());
    for found in &left {
        let described = describe(found);
        let wanted = match &mut terminal {
            _ if yes => found.for_nothing,
            Some(terminal) => terminal.confirm(&format!("Stop {described}?")),
            None if printer.is_json() => false,
            None => bail!("{described} runs; say --yes to stop those that hold nothing"),
        };
        if !wanted {
            printer.note(format!("left running: {described}"));
            kept.push(found.agent.id.to_string());
            continue;
        }
        super::block_on(account.stop(&found.agent.id))??;
        printer.done(format!("stopped {described}"));
        stopped.push(found.agent.id.to_string());
    }
    printer
        .json(&json!({ "session": session.name, "stopped": stopped, "left": kept, "agents": agents.len() }));
    Ok(ExitCode::SUCCESS)
}

/// How many agents of the account lead nowhere, in a sentence; `None` without a key, or when all are in use.
pub fn left_behind(tools: &Tools, session: &Session) -> Option<String> {
    let kid = session_keys::load(&*tools.vault, &session.name).ok()?.map(|key| key.id());
    let account = match ngrok::account(&*tools.vault) {
        Ok(account) => account,
        Err(ngrok::NgrokError::NoKey) => return None,
        Err(error) => return Some(with_command(&error, error.next_step())),
    };
    let asked = super::block_on(async {
        Ok::<_, ngrok::NgrokError>((account.agents().await?, account.endpoints().await?))
    });
    let (agents, endpoints): (Vec<Agent>, Vec<Endpoint>) = match asked.ok()? {
        Ok(found) => found,
        Err(error) => return Some(with_command(&error, error.next_step())),
    };
    let left = forgotten(&agents, &endpoints, &followed(tools).ok()?, kid.as_ref());
    let all: Vec<_> = left.iter().map(describe).collect();
    let name = &session.name;
    (!all.is_empty()).then(|| {
        format!("{} lead nowhere; `moorline repair {name} --stop-agents` stops them", all.join(", "))
    })
}

/// Where the sessions lead.
fn followed(tools: &Tools) -> anyhow::Result<Vec<Place>> {
    let sessions = super::sessions(tools)?;
    let places = sessions.sessions().values().filter_map(|session| match &session.link {
        Link::Ngrok(place) => Some(place.clone()),
        _ => None,
    });
    Ok(places.collect())
}

fn describe(found: &Forgotten<'_>) -> String {
    let Agent { id, ip, program, started } = found.agent;
    let since = started.map_or_else(String::new, |started| {
        let minutes = clock::now().duration_since(started).as_mins().max(0);
        if minutes < 120 { format!(", for {minutes} min") } else { format!(", for {} h", minutes / 60) }
    });
    let holds: Vec<_> = found.holds.iter().map(|endpoint| endpoint.address.clone()).collect();
    let holds =
        if holds.is_empty() { "holds nothing".to_owned() } else { format!("holds {}", holds.join(", ")) };
    format!("ngrok agent {id} ({program} at {ip}{since}, {holds})")
}
