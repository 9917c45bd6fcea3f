//! A connection that carries others: each gets a channel of its own to the server's sshd.

use std::net::IpAddr;
use std::time::Duration;

use moorline_ssh_files::{HostKey, UserName};
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use super::client::{Connection, Purpose};
use super::failure::last_line;
use super::identity::Identity;
use super::login::{LoginError, bounded, goodbye, reach_for};
use super::route::Route;

/// A connection whose server has proven a pinned key and let us in. Dropping it cuts the stream.
pub(crate) struct Trunk {
    connection: Connection,
    sshd: OnceCell<Vec<Place>>,
}

/// Where the server's sshd listens, as the server sees it.
type Place = (IpAddr, u16);

/// Why a channel was not had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoChannel {
    /// The server's sshd allows no forwarding for this login.
    #[error("its sshd forbids forwarding")]
    Forbidden,
    /// Nothing listens where its sshd should.
    #[error("its sshd cannot be reached from inside ({0})")]
    NothingThere(String),
    /// It has as many as it takes.
    #[error("its sshd takes no more sessions")]
    Full,
    /// The connection has ended.
    #[error("the connection to it has ended")]
    Ended,
    /// Nothing at all came over it while an answer was waited for.
    #[error("the connection to it has gone silent")]
    Silent,
    /// Something came, but not the answer.
    #[error("its sshd did not answer in time")]
    Late,
}

/// How long a connection may say nothing at all while an answer is waited for. sshd opens a channel without asking
/// anybody else, so this is a way there and back and nothing more.
const SILENCE: Duration = Duration::from_secs(4);

/// How long the server's shell may take to say where its sshd is: a person's start-up files run before that.
const PRINT: Duration = Duration::from_secs(5);

/// Opens `route`, holds the server to the `pinned` keys and logs `user` in, all of it within `limit`. `None` if the
/// server proved its key and refuses the login. Nothing but the key exchange is sent to a server with another key.
pub(crate) async fn trunk(
    route: &Route,
    pinned: &[HostKey],
    user: &UserName,
    identity: &Identity,
    limit: Duration,
) -> Result<Option<Trunk>, LoginError> {
    bounded(limit, async |end: Instant| {
        let mut connection = reach_for(Purpose::Carry, route, pinned, end).await?;
        if identity.log_in(&mut connection.handle, user).await? {
            return Ok(Some(Trunk { connection, sshd: OnceCell::new() }));
        }
        goodbye(&connection).await;
        Ok(None)
    })
    .await
}

impl Trunk {
    /// A byte stream to the very sshd that serves this connection, as `ssh -W` gives it; before `end`.
    pub async fn forward(&self, end: Instant) -> Result<Channel<Msg>, NoChannel> {
        let places = self.sshd.get_or_try_init(|| self.ask_where_sshd_is(end)).await?;
        let mut last = NoChannel::Ended;
        for (address, port) in places {
            let opened = self.connection.handle.channel_open_direct_tcpip(
                address.to_string(),
                u32::from(*port),
                "127.0.0.1",
                0,
            );
            match self.answer(end, opened).await? {
                Ok(channel) => return Ok(channel),
                Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) => {
                    last = NoChannel::NothingThere(format!("{address} port {port}"));
                }
                Err(error) => return Err(no_channel(&error)),
            }
        }
        Err(last)
    }

    /// A channel in which this constant command runs; before `end`.
    pub async fn exec(&self, command: &str, end: Instant) -> Result<Channel<Msg>, NoChannel> {
        let opened = self.answer(end, self.connection.handle.channel_open_session()).await?;
        // OpenSSH answers so when MaxSessions are open (sshd_config(5)).
        let channel = opened.map_err(|error| match no_channel(&error) {
            NoChannel::Forbidden | NoChannel::NothingThere(_) => NoChannel::Full,
            other => other,
        })?;
        self.answer(end, channel.exec(false, command)).await?.map_err(|_| NoChannel::Ended)?;
        Ok(channel)
    }

    /// Whether it still stands, as far as anybody noticed.
    pub fn stands(&self) -> bool {
        self.connection.stands.has_changed().is_ok() && !self.connection.handle.is_closed()
    }

    /// When something came over it last.
    pub fn heard(&self) -> Instant {
        self.connection.watch.heard()
    }

    /// Ends it for all that it carries, without a word to the server.
    pub fn cut(&self) {
        self.connection.watch.cut();
    }

    /// A polite end, so that the server does not log a lost connection.
    pub async fn leave(&self) {
        goodbye(&self.connection).await;
    }

    /// What the server answers. A stream that is dead is not told from a slow one by the system for a long time; by
    /// this it is: a server that is there says something.
    async fn answer<T>(&self, end: Instant, asked: impl Future<Output = T>) -> Result<T, NoChannel> {
        let begun = Instant::now();
        tokio::pin!(asked);
        loop {
            let silent = self.heard().max(begun) + SILENCE;
            if let Ok(answer) = timeout_at(silent.min(end), &mut asked).await {
                return Ok(answer);
            }
            if Instant::now() >= self.heard().max(begun) + SILENCE {
                return Err(NoChannel::Silent);
            }
            if Instant::now() >= end {
                return Err(NoChannel::Late);
            }
        }
    }

    /// Loopback first: that is where a runtime's sshd should listen, and the port is what matters.
    async fn ask_where_sshd_is(&self, end: Instant) -> Result<Vec<Place>, NoChannel> {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let printed = match self.print(SSHD_PLACE, end).await {
            Ok(printed) => printed,
            Err(error @ (NoChannel::Silent | NoChannel::Late)) => return Err(error),
            Err(_) => Vec::new(),
        };
        let Some((address, port)) = served_at(&String::from_utf8_lossy(&printed)) else {
            return Ok(vec![(loopback, 22)]);
        };
        let own = (!address.is_loopback()).then_some((address, port));
        Ok(std::iter::once((loopback, port)).chain(own).collect())
    }

    async fn print(&self, command: &str, end: Instant) -> Result<Vec<u8>, NoChannel> {
        let mut channel = self.exec(command, end).await?;
        let patience = Instant::now() + PRINT;
        let mut printed = Vec::new();
        let read = async {
            while let Some(message) = channel.wait().await {
                if let ChannelMsg::Data { data } = message {
                    printed.extend(data.iter().take(1024_usize.saturating_sub(printed.len())));
                }
            }
        };
        let all = timeout_at(patience.min(end), read).await;
        let _ = channel.close().await;
        // What is taken for the answer counts as long as the connection stands, so only a whole one does, or none
        // after all the patience that there is.
        if all.is_err() && end < patience { Err(NoChannel::Late) } else { Ok(printed) }
    }
}

/// sshd(8): `SSH_CONNECTION` holds the client's address and port and the server's.
const SSHD_PLACE: &str = "exec /bin/sh -c 'echo \"moorline:$SSH_CONNECTION\"'";

/// A start-up file may print before it.
fn served_at(printed: &str) -> Option<Place> {
    let line = printed.lines().rev().find_map(|line| line.strip_prefix("moorline:"))?;
    let [_, _, address, port] = line.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
    // An address of the link may name its interface.
    let address = address.split('%').next()?;
    Some((address.parse().ok()?, port.parse().ok().filter(|port| *port != 0)?))
}

fn no_channel(error: &russh::Error) -> NoChannel {
    match error {
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
            NoChannel::Forbidden
        }
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::ResourceShortage) => NoChannel::Full,
        russh::Error::ChannelOpenFailure(why) => NoChannel::NothingThere(last_line(&format!("{why:?}"))),
        _ => NoChannel::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_sshd_is_read_whatever_is_printed_around_it() {
        let at = |text: &str| served_at(text).map(|(address, port)| format!("{address} {port}"));
        assert_eq!(at("moorline:10.0.0.2 4711 172.28.0.12 2222\n").as_deref(), Some("172.28.0.12 2222"));
        assert_eq!(at("hello\nmoorline:::1 9 ::1 22\nbye\n").as_deref(), Some("::1 22"));
        assert_eq!(at("moorline:fe80::1%eth0 9 fe80::2%eth0 22").as_deref(), Some("fe80::2 22"));
        for odd in
            ["", "moorline:", "10.0.0.2 4711 127.0.0.1 22", "moorline:a b c d", "moorline:1 2 127.0.0.1 0"]
        {
            assert_eq!(at(odd), None, "{odd:?}");
        }
    }
}
