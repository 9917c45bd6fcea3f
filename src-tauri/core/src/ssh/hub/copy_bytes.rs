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

/// How many pieces go into one write.
const PIECES: usize = 16;

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
async fn receive(mut stream: &Stream, from_runtime: &mut ChannelReadHalf, first: Vec<u8>) -> io::Result<()> {
    let mut waiting = Waiting::default();
    waiting.push(first.into());
    let mut more = true;
    while more || waiting.bytes > 0 {
        tokio::select! {
            biased;
            message = from_runtime.wait(), if more => match message {
                Some(ChannelMsg::Data { data }) => waiting.push(data),
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => more = false,
                Some(_) => {}
            },
            written = async { stream.write_vectored(&waiting.slices()).await }, if waiting.bytes > 0 => {
                waiting.drop_front(written?);
            },
        }
        if waiting.bytes > MOST_WAITING {
            return Err(io::Error::other("it reads too slowly"));
        }
    }
    Ok(())
}

/// Pieces in order, the first one perhaps half written.
struct Waiting<B> {
    pieces: VecDeque<B>,
    /// How much of the first piece is gone.
    gone: usize,
    /// How much there is to write.
    bytes: usize,
}

impl<B> Default for Waiting<B> {
    fn default() -> Self {
        Self { pieces: VecDeque::new(), gone: 0, bytes: 0 }
    }
}

impl<B: AsRef<[u8]>> Waiting<B> {
    fn push(&mut self, piece: B) {
        self.bytes += piece.as_ref().len();
        if !piece.as_ref().is_empty() {
            self.pieces.push_back(piece);
        }
    }

    fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut skip = self.gone;
        let pieces = self.pieces.iter().take(PIECES);
        let slice = |piece| IoSlice::new(rest(piece, std::mem::take(&mut skip)));
        pieces.map(slice).collect()
    }

    fn drop_front(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(front) = self.pieces.front() {
            let left = front.as_ref().len() - self.gone;
            if count < left {
                self.gone += count;
                return;
            }
            count -= left;
            self.gone = 0;
            self.pieces.pop_front();
        }
    }
}

fn rest<B: AsRef<[u8]>>(piece: &B, skip: usize) -> &[u8] {
    piece.as_ref().get(skip..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_goes_out_in_order_whatever_a_write_takes() {
        for step in 1..=7 {
            let mut waiting = Waiting::default();
            for piece in ["abc", "", "d", "efgh"] {
                waiting.push(piece);
            }
            let mut out: Vec<u8> = Vec::new();
            while waiting.bytes > 0 {
                let all: Vec<u8> = waiting.slices().iter().flat_map(|slice| slice.to_vec()).collect();
                let taken = all.len().min(step);
                out.extend(&all[..taken]);
                waiting.drop_front(taken);
            }
            assert_eq!(out, b"abcdefgh", "in steps of {step}");
            assert!(waiting.pieces.is_empty() && waiting.gone == 0);
        }
    }
}
