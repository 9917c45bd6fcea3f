//! What all watchers share.

use std::sync::Arc;
use std::time::SystemTime;

use moorline_model::random::random;

use crate::net::google::Account;
use crate::ssh::context::Tools;

/// What all watchers share.
pub struct WatchTools {
    /// The places and the person's ssh.
    pub tools: Arc<Tools>,
    /// The person's Google account, one for all watchers.
    pub google: Account,
    /// A random number from 0 to 1, which keeps watchers from dialling in step.
    pub jitter: fn() -> f64,
    /// The clock that people read, which tells whether this computer slept.
    pub wall: fn() -> SystemTime,
}

impl WatchTools {
    /// With the system's own clock and randomness.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { google: Account::new(tools.sign_ins()), tools, jitter: random, wall: SystemTime::now }
    }
}
