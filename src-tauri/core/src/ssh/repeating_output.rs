//! What a command prints now and then for as long as a connection stands, page by page.
//!
//! It goes past russh's queues: each of them keeps room for 32 messages of half a KiB, and more once it was used.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Filled by the connection's handler, read by [`Pages::next`].
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    channel: Option<u32>,
    printed: Vec<u8>,
    /// No page is longer, in bytes.
    most: usize,
    /// The command has ended, or was refused.
    over: bool,
    reader: Option<Waker>,
}

/// How far a command got.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// All up to the line that ends a page.
    Whole(Vec<u8>),
    /// It printed this and ended, or printed too much.
    Last(Vec<u8>),
}

impl Pages {
    /// From now on, what comes over this channel counts, and nothing else. No page is longer than `most` bytes.
    pub(super) fn follow(&self, channel: u32, most: usize) {
        *self.lock() = Open { channel: Some(channel), most, ..Open::default() };
    }

    /// Something was printed. `false` if it was too much: then that is the end.
    pub(super) fn print(&self, channel: u32, data: &[u8]) -> bool {
        let mut taken = true;
        self.note(channel, |open| {
            let room = open.most.saturating_sub(open.printed.len());
            open.printed.extend(data.iter().take(room));
            taken = data.len() <= room;
            open.over |= !taken;
        });
        taken
    }

    /// The command has ended, or was refused.
    pub(super) fn end(&self, channel: u32) {
        self.note(channel, |open| open.over = true);
    }

    /// The next page, which ends with a line that says `mark`.
    pub(super) async fn next(&self, mark: &str) -> Page {
        poll_fn(|cx| {
            let mut open = self.lock();
            if let Some(end) = end_of_page(&open.printed, mark) {
                let rest = open.printed.split_off(end);
                return Poll::Ready(Page::Whole(std::mem::replace(&mut open.printed, rest)));
            }
            if open.over {
                return Poll::Ready(Page::Last(std::mem::take(&mut open.printed)));
            }
            open.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// What was printed so far; nothing more is followed.
    pub(super) fn give_up(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock()).printed
    }

    fn note(&self, channel: u32, change: impl FnOnce(&mut Open)) {
        let mut open = self.lock();
        if open.channel != Some(channel) {
            return;
        }
        change(&mut open);
        if let Some(reader) = open.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::future::Future as _;

    use super::*;

    fn next(pages: &Pages) -> Option<Page> {
        let mut next = std::pin::pin!(pages.next("end"));
        let mut cx = std::task::Context::from_waker(Waker::noop());
        match next.as_mut().poll(&mut cx) {
            Poll::Ready(page) => Some(page),
            Poll::Pending => None,
        }
    }

    #[test]
    fn pages_end_with_their_mark_however_they_come() {
        let pages = Pages::default();
        pages.follow(7, 100);
        assert!(pages.print(8, b"another channel's\nend\n"));
        for piece in ["one\nth", "e end\n", "en", "d"] {
            assert!(pages.print(7, piece.as_bytes()));
            assert_eq!(next(&pages), None, "{piece:?}");
        }
        assert!(pages.print(7, b"\r\ntwo\nend\nthree"));
        assert_eq!(next(&pages), Some(Page::Whole(b"one\nthe end\nend\r\n".to_vec())));
        assert_eq!(next(&pages), Some(Page::Whole(b"two\nend\n".to_vec())));
        assert_eq!(next(&pages), None);
        pages.end(8);
        assert_eq!(next(&pages), None);
        pages.end(7);
        assert_eq!(next(&pages), Some(Page::Last(b"three".to_vec())));
    }

    #[test]
    fn a_page_without_an_end_is_cut() {
        let pages = Pages::default();
        pages.follow(7, 10);
        assert!(pages.print(7, b"0123456789"));
        assert_eq!(next(&pages), None);
        assert!(!pages.print(7, b"abc"), "whoever prints is told to stop");
        assert_eq!(next(&pages), Some(Page::Last(b"0123456789".to_vec())));
    }

    #[test]
    fn what_came_before_time_was_up_is_given() {
        let pages = Pages::default();
        pages.follow(7, 10);
        assert!(pages.print(7, b"half"));
        assert_eq!(pages.give_up(), b"half");
        assert!(pages.print(7, b"late"));
        assert_eq!(pages.give_up(), b"");
    }
}
