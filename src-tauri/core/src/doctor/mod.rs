//! `moorline doctor`: looks at all that a session needs on this machine and says what to do about what is wrong.
//!
//! [`gather`] does the looking, with bounded commands and read-only file access (but for one temporary file in our own
//! state directory, whose time is compared with the clock). [`examine`] judges what was found; it is pure.

mod agent;
mod channels;
mod config;
mod editors;
mod entries;
mod gather;
mod known_hosts;
mod loose;
mod machine;
mod modes;
mod programs;
mod surroundings;

use serde::Serialize;

pub use gather::{Sources, gather};
pub use surroundings::{
    AgentFacts, ClockFacts, EditorConfigFile, FileFacts, ProxyProgram, SshFiles, Surroundings,
};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing to do.
    Ok,
    /// Works, but a person may want to know or change it.
    Advice,
    /// Something does not work, or will not.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable word for machines.
    pub id: &'static str,
    /// What was looked at.
    pub title: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub detail: String,
    /// A command to run or a thing to click; every problem has one.
    pub next_step: Option<String>,
}

/// Judges what was found, in the order in which a connection needs it.
pub fn examine(found: &Surroundings) -> Vec<Check> {
    let mut checks = vec![programs::ssh(found), machine::keyring(found)];
    checks.extend(modes::all(found));
    checks.push(config::text(found));
    if found.config_refused.is_none() {
        // What cannot be read cannot be judged line by line either.
        checks.extend([config::order(found), config::leaks(found), entries::entries(found)]);
    }
    checks.extend([loose::entries(found), known_hosts::text(found), entries::strays(found)]);
    checks.extend(programs::proxy(found));
    checks.extend(programs::google(found));
    checks.extend(channels::folders(found));
    checks.extend([agent::agent(found), machine::clock(found), editors::programs(found)]);
    checks.extend(editors::config_files(found));
    checks.extend(machine::wsl(found));
    checks
}

impl Check {
    fn ok(id: &'static str, title: &str, detail: impl Into<String>) -> Self {
        Self { id, title: title.to_owned(), verdict: Verdict::Ok, detail: detail.into(), next_step: None }
    }

    fn advice(
        id: &'static str,
        title: &str,
        detail: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        let next_step = Some(next_step.into());
        Self { verdict: Verdict::Advice, next_step, ..Self::ok(id, title, detail) }
    }

    fn problem(
        id: &'static str,
        title: &str,
        detail: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Problem, ..Self::advice(id, title, detail, next_step) }
    }
}

#[cfg(test)]
mod tests;
