//! The one place that reads the clock for state files.

use jiff::Timestamp;

/// Now, in whole seconds.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
