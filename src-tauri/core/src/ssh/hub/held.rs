//! The connection that a hub holds, and where it leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorline_ssh_files::{HostKey, IdentityFile, UserName};
use tokio::sync::Semaphore;

use crate::ssh::multiplexed::Trunk;

/// How many ways there are where each needs a session of its own: stock sshd has MaxSessions 10, and a person may
/// want to run something beside them.
pub(super) const ROOMS: usize = 8;

/// A connection that stands, and what was learned about it.
pub(super) struct Held {
    pub trunk: Trunk,
    pub rooms: Arc<Semaphore>,
    pub(super) forbids_forwarding: AtomicBool,
}

impl Held {
    pub(super) fn new(trunk: Trunk) -> Self {
        let rooms = Arc::new(Semaphore::new(ROOMS));
        Self { trunk, rooms, forbids_forwarding: AtomicBool::new(false) }
    }

    pub fn forbids_forwarding(&self) -> bool {
        self.forbids_forwarding.load(Ordering::Relaxed)
    }

    pub fn note_forbidden(&self) {
        self.forbids_forwarding.store(true, Ordering::Relaxed);
    }
}

/// Where a connection leads and who is held to be there: another target needs another connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) link: String,
    pub(super) user: UserName,
    pub(super) identity: Option<IdentityFile>,
    pub pinned: Vec<HostKey>,
}
