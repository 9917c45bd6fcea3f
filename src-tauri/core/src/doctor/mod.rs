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

use std::fmt;

use moorline_model::next_step::NextStep;
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A stable word for machines.
    pub id: &'static str,
    /// What was looked at.
    pub title: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub detail: String,
    /// What to do about it; every problem has one.
    pub next: Option<Next>,
}

/// What to do about what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A step that Moorline takes.
    Step(NextStep),
    /// Something outside of Moorline: another program's command, a thing to click.
    Words(String),
    /// First something outside of Moorline, then a step.
    WordsThenStep(String, NextStep),
}

impl Next {
    /// Moorline mends its own files.
    pub const REPAIR: Self = Self::Step(NextStep::Repair { session: None });

    /// These words, then Moorline mends its own files.
    fn then_repair(words: impl Into<String>) -> Self {
        Self::WordsThenStep(words.into(), NextStep::Repair { session: None })
    }
}

/// In words that fit any face.
impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            // The words name the step, too.
            Self::Words(words) | Self::WordsThenStep(words, _) => f.write_str(words),
        }
    }
}

impl From<String> for Next {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Next {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
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
        Self { id, title: title.to_owned(), verdict: Verdict::Ok, detail: detail.into(), next: None }
    }

    fn advice(id: &'static str, title: &str, detail: impl Into<String>, next: impl Into<Next>) -> Self {
        Self { verdict: Verdict::Advice, next: Some(next.into()), ..Self::ok(id, title, detail) }
    }

    fn problem(id: &'static str, title: &str, detail: impl Into<String>, next: impl Into<Next>) -> Self {
        Self { verdict: Verdict::Problem, ..Self::advice(id, title, detail, next) }
    }
}

#[cfg(test)]
mod tests;
