//! When a watcher dials again. Pure: the random part comes from outside.

use std::time::Duration;

use moorline_model::cause::Obstacle;

/// Two dials of one session are never closer than this.
pub const PACE: Duration = Duration::from_secs(1);

/// A connection that stood this long was a good one: the next loss starts the sequence anew.
const PROVEN: Duration = Duration::from_secs(60);

/// The longest wait after an ordinary failure.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait where only a person can help.
const LONGEST_FOR_A_PERSON: Duration = Duration::from_secs(300);

/// How long the dials of sessions that start together are apart.
const APART: Duration = Duration::from_millis(150);

/// How far apart they redial when all were lost at once.
const SPREAD: Duration = Duration::from_millis(20);

/// No first dial waits longer for its turn.
const LONGEST_TURN: Duration = Duration::from_secs(15);

/// The sequence of waits of one session: at once, then 1, 2, 4 … 60 s, each with equal jitter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    dials: u32,
    for_a_person: u32,
}

impl Backoff {
    /// The wait after a connection was lost that stood for `stood`. `jitter` is in 0..=1.
    pub fn lost(&mut self, stood: Duration, jitter: f64) -> Duration {
        if stood >= PROVEN {
            *self = Self::default();
        }
        self.for_a_person = 0;
        self.next(jitter)
    }

    /// The wait after a dial that failed. `for_a_person`: dialling again soon is of no use. `jitter` is in 0..=1.
    pub fn failed(&mut self, for_a_person: bool, jitter: f64) -> Duration {
        if for_a_person {
            let wait = doubled(Duration::from_secs(60), self.for_a_person, LONGEST_FOR_A_PERSON);
            self.for_a_person = self.for_a_person.saturating_add(1);
            return wait + wait.mul_f64(0.25 * jitter.clamp(0.0, 1.0));
        }
        self.for_a_person = 0;
        self.dials = self.dials.max(1);
        self.next(jitter)
    }

    /// Things changed (the network, what is known of the session, a person's wish): the sequence starts anew.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn next(&mut self, jitter: f64) -> Duration {
        let step = self.dials;
        self.dials = self.dials.saturating_add(1);
        let Some(doublings) = step.checked_sub(1) else { return Duration::ZERO };
        let wait = doubled(Duration::from_secs(1), doublings, LONGEST);
        wait / 2 + (wait / 2).mul_f64(jitter.clamp(0.0, 1.0))
    }
}

/// How long the first dial waits when `turn` others start before it. `jitter` is in 0..=1.
pub fn turn(turn: u16, jitter: f64) -> Duration {
    if turn == 0 {
        return Duration::ZERO;
    }
    let exact = (APART * u32::from(turn)).min(LONGEST_TURN);
    exact + APART.mul_f64(jitter.clamp(0.0, 1.0))
}

/// How long a redial at once waits all the same: what breaks all sessions together, such as a relay, would refuse
/// them if they came back as one.
pub fn spread(turn: u16) -> Duration {
    (SPREAD * u32::from(turn)).min(PACE)
}

/// Whether dialling again soon is of no use, and each try would be a further refused login.
pub fn needs_a_person(obstacle: &Obstacle) -> bool {
    matches!(obstacle, Obstacle::Key { .. } | Obstacle::Login)
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times.min(16)).unwrap_or(u32::MAX)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(mut next: impl FnMut() -> Duration, count: usize) -> Vec<f64> {
        (0..count).map(|_| next().as_secs_f64()).collect()
    }

    #[test]
    fn the_first_redial_is_at_once_and_then_they_slow_down() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.lost(PROVEN, 1.0), Duration::ZERO);
        let waits = seconds(|| backoff.failed(false, 1.0), 9);
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
        assert_eq!(backoff.lost(PROVEN, 0.0), Duration::ZERO, "a connection that stood resets it");
        let waits = seconds(|| backoff.failed(false, 0.0), 3);
        assert_eq!(waits, [0.5, 1.0, 2.0], "half of each wait is certain");
    }

    #[test]
    fn a_first_dial_that_fails_is_not_repeated_at_once() {
        assert_eq!(Backoff::default().failed(false, 1.0), Duration::from_secs(1));
    }

    #[test]
    fn a_connection_that_keeps_breaking_is_dialled_ever_more_slowly() {
        let mut backoff = Backoff::default();
        let waits = seconds(|| backoff.lost(Duration::from_secs(5), 1.0), 8);
        assert_eq!(waits, [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]);
    }

    #[test]
    fn refused_logins_are_rare_whatever_the_jitter() {
        let mut backoff = Backoff::default();
        let waits = seconds(|| backoff.failed(true, 0.0), 4);
        assert_eq!(waits, [60.0, 120.0, 240.0, 300.0]);
        assert!(backoff.failed(true, 1.0) > Duration::from_secs(300));
        assert_eq!(backoff.failed(false, 1.0), Duration::from_secs(1));
        backoff.forget();
        assert_eq!(backoff, Backoff::default());
        assert!(needs_a_person(&Obstacle::Login) && !needs_a_person(&Obstacle::Refused));
    }

    #[test]
    fn fifty_sessions_do_not_start_in_one_second() {
        let mut starts: Vec<Duration> = (0..50).map(|n| turn(n, f64::from(n * 7 % 10) / 10.0)).collect();
        assert_eq!(starts[0], Duration::ZERO, "a single session starts at once");
        starts.sort();
        for (n, start) in starts.iter().enumerate() {
            let within = starts.iter().filter(|s| **s >= *start && **s < *start + PACE).count();
            assert!(within <= 9, "{within} dials in the second from dial {n}");
        }
        assert!(turn(u16::MAX, 1.0) <= LONGEST_TURN + APART);
        assert_eq!((spread(0), spread(u16::MAX)), (Duration::ZERO, PACE));
    }
}
