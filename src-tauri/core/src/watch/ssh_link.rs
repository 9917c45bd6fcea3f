//! Reaching a runtime over SSH, whatever carries it.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::cause::Obstacle;
use moorline_model::session::{self, RelayLink, Session};
use moorline_model::vitals::Vitals;
use moorline_ssh_files::HostKey;
use tokio::time::Instant;

use super::link::{Link, Up};
use super::network::WaysOut;
use super::relay_port::{Approach, RelayPort};
use super::tools::WatchTools;
use super::vitals;
use crate::net::backoff;
use crate::ssh::relay::{self, channel_key};
use crate::ssh::{Identity, LoginError, LoginKey, Route, Standing, SystemSsh, obstacle, probe, reach, stand};
use crate::watch::order::WatchOrder;

/// All links of today: SSH over TCP or over a program's standard streams.
pub struct SshLink {
    tools: Arc<WatchTools>,
    relay_port: RelayPort,
    /// The relay did not let us in: a password that is wrong, or a key that changed.
    turned_away: bool,
}

impl SshLink {
    /// Nothing is reached yet.
    pub fn new(tools: Arc<WatchTools>) -> Self {
        Self { tools, relay_port: RelayPort::default(), turned_away: false }
    }

    async fn dial(&mut self, order: &WatchOrder, limit: Duration) -> Result<Standing, Obstacle> {
        let session = &order.session;
        let ssh = self.ssh_for(session).await;
        let end = Instant::now() + limit;
        let route = self.route(&ssh, session).await?;
        if let session::Link::Relay(link) = &session.link {
            self.ask_relay(&ssh, link, end).await?;
        }
        let reached = self.log_in(order, &ssh, &route, end).await;
        if let session::Link::Relay(_) = &session.link {
            self.relay_port.note(reached.as_ref().err(), Instant::now());
        }
        reached
    }

    /// The person's ssh, with the relay's password at hand if there is one.
    async fn ssh_for(&self, session: &Session) -> SystemSsh {
        let tools = Arc::clone(&self.tools.tools);
        if tools.askpass.is_none() || !matches!(session.link, session::Link::Relay(_)) {
            return tools.ssh.clone();
        }
        let named = session.clone();
        // The keyring blocks, and some keyrings run an executor of their own.
        let looked_up = tokio::task::spawn_blocking(move || reach::relay_ssh(&tools, &named)).await;
        looked_up.unwrap_or_else(|_| self.tools.tools.ssh.clone())
    }

    /// The way there; a service token for it lies in the keyring, which blocks.
    async fn route(&self, ssh: &SystemSsh, session: &Session) -> Result<Route, Obstacle> {
        let (tools, ssh, named) = (Arc::clone(&self.tools.tools), ssh.clone(), session.clone());
        let looked_up = tokio::task::spawn_blocking(move || reach::route(&tools, &ssh, &named)).await;
        let found = looked_up.map_err(|error| Obstacle::Other(error.to_string()))?;
        found.map_err(|error| obstacle::of_reach(&error))
    }

    async fn log_in(
        &mut self,
        order: &WatchOrder,
        ssh: &SystemSsh,
        route: &Route,
        end: Instant,
    ) -> Result<Standing, Obstacle> {
        let session = &order.session;
        if order.pinned.is_empty() {
            let probed = probe::host_key(route, left(end)).await;
            let key = probed.map_err(|error| {
                self.turned_away = obstacle::relay_turned_away(&error);
                obstacle::of_probe(&error)
            })?;
            return Err(self.unpinned(session, ssh, route, key, end).await);
        }
        let identity = self.identity(session)?;
        match stand(route, &order.pinned, &session.user, &identity, left(end)).await {
            Ok(Some(standing)) => Ok(standing),
            Ok(None) => Err(Obstacle::Login),
            Err(LoginError::WrongKey { got }) => Err(self.unpinned(session, ssh, route, got, end).await),
            Err(error) => {
                if let LoginError::Probe(error) = &error {
                    self.turned_away = obstacle::relay_turned_away(error);
                }
                let other = || Obstacle::Other(error.to_string());
                Err(obstacle::of_login(&error).unwrap_or_else(other))
            }
        }
    }

    fn identity(&self, session: &Session) -> Result<Identity, Obstacle> {
        let dirs = &self.tools.tools.dirs;
        match &session.identity_file {
            Some(file) => Identity::named(file, &dirs.home).map_err(|e| obstacle::of_identity(&e)),
            None => {
                LoginKey::ensure(&dirs.login_key()).map(Identity::Own).map_err(|e| obstacle::of_login_key(&e))
            }
        }
    }

    /// A key answers that is not pinned: whether the way there vouches for it.
    async fn unpinned(
        &self,
        session: &Session,
        ssh: &SystemSsh,
        route: &Route,
        key: HostKey,
        end: Instant,
    ) -> Obstacle {
        let session::Link::Relay(link) = &session.link else { return Obstacle::Key { key, channel: false } };
        if !link.mine_alone {
            return Obstacle::Key { key, channel: false };
        }
        tokio::time::sleep(backoff::PACE).await;
        // The proof needs three more visits to the relay, whatever the first dial left of its time.
        let limit = left(end).max(PROOF);
        match channel_key(ssh, link, route, &[key.algorithm()], limit).await {
            Ok(proven) => Obstacle::Key { key: proven, channel: true },
            Err(_) => Obstacle::Key { key, channel: false },
        }
    }

    /// Spares a port that accepted and stayed silent: every visit to it keeps a dead tunnel alive. The relay itself
    /// knows whether anybody listens there.
    async fn ask_relay(&mut self, ssh: &SystemSsh, link: &RelayLink, end: Instant) -> Result<(), Obstacle> {
        let Approach::AskFirst = self.relay_port.approach() else { return Ok(()) };
        let asked = Instant::now();
        let found = relay::listeners(ssh, &link.relay, link.port, left(end)).await;
        let found = found.map_err(|error| {
            self.turned_away = obstacle::relay_turned_away_asking(&error);
            obstacle::of_relay(&error)
        })?;
        self.relay_port.told(found.as_ref(), Instant::now())?;
        tokio::time::sleep_until(asked + backoff::PACE).await;
        Ok(())
    }
}

/// How long the proof of a key behind a relay may take.
const PROOF: Duration = Duration::from_secs(15);

impl Link for SshLink {
    type Up = Standing;

    async fn open(&mut self, order: &WatchOrder, limit: Duration) -> Result<Standing, Obstacle> {
        self.turned_away = false;
        let reached = self.dial(order, limit).await;
        reached.map_err(|seen| {
            let blames_network = obstacle::may_be_own_network(&seen) && !is_loopback(&order.session);
            if blames_network && WaysOut::now().none() { Obstacle::OwnNetwork } else { seen }
        })
    }

    fn needs_a_person(&self) -> bool {
        self.turned_away
    }

    fn went_silent(&mut self) {
        self.relay_port.went_silent();
    }
}

impl Up for Standing {
    fn key(&self) -> Option<&HostKey> {
        Some(self.key())
    }

    async fn closed(&self) {
        self.closed().await;
    }

    async fn ping(&self) -> bool {
        self.ping().await.is_ok()
    }

    async fn asks_again(&self, last: Instant) -> Instant {
        self.asks_again(last).await
    }

    async fn answers(&self, asked: Instant) -> bool {
        self.answers(asked).await.is_ok()
    }

    async fn vitals(&self) -> Option<Vitals> {
        let printed = self.reading(&vitals::SCRIPT).await?;
        // A reading that was cut off, or a shell that does something else, is no news.
        Some(vitals::read(&printed)).filter(|read| *read != Vitals::default())
    }

    async fn leave(self) {
        self.leave().await;
    }
}

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

fn is_loopback(session: &Session) -> bool {
    session.link.dialled().is_some_and(|place| place.host.is_loopback())
}
