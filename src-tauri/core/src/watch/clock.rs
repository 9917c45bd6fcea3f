//! Noticing that this computer slept, or that its clock was set.

use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(5);

/// A difference that no load and no correction by a time server explains.
const JUMP: Duration = Duration::from_secs(4);

/// Compares two clocks: one that people read, one that counts while the program runs.
///
/// Where the counting clock stops in sleep (Linux, macOS), the two drift apart; where it goes on (Windows), a wait
/// takes far longer than it was meant to.
#[derive(Debug, Clone, Copy)]
pub struct Awake {
    wall: SystemTime,
    counted: Instant,
}

impl Awake {
    /// From now on.
    pub fn new(wall: SystemTime, counted: Instant) -> Self {
        Self { wall, counted }
    }

    /// Whether the computer slept or its clock jumped since this was last asked; `meant` is the longest that this
    /// may have been.
    pub fn slept(&mut self, wall: SystemTime, counted: Instant, meant: Duration) -> bool {
        let ran = counted.saturating_duration_since(self.counted);
        let jumped = match wall.duration_since(self.wall) {
            Ok(passed) => passed.abs_diff(ran) > JUMP,
            Err(back) => back.duration() > JUMP,
        };
        *self = Self { wall, counted };
        jumped || ran > meant + JUMP
    }
}

/// Sends `woke` whenever this computer wakes up, until nobody receives any more. `wall` is the clock that people read.
pub async fn watch<T: Clone>(wall: fn() -> SystemTime, woke: T, out: mpsc::Sender<T>) {
    let mut awake = Awake::new(wall(), Instant::now());
    while !out.is_closed() {
        tokio::time::sleep(EVERY).await;
        if awake.slept(wall(), Instant::now(), EVERY) && out.send(woke.clone()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(wall: i64, counted: u64) -> bool {
        let (start, begun) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000), Instant::now());
        let wall = if wall < 0 {
            start - Duration::from_secs(wall.unsigned_abs())
        } else {
            start + Duration::from_secs(wall.unsigned_abs())
        };
        Awake::new(start, begun).slept(wall, begun + Duration::from_secs(counted), EVERY)
    }

    #[test]
    fn sleep_is_told_from_a_busy_moment() {
        assert!(!after(5, 5) && !after(7, 7) && !after(4, 7), "a little late is not asleep");
        assert!(after(3600, 5), "the counting clock stood still");
        assert!(after(3600, 3600), "the wait took an hour");
        assert!(after(-3600, 5), "the clock was set back");
    }

    #[test]
    fn it_is_asked_anew_each_time() {
        let (start, begun) = (SystemTime::UNIX_EPOCH, Instant::now());
        let mut awake = Awake::new(start, begun);
        let hour = Duration::from_secs(3600);
        assert!(awake.slept(start + hour, begun + EVERY, EVERY));
        assert!(!awake.slept(start + hour + EVERY, begun + EVERY * 2, EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn the_agent_is_told_once_for_each_sleep() {
        use std::sync::atomic::{AtomicU64, Ordering};
        static WALL: AtomicU64 = AtomicU64::new(1000);
        fn wall() -> SystemTime {
            // Five seconds a look, as the other clock has it.
            let now = WALL.fetch_add(5, Ordering::SeqCst);
            SystemTime::UNIX_EPOCH + Duration::from_secs(now)
        }
        let (out, mut told) = mpsc::channel(4);
        let watching = tokio::spawn(watch(wall, "woke", out));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(told.try_recv().is_err(), "awake all the time");
        WALL.fetch_add(1800, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(matches!(told.try_recv(), Ok("woke")));
        assert!(told.try_recv().is_err(), "once");
        drop(told);
        watching.await.unwrap();
    }
}
