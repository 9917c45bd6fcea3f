//! A connection that is logged in, kept, and asked now and then.

use std::time::Duration;

use moorline_ssh_files::{HostKey, UserName};
use russh::ChannelWriteHalf;
use russh::client::Msg;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::client::{Connection, Purpose};
use super::identity::Identity;
use super::login::{LoginError, bounded, goodbye, reach_for};
use super::repeating_output::Page;
use super::route::Route;

/// A connection whose server has proven a pinned key and let us in. Dropping it cuts the stream.
pub struct Standing {
    connection: Connection,
    /// The command that prints pages.
    running: Mutex<Option<ChannelWriteHalf<Msg>>>,
}

/// A constant command that prints pages: one at once, then one now and then.
#[derive(Debug)]
pub struct Script {
    /// What the login shell is given.
    pub command: &'static str,
    /// What the last line of a page says.
    pub mark: &'static str,
    /// From the end of one page to the beginning of the next.
    pub every: Duration,
    /// How long printing a page may take.
    pub limit: Duration,
    /// In bytes; no page is longer.
    pub most: usize,
}

/// The connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection has ended")]
pub struct Ended;

/// Opens `route`, holds the server to the `pinned` keys and logs `user` in, all of it within `limit`. `None` if the
/// server proved its key and refuses the login. Nothing but the key exchange is sent to a server with another key.
pub async fn stand(
    route: &Route,
    pinned: &[HostKey],
    user: &UserName,
    identity: &Identity,
    limit: Duration,
) -> Result<Option<Standing>, LoginError> {
    bounded(limit, async |end: Instant| {
        let mut connection = reach_for(Purpose::Stand, route, pinned, end).await?;
        connection.watch.forget_head();
        if identity.log_in(&mut connection.handle, user).await? {
            return Ok(Some(Standing { connection, running: Mutex::new(None) }));
        }
        goodbye(&connection).await;
        Ok(None)
    })
    .await
}

impl Standing {
    /// The key that the server has proven.
    pub fn key(&self) -> &HostKey {
        &self.connection.key
    }

    /// Waits until the connection has ended.
    pub async fn closed(&self) {
        let mut stands = self.connection.stands.clone();
        // Nothing is ever sent: the wait ends when the sender is gone.
        while stands.changed().await.is_ok() {}
    }

    /// Waits for the server's answer to a ping, however long that takes.
    pub async fn ping(&self) -> Result<(), Ended> {
        // On a connection that ended, the ping says that all is well, so that is asked as well.
        let answer = self.connection.handle.send_ping().await;
        let gone = self.connection.stands.has_changed().is_err() || self.connection.handle.is_closed();
        if answer.is_err() || gone { Err(Ended) } else { Ok(()) }
    }

    /// Waits until the server was asked for something after `last`, which is at the latest when nothing came for
    /// [`PING_EVERY`]; gives when that was.
    pub async fn asks_again(&self, last: Instant) -> Instant {
        self.connection.watch.asked(last).await
    }

    /// Waits until the server has said anything since `asked`, however long that takes.
    pub async fn answers(&self, asked: Instant) -> Result<(), Ended> {
        self.connection.watch.answered(asked).await;
        let gone = self.connection.stands.has_changed().is_err() || self.connection.handle.is_closed();
        if gone { Err(Ended) } else { Ok(()) }
    }

    /// The next page of what a constant command prints; it is started when it does not run. What came until time is
    /// up, or until it ended, counts as a page. `None` if nothing came.
    pub async fn reading(&self, script: &Script) -> Option<Vec<u8>> {
        let mut running = self.running.lock().await;
        let limit = if running.is_some() { script.every + script.limit } else { script.limit };
        let end = Instant::now() + limit;
        if running.is_none() {
            *running = Some(timeout_at(end, self.start(script)).await.ok()??);
        }
        let pages = &self.connection.pages;
        let printed = match timeout_at(end, pages.next(script.mark)).await {
            Ok(Page::Whole(printed)) => return Some(printed),
            Ok(Page::Last(printed)) => printed,
            Err(_) => pages.give_up(),
        };
        // It would go on printing.
        if let Some(channel) = running.take() {
            let _ = channel.close().await;
        }
        Some(printed).filter(|printed| !printed.is_empty())
    }

    async fn start(&self, script: &Script) -> Option<ChannelWriteHalf<Msg>> {
        // What it prints goes to the pages: a queue that nobody reads is given up.
        let (_, channel) = self.connection.handle.channel_open_session().await.ok()?.split();
        self.connection.pages.follow(channel.id().into(), script.most);
        channel.exec(true, script.command).await.ok()?;
        channel.eof().await.ok()?;
        Some(channel)
    }

    /// A polite end, so that the server does not log a lost connection.
    pub async fn leave(self) {
        goodbye(&self.connection).await;
    }
}
