//! What a conversation needs besides the person, and how a face speaks to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::view::Say;

use crate::repoint::adding::clipboard::Clipboard;
use crate::ssh::context::Tools;

/// How long nobody may answer.
pub const EXPIRES: Duration = Duration::from_secs(60 * 60);

/// What a conversation needs besides the person.
#[derive(Clone)]
pub struct Surroundings {
    /// The places, vault and ssh.
    pub tools: Arc<Tools>,
    /// The clipboard that *Paste* and *Copy* mean.
    pub clipboard: Arc<dyn Clipboard>,
    /// Whether ssh may ask a person on its own terminal.
    pub ssh_may_ask: bool,
    /// How long nobody may answer.
    pub expires: Duration,
    /// Told when something was written.
    pub written: mpsc::UnboundedSender<()>,
}

/// What a face says, and where it hears whether that was taken.
#[derive(Debug)]
pub(super) struct Spoken {
    pub question: u64,
    pub say: Say,
    pub answer: oneshot::Sender<Result<bool, String>>,
}
