//! What a watcher is told, and what it sees.

use moorline_model::cause::{Loss, Obstacle};
use moorline_model::session::Session;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::HostKey;

/// What a watcher needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOrder {
    /// The session.
    pub session: Session,
    /// The keys that its runtime may show; with none, the watcher looks at the key and logs in nowhere.
    pub pinned: Vec<HostKey>,
    /// How many other watchers start together with this one: its first dial waits for its turn.
    pub turn: u16,
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// It dials.
    Dialling,
    /// It is logged in, and the pinned key was proven.
    Online,
    /// The connection ended.
    Lost(Loss),
    /// A dial failed.
    Failed(Obstacle),
    /// The vitals, while online.
    Vitals(Vitals),
}

/// What a watcher is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Boxed: a queue makes room for 32 of these at once, in each watcher.
    Watch(Box<WatchOrder>),
    Redial,
    Woke,
    NetworkChanged,
}
