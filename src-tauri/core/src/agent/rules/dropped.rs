//! When a session is down, and when a drop is told.

use jiff::{SignedDuration, Timestamp};
use moorline_model::cause::Cause;
use moorline_model::health::Health;

use super::{later, since};
use crate::agent::state::{Followed, Told};

/// How long a drop waits before it is told: others with the same cause join it, and a quick return cancels it.
const GATHER: SignedDuration = SignedDuration::from_secs(1);

/// The shortest such wait, where the redial took nearly all of the time.
const LEAST_GATHER: SignedDuration = SignedDuration::from_millis(100);

/// A drop that is known for certain by then is told this long after the loss: people are promised 5 s.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_millis(4800);

/// A redial that fails later than this was on a slow link, where nothing is won by haste.
const HASTE: SignedDuration = SignedDuration::from_millis(5500);

/// Down, and told of once: only what was online can drop, and this computer's own network is no drop.
pub(super) fn down(followed: &mut Followed, cause: Cause, grace: Option<Timestamp>, now: Timestamp) {
    if followed.adopting.is_some() {
        // The old way is dead, and the new one is being written: what a dial finds there decides.
        followed.health = Health::Down { cause, since: since(&followed.health, now) };
        return;
    }
    followed.returning = None;
    followed.seen_key = None;
    let own_network = cause == Cause::LocalOffline;
    let began = since(&followed.health, now);
    followed.health = Health::Down { cause, since: began };
    if own_network {
        followed.drop_due = None;
        return;
    }
    let untold = !matches!(followed.told, Told::Dropped(_));
    if followed.was_online && untold && followed.drop_due.is_none() {
        let soon = told_at(began, now);
        followed.drop_due = Some(grace.map_or(soon, |end| end.max(soon)));
    }
}

/// When a drop is told that began at `began` and is certain `now`.
fn told_at(began: Timestamp, now: Timestamp) -> Timestamp {
    let gathered = later(now, GATHER);
    if later(began, HASTE) < now {
        return gathered;
    }
    gathered.min(later(began, TOLD_WITHIN)).max(later(now, LEAST_GATHER))
}
