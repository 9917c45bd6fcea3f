//! One thing that was looked at, how it came out, and what to do about it.

use std::fmt;

use moorline_model::next_step::NextStep;
use serde::Serialize;

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
    pub(super) fn then_repair(words: impl Into<String>) -> Self {
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

impl Check {
    pub(super) fn ok(id: &'static str, title: &str, detail: impl Into<String>) -> Self {
        Self { id, title: title.to_owned(), verdict: Verdict::Ok, detail: detail.into(), next: None }
    }

    pub(super) fn advice(
        id: &'static str,
        title: &str,
        detail: impl Into<String>,
        next: impl Into<Next>,
    ) -> Self {
        Self { verdict: Verdict::Advice, next: Some(next.into()), ..Self::ok(id, title, detail) }
    }

    pub(super) fn problem(
        id: &'static str,
        title: &str,
        detail: impl Into<String>,
        next: impl Into<Next>,
    ) -> Self {
        Self { verdict: Verdict::Problem, ..Self::advice(id, title, detail, next) }
    }
}
