//! A channel, and what is heard on it.

use super::brake::Brake;
use futures_util::future::BoxFuture;
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::session::Session;
use moorline_model::session_key::{KeyId, Topic};
use moorline_ssh_files::{HostKey, Place};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::ssh::context::Tools;

/// What a channel hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line as it came.
    Line {
        /// Without its line end.
        line: String,
        /// Where the runtime is, if the channel itself knows it (ngrok's own list of endpoints).
        place: Option<Place>,
    },
    /// No line: a place that may be the session's runtime.
    Lone(Lone),
}

impl Heard {
    /// A line that came without a place.
    pub fn line(line: impl Into<String>) -> Self {
        Self::Line { line: line.into(), place: None }
    }
}

/// A place that may be a session's runtime, because the person's account holds no other. Nothing vouches for it, so it
/// is worth no more than the key that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lone {
    /// Where it is.
    pub place: Place,
    /// The host key that it proved to hold.
    pub key: HostKey,
}

/// Where a channel sends what it hears.
#[derive(Debug, Clone)]
pub struct Ear {
    kind: ChannelKind,
    to: mpsc::Sender<(ChannelKind, Heard)>,
    pace: Arc<Mutex<Brake>>,
}

impl Ear {
    /// Where what a channel of this kind hears goes.
    pub fn new(kind: ChannelKind, to: mpsc::Sender<(ChannelKind, Heard)>) -> Self {
        Self { kind, to, pace: Arc::new(Mutex::new(Brake::reading())) }
    }

    /// Waits after a piece of noise, if there is much of it: every channel is read at a pace.
    pub(super) async fn pause(&self) {
        let wait = self.pace.lock().unwrap_or_else(PoisonError::into_inner).wait(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Hands a line on, at a pace; `false` when nobody listens any more.
    pub async fn hear(&self, heard: Heard) -> bool {
        self.pause().await;
        self.to.send((self.kind, heard)).await.is_ok()
    }

    /// Waits until nobody listens any more.
    pub async fn closed(&self) {
        self.to.closed().await;
    }
}

/// What a channel may need to find the announcements of one session.
#[derive(Clone)]
pub struct Post {
    /// The session.
    pub session: Session,
    /// Which key its announcements are made under.
    pub kid: KeyId,
    /// Its topic on an ntfy server.
    pub topic: Topic,
    /// What the person set.
    pub settings: ChannelSettings,
    /// The places, the vault and the person's ssh.
    pub tools: Arc<Tools>,
}

/// One way for announcements to come.
pub trait Channel: Send {
    /// Listens until nobody wants to hear any more. It tries again by itself, ever more slowly, when its way breaks.
    /// Dropping the future ends it, and leaves nothing behind.
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()>;
}
