//! Times how soon the agent sees, says and mends, and weighs it while it idles, next to the limits it is held to.
//!
//! Everything is real: `moorline watch` or the tray, OpenSSH's server, and a network on which packets are late, get
//! lost or vanish ([`crate::weather`]). Times are seen from outside, through the lines that the agent prints, so they
//! hold a few milliseconds of looking.

mod announced;
mod drops;
mod idle;
mod known;
mod silence;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::{Story, Weather, weather};

/// Odd, so that the median is a measured value.
const ROUNDS: usize = 7;

/// Measures one part.
type Measure = fn(&mut Table) -> Result<()>;

/// What is measured, by the name under which it can be asked for alone.
const PARTS: [(&str, Measure); 5] = [
    ("drops", drops::measure),
    ("announced", announced::measure),
    ("known", known::measure),
    ("silence", silence::measure),
    ("idle", idle::measure),
];

/// The table of figures: of all parts, or of the one that is named.
///
/// # Errors
/// Something else happens than what is to be measured, or there is no such part.
pub fn table(only: Option<&str>) -> Result<String> {
    let mut table = Table(String::new());
    writeln!(table.0, "{:<58} {:>12} {:>12}", "agent", "measured", "limit")?;
    let parts: Vec<_> = PARTS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    parts.first().context("usage: bench_agent [drops|announced|known|silence|idle]")?;
    for (_, measure) in parts {
        measure(&mut table)?;
    }
    Ok(table.0)
}

/// Rows as they come.
struct Table(String);

impl Table {
    /// A figure beside what it may be at most.
    fn row(&mut self, what: &str, measured: f64, unit: &str, limit: Option<f64>) {
        let digits = if measured < 10.0 { 2 } else { 1 };
        let limit = match limit {
            Some(limit) if measured > limit => format!("{limit} {unit}, missed"),
            Some(limit) => format!("{limit} {unit}"),
            None => String::new(),
        };
        let measured = format!("{measured:.digits$} {unit}");
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "{what:<58} {measured:>12} {limit:>12}");
    }

    /// The median of times, and the longest, in seconds or milliseconds.
    fn times(&mut self, what: &str, mut times: Vec<Duration>, unit: &str, limit: Option<f64>) {
        times.sort();
        let factor = if unit == "ms" { 1000.0 } else { 1.0 };
        let value = |time: Duration| time.as_secs_f64() * factor;
        let (Some(longest), Some(median)) = (times.last(), times.get(times.len() / 2)) else { return };
        self.row(&format!("{what}, median of {}", times.len()), value(*median), unit, limit);
        self.row(&format!("{what}, longest"), value(*longest), unit, limit);
    }
}

/// A runtime behind weather that is fair so far, followed as `colab`.
fn followed(weather: &Weather) -> Story {
    let story = Story::begin_on(weather);
    story.follow("colab", weather::RUNTIME);
    story
}

/// How long it took.
fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
