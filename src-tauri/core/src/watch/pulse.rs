//! How long a ping may take before a connection counts as silent. Pure.
//!
//! SSH runs over TCP, which hides a lost packet behind a retransmission: on a lossy link most pings take a round
//! trip and a few take seconds. So the patience follows the round trips that were seen, as TCP's own timer does
//! (RFC 6298 section 2), with a floor that keeps a clean link's silence under 12 s and a ceiling that keeps any
//! link's under 30 s.

use std::time::Duration;

/// From one ping to the next.
pub const EVERY: Duration = crate::ssh::PING_EVERY;

/// The patience on a clean link: with [`EVERY`], a silent loss is seen within 11.5 s.
const FLOOR: Duration = Duration::from_millis(6500);

/// The longest patience; then comes the second opinion.
const CEILING: Duration = Duration::from_secs(15);

/// How long a second connection may take that is to tell a slow link from a dead one.
pub const SECOND_OPINION: Duration = Duration::from_secs(9);

/// The round trips of one connection, smoothed.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    smoothed: Option<f64>,
    variation: f64,
}

impl Pulse {
    /// Notes a round trip.
    pub fn note(&mut self, trip: Duration) {
        let trip = trip.as_secs_f64();
        match self.smoothed {
            None => {
                self.smoothed = Some(trip);
                self.variation = trip / 2.0;
            }
            Some(smoothed) => {
                let strayed = (smoothed - trip).abs();
                // A lost packet is remembered longer than TCP would: the next ones may be minutes away.
                let weight = if strayed > self.variation { 0.25 } else { 1.0 / 32.0 };
                self.variation += weight * (strayed - self.variation);
                self.smoothed = Some(0.875 * smoothed + 0.125 * trip);
            }
        }
    }

    /// How long the next ping may take.
    pub fn patience(&self) -> Duration {
        // TCP takes four variations before it repeats a packet once; several repeats may be lost in a row.
        let usual = self.smoothed.unwrap_or_default() + 24.0 * self.variation;
        Duration::try_from_secs_f64(usual).unwrap_or(CEILING).clamp(FLOOR, CEILING)
    }

    /// Whether packets get lost on the way: then silence is believed only when a second connection fails, too.
    pub fn is_lossy(&self) -> bool {
        self.patience() > FLOOR
    }

    /// Whether a new connection may need more than 5 s: it takes up to 25 round trips through a relay.
    pub fn is_slow(&self) -> bool {
        self.is_lossy() || self.smoothed.is_some_and(|trip| trip > 0.18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repeatable sequence of numbers below 1 (Knuth's multiplier, 64 bits).
    fn numbers(mut seed: u64) -> impl FnMut() -> f64 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(seed >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }

    /// One ping over TCP: each way, a lost packet is sent again after a time that doubles.
    fn trip(rtt: f64, loss: f64, next: &mut impl FnMut() -> f64) -> Duration {
        let mut took = rtt;
        for _ in 0..2 {
            let mut wait = rtt * 2.0 + 0.2;
            while next() < loss {
                took += wait;
                wait *= 2.0;
            }
        }
        Duration::from_secs_f64(took)
    }

    #[test]
    fn silence_on_a_clean_link_is_seen_within_twelve_seconds() {
        for rtt in [0.001, 0.05, 0.3] {
            let mut pulse = Pulse::default();
            let mut next = numbers(7);
            for _ in 0..50 {
                pulse.note(Duration::from_secs_f64(rtt * (1.0 + 0.1 * next())));
                assert!(!pulse.is_lossy() && EVERY + pulse.patience() < Duration::from_secs(12));
            }
        }
    }

    #[test]
    fn silence_on_any_link_is_seen_within_thirty_seconds() {
        assert!(EVERY + CEILING + SECOND_OPINION < Duration::from_secs(30));
        let mut pulse = Pulse::default();
        for trip in [0.0, 20.0, f64::from(u32::MAX), 0.0] {
            pulse.note(Duration::from_secs_f64(trip));
            assert!(pulse.patience() <= CEILING);
        }
    }

    #[test]
    fn a_lossy_link_is_given_time() {
        let (mut hasty, mut doubted, mut pings) = (0, 0, 0);
        for seed in 0..20 {
            let (mut pulse, mut next) = (Pulse::default(), numbers(seed));
            // 30 minutes each.
            for ping in 0..360 {
                let took = trip(0.3, 0.2, &mut next);
                pings += 1;
                if took > pulse.patience() {
                    doubted += 1;
                    // Without a second opinion it would be called dead.
                    hasty += i32::from(!pulse.is_lossy());
                }
                if ping > 10 {
                    assert!(pulse.is_lossy(), "seed {seed}, ping {ping}: {pulse:?}");
                }
                pulse.note(took.min(CEILING + SECOND_OPINION));
            }
        }
        assert_eq!(hasty, 0, "no connection is given up without a second opinion");
        assert!(doubted * 300 < pings, "and one is seldom asked for: {doubted} of {pings}");
    }
}
