//! Moments that rules wait for.

use jiff::{SignedDuration, Timestamp};

/// How long a return waits for the vitals to tell whether it is the same machine.
pub(super) const RECOGNISE: SignedDuration = SignedDuration::from_secs(5);

/// The moment that is so much later, or the last one that there is.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
