//! One way to the runtime's sshd, up to its first words.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::held::{Held, ROOMS};
use crate::ssh::failure::last_line;
use crate::ssh::multiplexed::NoChannel;

/// A channel at whose other end an sshd has begun to speak.
pub(super) struct Way {
    pub channel: Channel<Msg>,
    /// What it said first.
    pub first: Vec<u8>,
    /// Its place among those that are counted.
    pub room: Option<OwnedSemaphorePermit>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoWay {
    /// sshd turned it away for now.
    Busy(String),
    /// It is of no use to try again.
    Never(String),
    /// The connection that carries the ways has ended.
    Ended,
    /// It stands, as far as the system knows, but nothing comes over it any more.
    Silent,
    /// Time ran out.
    Late,
}

/// What OpenSSH says to whom it lets in later (sshd_config(5): MaxStartups, PerSourcePenalties).
const NOT_NOW: [&[u8]; 2] = [b"Exceeded MaxStartups", b"Not allowed at this time"];

/// How long sshd may take for its first words.
const FIRST_WORDS: Duration = Duration::from_secs(10);

/// A second sshd for one connection, on standard streams (sshd(8)), with the system's configuration. Where the first one
/// has another and shows another host key, ssh stops there.
const SSHD_INSIDE: &str =
    "exec /bin/sh -c 'PATH=$PATH:/usr/sbin:/usr/local/sbin; exec $(command -v sshd) -i -e'";

/// Opens a way through the upstream connection, before `end`.
pub(super) async fn open(held: &Held, end: Instant) -> Result<Way, NoWay> {
    if !held.forbids_forwarding() {
        match held.trunk.forward(end).await {
            Ok(channel) => return first_words(channel, None, end).await,
            Err(NoChannel::Forbidden) => held.note_forbidden(),
            Err(error) => return Err(no_way(&error, "restart sshd in the notebook")),
        }
    }
    let Ok(room) = held.rooms.clone().try_acquire_owned() else {
        return Err(NoWay::Never(format!(
            "its sshd forbids forwarding, so that at most {ROOMS} connections can share it; close one and try again"
        )));
    };
    let channel = held.trunk.exec(SSHD_INSIDE, end).await;
    let channel = channel.map_err(|error| no_way(&error, "close a connection and try again"))?;
    first_words(channel, Some(room), end).await
}

fn no_way(error: &NoChannel, next: &str) -> NoWay {
    match error {
        NoChannel::Ended => NoWay::Ended,
        NoChannel::Silent => NoWay::Silent,
        NoChannel::Late => NoWay::Late,
        other => NoWay::Never(format!("{other}; {next}")),
    }
}

async fn first_words(
    mut channel: Channel<Msg>,
    room: Option<OwnedSemaphorePermit>,
    end: Instant,
) -> Result<Way, NoWay> {
    let patience = Instant::now() + FIRST_WORDS;
    let mut complaint = Vec::new();
    let wait = async {
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => return Some(data.to_vec()),
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    complaint.extend(data.iter().take(2048_usize.saturating_sub(complaint.len())));
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return None,
                Some(_) => {}
            }
        }
    };
    let heard = timeout_at(patience.min(end), wait).await;
    match heard {
        Ok(Some(first)) if !NOT_NOW.iter().any(|words| first.starts_with(words)) => {
            return Ok(Way { channel, first, room });
        }
        _ => {}
    }
    let _ = channel.close().await;
    Err(match heard {
        Ok(Some(words)) => {
            let words = last_line(&String::from_utf8_lossy(&words));
            NoWay::Busy(format!(
                "its sshd lets nobody in just now (it says {words:?}); try again in a minute"
            ))
        }
        Ok(None) if complaint.is_empty() => {
            NoWay::Busy("its sshd hangs up at once; try again in a minute".to_owned())
        }
        Ok(None) => {
            let said = last_line(&String::from_utf8_lossy(&complaint));
            NoWay::Never(format!(
                "its sshd forbids forwarding, and a second one does not start there (it says {said:?}); \
                 set AllowTcpForwarding to local in its sshd_config"
            ))
        }
        Err(_) if end < patience => NoWay::Late,
        Err(_) => NoWay::Never("its sshd stays silent; restart it in the notebook".to_owned()),
    })
}
