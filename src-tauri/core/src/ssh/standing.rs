//! A connection that is logged in, kept, and asked now and then.

use std::time::Duration;

use moorline_ssh_files::{HostKey, UserName};
use russh::ChannelMsg;
use tokio::time::{Instant, timeout_at};

use super::client::Connection;
use super::identity::Identity;
use super::login::{LoginError, bounded, goodbye, reach};
use super::route::Route;

/// A connection whose server has proven a pinned key and let us in. Dropping it cuts the stream.
pub struct Standing {
    connection: Connection,
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
        let mut connection = reach(route, pinned, end).await?;
        if identity.log_in(&mut connection.handle, user).await? {
            return Ok(Some(Standing { connection }));
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

    /// Runs a constant command in a channel of its own and gives what it printed on its standard output until it
    /// ended, or `limit` or `most` bytes were reached. `None` if the server runs no commands.
    pub async fn run(&self, command: &str, limit: Duration, most: usize) -> Option<Vec<u8>> {
        let end = Instant::now() + limit;
        let opened = timeout_at(end, self.connection.handle.channel_open_session()).await;
        let mut channel = opened.ok()?.ok()?;
        let mut printed = Vec::new();
        let read = async {
            channel.exec(true, command).await.ok()?;
            channel.eof().await.ok()?;
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => {
                        let room = most.saturating_sub(printed.len());
                        printed.extend(data.iter().take(room));
                        if printed.len() >= most {
                            break;
                        }
                    }
                    ChannelMsg::Failure => return None,
                    _ => {}
                }
            }
            Some(())
        };
        let outcome = timeout_at(end, read).await;
        // The other side would go on printing into a channel that nobody reads.
        let _ = channel.close().await;
        if let Ok(None) = outcome { None } else { Some(printed) }
    }

    /// A polite end, so that the server does not log a lost connection.
    pub async fn leave(self) {
        goodbye(&self.connection).await;
    }
}
