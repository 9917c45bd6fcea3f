//! The link that a session has just now: a session may change from one to another while it is watched.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::cause::Obstacle;
use moorline_model::session;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::HostKey;
use tokio::time::Instant;

use super::google_link::GoogleLink;
use super::google_up::GoogleUp;
use super::link::{Link, Up};
use super::ssh_link::SshLink;
use super::tools::WatchTools;
use crate::ssh::Standing;
use crate::watch::order::WatchOrder;

/// Whatever link the order names.
pub struct AnyLink {
    ssh: SshLink,
    /// Made when the first order names a runtime of Google's.
    google: Option<Box<GoogleLink>>,
    over_google: bool,
    tools: Arc<WatchTools>,
}

/// What stands over it.
pub enum AnyUp {
    /// An SSH connection.
    Ssh(Box<Standing>),
    /// A runtime that Google lists.
    Google(Box<GoogleUp>),
}

impl AnyLink {
    /// Nothing is reached yet.
    pub fn new(tools: Arc<WatchTools>) -> Self {
        Self { ssh: SshLink::new(Arc::clone(&tools)), google: None, over_google: false, tools }
    }
}

impl Link for AnyLink {
    type Up = AnyUp;

    async fn open(&mut self, order: &WatchOrder, limit: Duration) -> Result<AnyUp, Obstacle> {
        self.over_google = matches!(order.session.link, session::Link::Colab(_));
        if !self.over_google {
            return self.ssh.open(order, limit).await.map(|up| AnyUp::Ssh(Box::new(up)));
        }
        let google = self.google.get_or_insert_with(|| Box::new(GoogleLink::new(Arc::clone(&self.tools))));
        // Boxed: what a session over SSH never does takes no memory in its watcher.
        Box::pin(google.open(order, limit)).await.map(|up| AnyUp::Google(Box::new(up)))
    }

    fn needs_a_person(&self) -> bool {
        match &self.google {
            Some(google) if self.over_google => google.needs_a_person(),
            _ => self.ssh.needs_a_person(),
        }
    }

    fn went_silent(&mut self) {
        if !self.over_google {
            self.ssh.went_silent();
        }
    }

    fn takes_two(&self) -> bool {
        !self.over_google
    }
}

impl Up for AnyUp {
    fn key(&self) -> Option<&HostKey> {
        match self {
            Self::Ssh(up) => Up::key(up.as_ref()),
            Self::Google(up) => up.key(),
        }
    }

    async fn closed(&self) {
        match self {
            Self::Ssh(up) => Up::closed(up.as_ref()).await,
            Self::Google(up) => up.closed().await,
        }
    }

    async fn ping(&self) -> bool {
        match self {
            Self::Ssh(up) => Up::ping(up.as_ref()).await,
            Self::Google(up) => up.ping().await,
        }
    }

    async fn asks_again(&self, last: Instant) -> Instant {
        match self {
            Self::Ssh(up) => Up::asks_again(up.as_ref(), last).await,
            Self::Google(up) => up.asks_again(last).await,
        }
    }

    async fn answers(&self, asked: Instant) -> bool {
        match self {
            Self::Ssh(up) => Up::answers(up.as_ref(), asked).await,
            Self::Google(up) => up.answers(asked).await,
        }
    }

    async fn vitals(&self) -> Option<Vitals> {
        match self {
            Self::Ssh(up) => Up::vitals(up.as_ref()).await,
            Self::Google(up) => Box::pin(up.vitals()).await,
        }
    }

    async fn leave(self) {
        match self {
            Self::Ssh(up) => Up::leave(*up).await,
            Self::Google(up) => up.leave().await,
        }
    }
}
