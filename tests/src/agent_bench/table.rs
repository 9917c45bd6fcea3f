//! The table of figures, and how they are come by.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::{Story, Weather, weather};

/// Odd, so that the median is a measured value.
pub(super) const ROUNDS: usize = 7;

/// Rows as they come.
pub(super) struct Table(pub(super) String);

impl Table {
    /// A figure beside what it may be at most.
    pub(super) fn row(&mut self, what: &str, measured: f64, unit: &str, limit: Option<f64>) {
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
    pub(super) fn times(&mut self, what: &str, mut times: Vec<Duration>, unit: &str, limit: Option<f64>) {
        times.sort();
        let factor = if unit == "ms" { 1000.0 } else { 1.0 };
        let value = |time: Duration| time.as_secs_f64() * factor;
        let (Some(longest), Some(median)) = (times.last(), times.get(times.len() / 2)) else { return };
        self.row(&format!("{what}, median of {}", times.len()), value(*median), unit, limit);
        self.row(&format!("{what}, longest"), value(*longest), unit, limit);
    }
}

/// A runtime behind weather that is fair so far, followed as `colab`.
pub(super) fn followed(weather: &Weather) -> Story {
    let story = Story::begin_on(weather);
    story.follow("colab", weather::RUNTIME);
    story
}

/// How long it took.
pub(super) fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
