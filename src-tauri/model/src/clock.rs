//! The one place that reads the clock for state files and the agent.

use jiff::Timestamp;

/// Now, in whole seconds.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Now, in whole milliseconds: what is timed by a second or two needs them.
pub fn moment() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
