//! The bytes of one client: between its local socket and its channel, each direction with a bound of its own.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use interprocess::local_socket::tokio::Stream;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::channel::Way;

/// What is read from a client at once, in bytes: as much as OpenSSH takes in one packet.
const AT_ONCE: usize = 32 * 1024;

/// What may wait for a client that does not read. A client that keeps to SSH's windows never has more on the way than
/// 2 MiB for each of its channels, so this many are for a stopped one with a dozen busy channels. Its way is ended
/// then: to wait for it would hold up everybody else, since russh reads for all of them in one task.
const MOST_WAITING: usize = 32 * 1024 * 1024;

/// Room that is kept for what will wait.
const ROOM: usize = 1024 * 1024;

/// Carries until the runtime's side ends, the client is gone, or it reads too slowly. Closes the channel.
pub(super) async fn carry(stream: &Stream, way: Way) {
    let Way { channel, first, room: _room } = way;
    let (mut from_runtime, to_runtime) = channel.split();
    let up = async {
        let read = send(stream, &to_runtime).await;
        if read.is_ok() && to_runtime.eof().await.is_ok() {
            // The other direction says when it is over.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = up => {}
        outcome = receive(stream, &mut from_runtime, first) => if let Err(error) = outcome {
            tracing::debug!(%error, "a client is gone");
        },
    }
    let _ = to_runtime.close().await;
}

/// What the client sends; a full window holds it up, and nobody else.
async fn send(mut stream: &Stream, to_runtime: &ChannelWriteHalf<Msg>) -> io::Result<()> {
    loop {
        let mut bytes = Vec::with_capacity(AT_ONCE);
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        to_runtime.data_bytes(bytes).await.map_err(io::Error::other)?;
    }
}

/// What the runtime sends; taken from russh as soon as it is there.
async fn receive(stream: &Stream, from_runtime: &mut ChannelReadHalf, first: Vec<u8>) -> io::Result<()> {
    let mut waiting = VecDeque::from(first);
    let mut more = true;
    while more || !waiting.is_empty() {
        tokio::select! {
            biased;
            message = from_runtime.wait(), if more => match message {
                Some(ChannelMsg::Data { data }) => waiting.extend(&data[..]),
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => more = false,
                Some(_) => {}
            },
            written = write(stream, &waiting), if !waiting.is_empty() => {
                drop(waiting.drain(..written?));
                if waiting.is_empty() {
                    waiting.shrink_to(ROOM);
                }
            },
        }
        if waiting.len() > MOST_WAITING {
            return Err(io::Error::other("it reads too slowly"));
        }
    }
    Ok(())
}

async fn write(mut stream: &Stream, bytes: &VecDeque<u8>) -> io::Result<usize> {
    let (front, back) = bytes.as_slices();
    stream.write_vectored(&[IoSlice::new(front), IoSlice::new(back)]).await
}
