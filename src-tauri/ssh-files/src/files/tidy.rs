//! Takes leftovers of a run that was cut short away, and how long a lock is waited for.

use std::time::Duration;

use super::replace;
use crate::files::lock::Lock;
use crate::files::target::Target;

/// How long a lock is waited for, unless told otherwise.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Takes away what a killed run left, also where the file itself needs no change any more.
pub(super) fn tidy(target: &Target) {
    let path = target.sidecar("lock");
    let anything = path.exists() || !replace::leftovers(target).is_empty();
    if anything && let Ok(_lock) = Lock::take(path, Duration::ZERO) {
        replace::remove_leftovers(target);
    }
}
