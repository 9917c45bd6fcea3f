//! Letting the pieces of a fast stream gather, as network cards do with their interrupts. Where data comes at gigabytes a
//! second in pieces of one TLS record, waking up for each piece, and waking ssh for it, costs more than the piece does.

use std::thread;
use std::time::{Duration, Instant};

/// Nobody who types, and no answer that fits one packet, waits.
const PIECE: usize = 8 * 1024;

/// A piece this large is worth a wake-up.
const ENOUGH: usize = 64 * 1024;

/// Bytes a second. A slower stream has better things to wait for, and its processor time is nobody's concern.
const FAST: u128 = 80_000_000;

/// How long pieces gather. The system adds about half as much again (`PR_SET_TIMERSLACK`).
const PAUSE: Duration = Duration::from_micros(100);

/// Watches one direction of a stream.
pub(super) struct Coalescing {
    last: Instant,
}

impl Coalescing {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now }
    }

    /// To be called when a piece of `count` bytes was dealt with: lets more come where that pays.
    pub(super) fn rest(&mut self, count: usize) {
        // Elsewhere a short sleep takes a millisecond or more.
        if cfg!(target_os = "linux") && self.gathers(count, Instant::now()) {
            thread::sleep(PAUSE);
        }
    }

    /// Whether it pays after a piece of `count` bytes, which came since this was last asked.
    fn gathers(&mut self, count: usize, now: Instant) -> bool {
        let took = now.saturating_duration_since(self.last);
        self.last = now;
        let is_fast = count as u128 * 1_000_000_000 >= FAST * took.as_nanos();
        (PIECE..ENOUGH).contains(&count) && is_fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: usize = 16_376;

    fn after(count: usize, took: Duration) -> bool {
        let start = Instant::now();
        Coalescing::new(start).gathers(count, start + took)
    }

    #[test]
    fn a_fast_stream_of_small_pieces_gathers_and_nothing_else_does() {
        let micros = Duration::from_micros;
        assert!(after(RECORD, micros(17)), "1 GB/s");
        assert!(after(60_000, micros(160)), "the same, gathered");
        assert!(!after(RECORD, micros(250)), "66 MB/s");
        assert!(!after(100_000, micros(100)), "much at once");
        assert!(!after(36, micros(1)), "a key that was pressed");
        assert!(!after(1_400, micros(10)), "a packet");
    }

    #[test]
    fn the_first_piece_after_a_silence_is_not_waited_for() {
        let start = Instant::now();
        let mut stream = Coalescing::new(start);
        assert!(!stream.gathers(RECORD, start + Duration::from_secs(1)));
        let soon = start + Duration::from_secs(1) + Duration::from_micros(20);
        assert!(stream.gathers(RECORD, soon), "the next one shows what this is");
        assert!(!stream.gathers(RECORD, soon + Duration::from_secs(1)));
    }
}
