//! Watching sessions: one task each, which says what it sees and decides nothing.
//!
//! - [`link`]: what the loop needs of a link; [`ssh_link`] is the one for all that is reached over SSH, [`google_link`]
//!   looks at Google's runtimes over HTTP, [`any_link`] is whichever a session has.
//! - [`backoff`](crate::net::backoff), [`pulse`], [`relay_port`], [`obstacle`](crate::ssh::obstacle): the rules, all pure: when to dial again, how long a ping
//!   may take, when a relay's port may be visited, what a failure means.
//! - [`vitals`]: the one script that asks a runtime how it is doing, and what its answer means.
//! - [`clock`], [`network`]: noticing sleep and changes of this computer's own network, for all watchers together.
//!
//! A watcher dials, holds the runtime to its pinned keys, logs in, pings every 5 s and reads the vitals every 30 s.
//! It never makes two dials within a second, and never logs in where an unpinned key answers.

pub mod any_link;
pub mod clock;
pub mod google_key;
pub mod google_link;
pub mod google_up;
pub mod link;
pub mod network;
pub mod order;
pub mod pulse;
pub mod relay_port;
mod run;
pub mod ssh_link;
mod stand;
#[cfg(test)]
mod tests;
mod tools;
pub mod vitals;

use std::sync::Arc;
use std::time::SystemTime;

use moorline_ssh_files::Alias;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use tools::WatchTools;

use crate::watch::order::{Order, Sight, WatchOrder};
use any_link::AnyLink;
use link::Link;

/// A running watcher. Dropping it stops the watcher.
#[derive(Debug)]
pub struct WatcherHandle {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

/// Starts to watch a session over its link. What is seen goes to `out` with the session's name; when nobody
/// receives it any more, the watcher ends. Must be called within a tokio runtime.
pub fn spawn(order: WatchOrder, tools: Arc<WatchTools>, out: mpsc::Sender<(Alias, Sight)>) -> WatcherHandle {
    let (jitter, wall) = (tools.jitter, tools.wall);
    spawn_over(AnyLink::new(tools), order, jitter, wall, out)
}

/// As [`spawn`], over a link of the caller's.
pub fn spawn_over<L: Link>(
    link: L,
    order: WatchOrder,
    jitter: fn() -> f64,
    wall: fn() -> SystemTime,
    out: mpsc::Sender<(Alias, Sight)>,
) -> WatcherHandle {
    let (orders, told) = mpsc::unbounded_channel();
    let watcher = run::Watcher::new(link, order, jitter, wall, told, out);
    WatcherHandle { orders, task: tokio::spawn(watcher.run()) }
}

impl WatcherHandle {
    /// The session or its pinned keys are these now. A watcher that stands on the same way and on a key that is
    /// still pinned is left alone; any other dials at once, unless nothing changed.
    pub fn order(&self, order: WatchOrder) {
        self.tell(Order::Watch(Box::new(order)));
    }

    /// Dial now instead of when the backoff ends. Does nothing to a connection that stands.
    pub fn redial(&self) {
        self.tell(Order::Redial);
    }

    /// This computer slept: the connection is tried at once, and replaced without being called lost if it does not
    /// answer.
    pub fn woke(&self) {
        self.tell(Order::Woke);
    }

    /// This computer's network changed; what follows is as for [`WatcherHandle::woke`].
    pub fn network_changed(&self) {
        self.tell(Order::NetworkChanged);
    }

    /// Ends the watcher. Its connection is closed politely; await the task to wait for that, a second at most.
    pub fn stop(self) -> JoinHandle<()> {
        self.task
    }

    fn tell(&self, order: Order) {
        // A watcher that ended has nobody left to tell things to.
        let _ = self.orders.send(order);
    }
}
