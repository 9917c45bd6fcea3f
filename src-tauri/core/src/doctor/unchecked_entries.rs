//! Entries of the person's own through which ssh would log in to whoever answers.

use moorline_model::next_step::NextStep;

use super::check::{Check, Next};
use super::config::some;
use super::surroundings::Surroundings;
use crate::repoint::unchecked_entries::Found;

pub(super) fn entries(found: &Surroundings) -> Check {
    const ID: &str = "loose-entries";
    const TITLE: &str = "Entries that switch checking off";
    let [first, rest @ ..] = &found.loose[..] else {
        return Check::ok(ID, TITLE, "None that lead to a runtime.");
    };
    let lines = |one: &Found| format!("lines {} to {}", one.entry.line, one.entry.last_line);
    let named: Vec<String> = found
        .loose
        .iter()
        .map(|one| format!("{} ({}, {})", one.entry.alias, found.shown(&one.file), lines(one)))
        .collect();
    let detail = format!("The machine that answers is not checked for: {}.", some(&named));
    let is_session = |one: &Found| found.sessions.contains(&one.entry.alias);
    let hide = if rest.is_empty() {
        format!("Put a `#` before {} of {}", lines(first), found.shown(&first.file))
    } else {
        "Put a `#` before these lines".to_owned()
    };
    let next = if found.loose.iter().all(is_session) {
        Next::Words(format!("{hide}; Moorline's own entry checks the machine"))
    } else {
        let session = rest.is_empty().then(|| first.entry.alias.clone());
        let words =
            format!("{hide}, or add the runtime under that name: Moorline offers to take the entry over");
        Next::WordsThenStep(words, NextStep::Add { session })
    };
    Check::advice(ID, TITLE, detail, next)
}
