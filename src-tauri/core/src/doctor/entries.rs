//! Whether our block and the sessions agree, and what interrupted writes left behind.

use super::check::{Check, Next};
use super::config::{block_aliases, some};
use super::surroundings::Surroundings;

pub(super) fn entries(found: &Surroundings) -> Check {
    const ID: &str = "entries";
    const TITLE: &str = "Entries of sessions";
    let held = block_aliases(found);
    let is_session = |alias: &String| found.sessions.iter().any(|session| session.as_str() == alias);
    let dead: Vec<String> = held.iter().filter(|alias| !is_session(alias)).cloned().collect();
    let missing: Vec<String> =
        found.sessions.iter().map(ToString::to_string).filter(|session| !held.contains(session)).collect();
    if !missing.is_empty() {
        let detail = format!("No entry in ~/.ssh/config for: {}.", some(&missing));
        return Check::problem(ID, TITLE, detail, Next::REPAIR);
    }
    if !dead.is_empty() {
        let detail = format!("Entries in Moorline's block that no session has: {}.", some(&dead));
        return Check::advice(ID, TITLE, detail, Next::REPAIR);
    }
    Check::ok(
        ID,
        TITLE,
        if held.is_empty() { "There are no sessions yet." } else { "Each session has its own." },
    )
}

pub(super) fn strays(found: &Surroundings) -> Check {
    const ID: &str = "leftovers";
    const TITLE: &str = "Leftovers of interrupted writes";
    if found.strays.is_empty() {
        return Check::ok(ID, TITLE, "None.");
    }
    let paths: Vec<String> = found.strays.iter().map(|path| found.shown(path)).collect();
    let detail = format!("Nobody uses these any more: {}.", some(&paths));
    Check::advice(ID, TITLE, detail, format!("rm {}", paths.join(" ")))
}
