//! An open way as an async stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::frames::{Heard, Inbound, MESSAGE, Masks, put_close, put_data, put_pong};
use super::handshake::Opened;
use super::tls::Tls;
use crate::store::colab_slot::Slot;

/// What is read at once: about one TLS record.
const ROOM: usize = 16 * 1024;

/// Both directions of an SSH connection over a WebSocket. Dropping it cuts it.
pub struct Carried {
    tcp: TcpStream,
    tls: Tls,
    inbound: Inbound,
    masks: Masks,
    /// Room for what comes.
    bytes: Vec<u8>,
    /// What sshd said, from `given` on.
    data: Vec<u8>,
    given: usize,
    /// What is to be sent, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    frames: Vec<u8>,
    /// The ping that was not answered yet: the latest one, which answers those before it (RFC 6455, section 5.5.3).
    ping: Option<Vec<u8>>,
    /// The other side has ended.
    over: bool,
    /// Our side has ended.
    said_goodbye: bool,
    /// The note that this computer has the edge's one slot.
    slot: Option<Slot>,
}

impl Carried {
    pub(super) fn new(opened: Opened, slot: Option<Slot>) -> io::Result<Self> {
        let Opened { tcp, tls, inbound, masks, first, .. } = opened;
        tcp.set_nonblocking(true)?;
        let over = inbound.is_closed();
        Ok(Self {
            tcp: TcpStream::from_std(tcp)?,
            tls,
            inbound,
            masks,
            bytes: vec![0; ROOM],
            data: first,
            given: 0,
            out: Vec::new(),
            sent: 0,
            frames: Vec::new(),
            ping: None,
            over,
            said_goodbye: false,
            slot,
        })
    }

    /// Decrypts the first `count` bytes.
    fn take(&mut self, count: usize) -> io::Result<()> {
        let Self { tls, inbound, data, ping, .. } = self;
        let mut fault = None;
        let taken = tls.take(self.bytes.get(..count).unwrap_or_default(), |text| {
            let heard = inbound.hear(text, |heard| match heard {
                Heard::Data(piece) => data.extend_from_slice(piece),
                Heard::Ping(latest) => *ping = Some(latest.to_vec()),
                Heard::Close => {}
            });
            fault = fault.take().or(heard.err());
        });
        let ended = taken.map_err(io::Error::other)?;
        if let Some(fault) = fault {
            return Err(io::Error::other(fault));
        }
        self.over |= ended || self.inbound.is_closed();
        Ok(())
    }

    /// Sends what is to be sent, as far as the network takes it.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while let Some(rest @ [_, ..]) = self.out.get(self.sent..) {
                match ready!(Pin::new(&mut self.tcp).poll_write(cx, rest))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => self.sent += count,
                }
            }
            self.out.clear();
            self.sent = 0;
            if let Some(ping) = self.ping.take()
                && !self.said_goodbye
            {
                self.frames.clear();
                put_pong(&mut self.frames, &ping, &mut self.masks);
                self.tls.seal(&self.frames).map_err(io::Error::other)?;
            }
            self.tls.put(&mut self.out);
            if self.out.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncRead for Carried {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            // An answer to a ping goes out though nobody writes; if the network takes none now, the next one may.
            if let Poll::Ready(sent) = this.poll_send(cx) {
                sent?;
            }
            if let Some(rest @ [_, ..]) = this.data.get(this.given..) {
                let count = rest.len().min(buf.remaining());
                buf.put_slice(rest.get(..count).unwrap_or_default());
                this.given += count;
                if this.given == this.data.len() {
                    this.data.clear();
                    this.given = 0;
                }
                return Poll::Ready(Ok(()));
            }
            if this.over {
                return Poll::Ready(Ok(()));
            }
            let mut room = ReadBuf::new(&mut this.bytes);
            ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut room))?;
            let count = room.filled().len();
            if let Some(slot) = &mut this.slot {
                slot.lives();
            }
            // The origin of a tunnel goes without a goodbye.
            this.over |= count == 0;
            this.take(count)?;
        }
    }
}

impl AsyncWrite for Carried {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.said_goodbye {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // One message at a time waits here, and no more.
        ready!(this.poll_send(cx))?;
        let data = data.get(..MESSAGE).unwrap_or(data);
        this.frames.clear();
        put_data(&mut this.frames, data, &mut this.masks);
        this.tls.seal(&this.frames).map_err(io::Error::other)?;
        if let Poll::Ready(sent) = this.poll_send(cx) {
            sent?;
        }
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.said_goodbye {
            this.said_goodbye = true;
            this.frames.clear();
            put_close(&mut this.frames, &mut this.masks);
            this.tls.seal(&this.frames).map_err(io::Error::other)?;
            this.tls.end();
        }
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried").field("tcp", &self.tcp).field("over", &self.over).finish_non_exhaustive()
    }
}
