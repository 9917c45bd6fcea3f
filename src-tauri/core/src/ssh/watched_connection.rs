//! A connection that is logged in, kept, and asked now and then.

use std::time::Duration;

use moorline_ssh_files::{HostKey, UserName};
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::client::{Connection, Purpose};
use super::identity::Identity;
use super::login::{LoginError, bounded, goodbye, reach_for};
use super::route::Route;

/// A connection whose server has proven a pinned key and let us in. Dropping it cuts the stream.
pub struct Standing {
    connection: Connection,
    /// The command that prints pages.
    running: Mutex<Option<Running>>,
}

struct Running {
    channel: Channel<Msg>,
    /// What came of the page that is being printed.
    printed: Vec<u8>,
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
    /// [`PING_EVERY`](super::PING_EVERY); gives when that was.
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
        if let Ok(Some(page)) = timeout_at(end, running.as_mut()?.page(script)).await {
            return Some(page);
        }
        // It would go on printing.
        let Running { channel, printed } = running.take()?;
        let _ = channel.close().await;
        Some(printed).filter(|printed| !printed.is_empty())
    }

    async fn start(&self, script: &Script) -> Option<Running> {
        let channel = self.connection.handle.channel_open_session().await.ok()?;
        channel.exec(true, script.command).await.ok()?;
        channel.eof().await.ok()?;
        Some(Running { channel, printed: Vec::new() })
    }

    /// A polite end, so that the server does not log a lost connection.
    pub async fn leave(self) {
        goodbye(&self.connection).await;
    }
}

impl Running {
    /// The next page; `None` if the command was refused, has ended or prints too much.
    async fn page(&mut self, script: &Script) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = end_of_page(&self.printed, script.mark) {
                let rest = self.printed.split_off(end);
                return Some(std::mem::replace(&mut self.printed, rest));
            }
            match self.channel.wait().await? {
                ChannelMsg::Data { data } => {
                    let room = script.most.saturating_sub(self.printed.len());
                    self.printed.extend(data.iter().take(room));
                    if data.len() > room {
                        return None;
                    }
                }
                ChannelMsg::Failure | ChannelMsg::Eof | ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }
}

/// Where the page ends, if that has come.
fn end_of_page(printed: &[u8], mark: &str) -> Option<usize> {
    let mut end = 0;
    for line in printed.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.strip_suffix(b"\n").is_some_and(|line| line.trim_ascii_end() == mark.as_bytes()) {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_with_the_line_that_is_its_mark() {
        let end = |printed: &str| end_of_page(printed.as_bytes(), "end");
        assert_eq!(end("one\nthe end\nend\r\ntwo\nend\n"), Some(17));
        assert_eq!(end("end\n"), Some(4));
        for unfinished in ["", "one\n", "one\nend", "the end\nendless\n"] {
            assert_eq!(end(unfinished), None, "{unfinished:?}");
        }
    }
}
