//! Which connection is used: one, and beside it perhaps one that went silent.

use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::held::{Held, Target};
use super::wire::Refusal;

/// The connections of a session.
#[derive(Default)]
pub(super) struct Lines {
    current: Option<Arc<Attempt>>,
    /// It does not answer. Whoever it carries may hope until it is known to be dead: a network that was away for a
    /// moment comes back, and what went over it goes on.
    aside: Option<Aside>,
}

/// All who wait for the same connection get it, or the same reason.
pub(super) struct Attempt {
    pub target: Target,
    pub outcome: OnceCell<Result<Arc<Held>, Refusal>>,
}

struct Aside {
    attempt: Arc<Attempt>,
    held: Arc<Held>,
    since: Instant,
}

impl Lines {
    /// The connection to this target that is there or on its way, else one that is to be made.
    pub fn to(&mut self, target: Target) -> Arc<Attempt> {
        if let Some(attempt) = &self.current
            && attempt.target == target
            && attempt.may_do()
        {
            return Arc::clone(attempt);
        }
        let revived = self.aside.take_if(|aside| aside.attempt.target == target && aside.speaks_again());
        let fresh = || Arc::new(Attempt { target, outcome: OnceCell::new() });
        let attempt = revived.map_or_else(fresh, |aside| aside.attempt);
        self.current = Some(Arc::clone(&attempt));
        attempt
    }

    /// This one went silent: the next one who comes needs another.
    pub fn set_aside(&mut self, held: &Arc<Held>) {
        let is_it = |attempt: &mut Arc<Attempt>| attempt.held().is_some_and(|own| Arc::ptr_eq(own, held));
        let Some(attempt) = self.current.take_if(is_it) else { return };
        self.cut_aside();
        self.aside = Some(Aside { attempt, held: Arc::clone(held), since: Instant::now() });
    }

    /// Cuts what was set aside, if it is silent still. Whether anything was.
    pub fn cut_aside(&mut self) -> bool {
        let Some(aside) = self.aside.take() else { return false };
        let dead = !aside.speaks_again();
        if dead {
            aside.held.trunk.cut();
        }
        dead
    }

    /// The one that is used, if it was reached, for the last time.
    pub fn end(&mut self) -> Option<Arc<Held>> {
        self.cut_aside();
        self.current.take()?.held().cloned()
    }
}

impl Attempt {
    /// It is being made, or it stands.
    fn may_do(&self) -> bool {
        match self.outcome.get() {
            None => true,
            Some(Ok(held)) => held.trunk.stands(),
            Some(Err(_)) => false,
        }
    }

    fn held(&self) -> Option<&Arc<Held>> {
        self.outcome.get()?.as_ref().ok()
    }
}

impl Aside {
    fn speaks_again(&self) -> bool {
        self.held.trunk.stands() && self.held.trunk.heard() > self.since
    }
}
