//! What the watcher's loop needs of a link, so that a link which is not watched over SSH can be watched alike.

use std::future::Future;
use std::time::Duration;

use moorline_model::cause::Obstacle;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::HostKey;
use tokio::time::{Instant, sleep_until};

use super::pulse;
use crate::watch::order::WatchOrder;

/// A way to a runtime. One per session; it may remember what it learned on earlier dials.
pub trait Link: Send + 'static {
    /// What stands once the runtime is reached.
    type Up: Up;

    /// Reaches the runtime of `order`, within `limit`. With no pinned key it logs in nowhere, and the key that
    /// answers is the obstacle.
    fn open(
        &mut self,
        order: &WatchOrder,
        limit: Duration,
    ) -> impl Future<Output = Result<Self::Up, Obstacle>> + Send;

    /// Whether the last dial failed in a way that only a person can mend, beyond what its obstacle says.
    fn needs_a_person(&self) -> bool {
        false
    }

    /// A connection that stood has gone silent.
    fn went_silent(&mut self) {}

    /// Whether a second connection may be opened beside one that stands.
    fn takes_two(&self) -> bool {
        true
    }
}

/// A runtime that is reached. Dropping it lets go of it.
pub trait Up: Send + Sync {
    /// The key that the runtime has proven, where the link proves one.
    fn key(&self) -> Option<&HostKey>;

    /// Waits until the other side has closed the connection.
    fn closed(&self) -> impl Future<Output = ()> + Send;

    /// Asks for a sign of life and waits for it, for as long as it takes; the caller bounds it. `false` if the
    /// connection has ended.
    fn ping(&self) -> impl Future<Output = bool> + Send;

    /// Waits until a sign of life is asked for again, [`pulse::EVERY`] after `last`; gives when that was.
    fn asks_again(&self, last: Instant) -> impl Future<Output = Instant> + Send {
        async move {
            sleep_until(last + pulse::EVERY).await;
            Instant::now()
        }
    }

    /// Waits for what was asked for at that time, as [`Up::ping`] does.
    fn answers(&self, _asked: Instant) -> impl Future<Output = bool> + Send {
        self.ping()
    }

    /// Reads the vitals, bounded in time. `None` if there are none to be had.
    fn vitals(&self) -> impl Future<Output = Option<Vitals>> + Send;

    /// Takes leave; what that costs in time is the caller's to bound.
    fn leave(self) -> impl Future<Output = ()> + Send;
}
