//! An announcement that leads away from where a session stands. A runtime that answers there keeps its session: whoever
//! follows the other one says so.

use moorline_core::repoint::adding::announced::Announced;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::obstacle;
use moorline_core::ssh::reach::{self, Expected, relay_ssh};
use moorline_core::store::pins_json::{Pins, SessionPins};
use moorline_model::session::Session;

use super::reaching::LIMIT;
use crate::printer::Printer;

/// Whether the session stays where it is, although this was announced; then that was said.
///
/// # Errors
/// The pins cannot be read.
pub async fn keeps(
    tools: &Tools,
    session: &Session,
    announced: &Announced,
    printer: &Printer,
) -> anyhow::Result<bool> {
    let Some(rival) = of(tools, session, announced, printer).await? else { return Ok(false) };
    printer.note(format!("{rival}; to follow it: moorline repair {} --take-over", session.name));
    Ok(true)
}

/// Why the session had better stay where it is, although this was announced: a clause. Nothing is sent there but a key
/// exchange.
///
/// # Errors
/// The pins cannot be read.
pub async fn of(
    tools: &Tools,
    session: &Session,
    announced: &Announced,
    printer: &Printer,
) -> anyhow::Result<Option<String>> {
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let none = SessionPins::default();
    let known = pins.get(&session.name).unwrap_or(&none);
    let Some(link) = announced.elsewhere(session, known) else { return Ok(None) };
    let pinned = known.keys.iter().map(|pinned| pinned.key.clone()).collect();
    let expected = Expected { pinned, ..Expected::default() };
    let waiting = printer.waiting(format!("looking whether {} still answers", session.link));
    let seen = reach::reach(tools, &relay_ssh(tools, session), session, &expected, LIMIT).await;
    drop(waiting);
    let name = &session.name;
    let why = match seen {
        Ok(seen) if known.holds(&seen.key) => format!("{name} answers where it is"),
        Ok(_) => return Ok(None),
        Err(error) if obstacle::tells_of_runtime(&error) => return Ok(None),
        Err(error) => format!("whether {name} still answers where it is cannot be told ({error})"),
    };
    Ok(Some(format!("{why}, and it announces itself elsewhere ({link})")))
}
