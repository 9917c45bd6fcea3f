//! When a session is down, and when a drop is told.

use jiff::{SignedDuration, Timestamp};
use moorline_model::cause::Cause;

use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, Told};
use crate::agent::moments::later;
use crate::agent::notices;

/// How long a drop waits before it is told: others with the same cause join it, and a quick return cancels it.
const GATHER: SignedDuration = SignedDuration::from_secs(1);

/// The shortest such wait, where the redial took nearly all of the time.
const LEAST_GATHER: SignedDuration = SignedDuration::from_millis(100);

/// A drop that is known for certain by then is told this long after the loss: people are promised 5 s.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_millis(4800);

/// A redial that fails later than this was on a slow link, where nothing is won by haste.
const HASTE: SignedDuration = SignedDuration::from_millis(5500);

/// Down, and told of once: only what was online can drop, and this computer's own network is no drop.
pub(super) fn down(
    followed: &mut Followed,
    cause: Cause,
    grace: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Effect> {
    let untold = !matches!(followed.told, Told::Dropped(_));
    let soon = told_at(followed.course.phase().since(now), now);
    let due = grace.map_or(soon, |end| end.max(soon));
    if followed.course.fail(cause, untold, due, now) {
        // It does not answer any more: what was approved is asked again when it does, so the key is told of then.
        followed.told = Told::Nothing;
        return vec![Effect::Notify(notices::not_approved(&followed.session.name))];
    }
    Vec::new()
}

/// When a drop is told that began at `began` and is certain `now`.
fn told_at(began: Timestamp, now: Timestamp) -> Timestamp {
    let gathered = later(now, GATHER);
    if later(began, HASTE) < now {
        return gathered;
    }
    gathered.min(later(began, TOLD_WITHIN)).max(later(now, LEAST_GATHER))
}
