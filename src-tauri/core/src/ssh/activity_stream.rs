//! A byte stream that remembers how it began, tells questions from answers, and can be cut from outside.

use std::future::poll_fn;
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
    forgotten: bool,
    cut: bool,
    reader: Option<Waker>,
    /// What is written now follows from what was just read.
    prompted: bool,
    /// When something was written unasked, and not a byte came since.
    unanswered: Option<Instant>,
    /// Waits for `unanswered` to be another.
    listener: Option<Waker>,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S) -> (Self, Watch) {
        let seen = Seen {
            head: Vec::new(),
            heard: Instant::now(),
            forgotten: false,
            cut: false,
            reader: None,
            prompted: false,
            unanswered: None,
            listener: None,
        };
        let seen = Arc::new(Mutex::new(seen));
        (Self { inner, seen: Arc::clone(&seen) }, Watch(seen))
    }
}

impl Watch {
    /// The first bytes that came, at most 1 KiB.
    pub(super) fn head(&self) -> Vec<u8> {
        lock(&self.0).head.clone()
    }

    /// Makes room: nobody asks for the beginning any more.
    pub(super) fn forget_head(&self) {
        let mut seen = lock(&self.0);
        (seen.head, seen.forgotten) = (Vec::new(), true);
    }

    /// Waits until this side has asked something, after `last`, and gives when. All that an SSH client writes
    /// without having just read something is answered: requests, keepalives, the start of a new key exchange.
    pub(super) async fn asked(&self, last: Instant) -> Instant {
        self.when(|unanswered| unanswered.filter(|asked| *asked > last)).await
    }

    /// Waits until something came since `asked`.
    pub(super) async fn answered(&self, asked: Instant) {
        self.when(|unanswered| unanswered.is_none_or(|since| since > asked).then_some(())).await;
    }

    /// One at a time may wait so.
    async fn when<T>(&self, ready: impl Fn(Option<Instant>) -> Option<T>) -> T {
        poll_fn(|cx| {
            let mut seen = lock(&self.0);
            if let Some(found) = ready(seen.unanswered) {
                return Poll::Ready(found);
            }
            seen.listener = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// When something came last.
    pub(super) fn heard(&self) -> Instant {
        lock(&self.0).heard
    }

    /// Cuts the stream, as dropping this does.
    pub(super) fn cut(&self) {
        let mut seen = lock(&self.0);
        seen.cut = true;
        let reader = seen.reader.take();
        drop(seen);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Seen {
    fn note(&mut self, unanswered: Option<Instant>) {
        self.unanswered = unanswered;
        if let Some(listener) = self.listener.take() {
            listener.wake();
        }
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
            seen.reader = Some(cx.waker().clone());
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let mut seen = lock(&this.seen);
        let fresh = buf.filled().get(before..).unwrap_or_default();
        seen.prompted = polled.is_ready();
        if !fresh.is_empty() {
            seen.heard = Instant::now();
            if seen.unanswered.is_some() {
                seen.note(None);
            }
        }
        if !seen.forgotten {
            let room = REMEMBERED.saturating_sub(seen.head.len());
            seen.head.extend(fresh.iter().take(room));
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
        let polled = Pin::new(&mut this.inner).poll_write(cx, data);
        let mut seen = lock(&this.seen);
        if matches!(polled, Poll::Ready(Ok(1..))) && !seen.prompted && seen.unanswered.is_none() {
            seen.note(Some(Instant::now()));
        }
        drop(seen);
        polled
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn what_is_written_unasked_is_a_question_and_whatever_comes_an_answer() {
        let (near, mut far) = duplex(64);
        let (mut near, watch) = Watched::new(near);
        let start = Instant::now();
        let mut room = [0; 4];
        let quiet = |watch: &Watch, last| {
            let asked = watch.0.lock().unwrap().unanswered;
            asked.is_none_or(|asked| asked <= last)
        };
        tokio::time::advance(MOMENT).await;
        near.write_all(b"?").await.unwrap();
        let asked = watch.asked(start).await;
        assert_eq!(asked - start, MOMENT);
        tokio::time::advance(MOMENT).await;
        // Asking again is no answer, and the first question is the one that waits.
        near.write_all(b"?").await.unwrap();
        assert!(timeout(MOMENT, watch.answered(asked)).await.is_err());
        assert!(timeout(MOMENT, watch.asked(asked)).await.is_err());
        far.write_all(b"!").await.unwrap();
        near.read_exact(&mut room[..1]).await.unwrap();
        watch.answered(asked).await;
        // What follows from what was read is no question, until there is nothing more to read.
        near.write_all(b"thanks").await.unwrap();
        assert!(quiet(&watch, asked));
        assert!(timeout(MOMENT, near.read_u8()).await.is_err());
        near.write_all(b"?").await.unwrap();
        let again = watch.asked(asked).await;
        assert!(again > asked && timeout(MOMENT, watch.answered(again)).await.is_err());
        // The end is no answer.
        drop(far);
        assert_eq!(near.read(&mut room).await.unwrap(), 0);
        assert!(timeout(MOMENT, watch.answered(again)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_hears_of_questions_and_answers() {
        let (near, mut far) = duplex(64);
        let (mut near, watch) = Watched::new(near);
        let start = Instant::now();
        let looking = tokio::spawn(async move {
            let asked = watch.asked(start).await;
            watch.answered(asked).await;
            (asked - start, start.elapsed())
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        near.write_all(b"?").await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        far.write_all(b"!").await.unwrap();
        near.read_u8().await.unwrap();
        assert_eq!(looking.await.unwrap(), (Duration::from_secs(5), Duration::from_secs(7)));
    }
}
