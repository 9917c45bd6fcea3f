//! A byte stream that remembers how it began and that can be cut from outside.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How much of the beginning is remembered: enough for the longest identification line and what may precede it.
const REMEMBERED: usize = 1024;

/// Wraps a stream: [`Watched::new`] gives it with the [`Watch`] that observes it.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    seen: Arc<Mutex<Seen>>,
}

/// Sees what a [`Watched`] stream received. Dropping it cuts the stream: russh reads in a task of its own, which
/// would otherwise hold the connection (or the child behind it) for as long as the other side likes.
#[derive(Debug)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug)]
struct Seen {
    head: Vec<u8>,
    /// When something came last; before that, when it began.
    heard: Instant,
    cut: bool,
    readers: Vec<Waker>,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S) -> (Self, Watch) {
        let seen = Seen { head: Vec::new(), heard: Instant::now(), cut: false, readers: Vec::new() };
        let seen = Arc::new(Mutex::new(seen));
        (Self { inner, seen: Arc::clone(&seen) }, Watch(seen))
    }
}

impl Watch {
    /// The first bytes that came, at most 1 KiB.
    pub(super) fn head(&self) -> Vec<u8> {
        lock(&self.0).head.clone()
    }

    /// When something came last.
    pub(super) fn heard(&self) -> Instant {
        lock(&self.0).heard
    }

    /// Cuts the stream, as dropping this does.
    pub(super) fn cut(&self) {
        let mut seen = lock(&self.0);
        seen.cut = true;
        let readers = std::mem::take(&mut seen.readers);
        drop(seen);
        readers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cut();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        {
            let mut seen = lock(&this.seen);
            if seen.cut {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            seen.readers.clear();
            seen.readers.push(cx.waker().clone());
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let mut seen = lock(&this.seen);
        let room = REMEMBERED.saturating_sub(seen.head.len());
        let fresh = buf.filled().get(before..).unwrap_or_default();
        seen.head.extend(fresh.iter().take(room));
        if !fresh.is_empty() {
            seen.heard = Instant::now();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if lock(&this.seen).cut {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut this.inner).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
