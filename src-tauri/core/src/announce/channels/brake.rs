//! How much noise a channel may make: whoever carries announcements can send as much of it as they like.
//!
//! A channel is read at a pace, so that no flood takes the processor; and of what is no news, little is passed on. What
//! is genuine and new goes through at once: the signature tells, and is quickly checked.

use std::collections::HashMap;
use std::time::Duration;

use moorline_model::announcement::{Announcement, Refusal, RuntimeId};
use moorline_model::channel_settings::ChannelKind;
use tokio::time::Instant;

/// So many at once, and after that one for each while that goes by.
#[derive(Debug)]
pub(super) struct Brake {
    burst: u32,
    each: Duration,
    /// When as many may come at once as ever.
    rested: Option<Instant>,
}

/// What is passed on of a session's lines.
#[derive(Debug, Default)]
pub(super) struct Filter {
    noise: HashMap<ChannelKind, Brake>,
    /// The latest number of each runtime.
    latest: HashMap<RuntimeId, u64>,
    left_out: u64,
    told: Option<Instant>,
}

/// A shorter pause is made up for by the next one.
const WORTH_IT: Duration = Duration::from_millis(20);

/// Who announces more runtimes than this within one life of the agent waits like noise.
const RUNTIMES: usize = 256;

/// How often it is said that lines were left out.
const SAY: Duration = Duration::from_secs(60);

impl Brake {
    /// How fast a channel is read. An honest one says some hundred lines when it is opened, and one in minutes.
    pub(super) const fn reading() -> Self {
        Self { burst: 500, each: Duration::from_millis(2), rested: None }
    }

    /// What is passed on though it is no news: a person who uses a wrong key is to hear of it.
    const fn noise() -> Self {
        Self { burst: 30, each: Duration::from_secs(1), rested: None }
    }

    /// How long to wait after one more.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        let rested = self.rested.map_or(now, |rested| rested.max(now)) + self.each;
        self.rested = Some(rested);
        let wait = (rested - now).saturating_sub(self.each * self.burst);
        if wait < WORTH_IT { Duration::ZERO } else { wait }
    }

    /// Whether one more may pass now.
    fn takes(&mut self, now: Instant) -> bool {
        let rested = self.rested.map_or(now, |rested| rested.max(now)) + self.each;
        let takes = rested - now <= self.each * self.burst;
        if takes {
            self.rested = Some(rested);
        }
        takes
    }
}

impl Filter {
    /// Whether a line that came over this channel is passed on.
    pub(super) fn passes(
        &mut self,
        channel: ChannelKind,
        said: &Result<Announcement, Refusal>,
        now: Instant,
    ) -> bool {
        let passes = self.is_news(said) || self.noise.entry(channel).or_insert_with(Brake::noise).takes(now);
        self.left_out += u64::from(!passes);
        passes
    }

    /// How many lines were left out since this was asked last, when it is time to say so.
    pub(super) fn left_out(&mut self, now: Instant) -> Option<u64> {
        if self.left_out == 0 || self.told.is_some_and(|told| now < told + SAY) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }

    fn is_news(&mut self, said: &Result<Announcement, Refusal>) -> bool {
        let Ok(said) = said else { return false };
        let known = self.latest.get(&said.runtime);
        let news = match known {
            Some(seq) => *seq < said.seq,
            None => self.latest.len() < RUNTIMES,
        };
        if news {
            self.latest.insert(said.runtime.clone(), said.seq);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorline_model::announcement::{Info, Kind};

    fn genuine(runtime: u8, seq: u64) -> Announcement {
        Announcement {
            kid: "--OZ09tBwwt2".parse().unwrap(),
            kind: Kind::Beat,
            runtime: RuntimeId::of([runtime; 16]),
            born: jiff::Timestamp::UNIX_EPOCH,
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            endpoints: Vec::new(),
            user: "root".parse().unwrap(),
            host_keys: Vec::new(),
            info: Info::default(),
        }
    }

    #[test]
    fn noise_is_left_out_and_news_among_it_is_heard_at_once() {
        let (mut filter, start) = (Filter::default(), Instant::now());
        let mut passed = 0;
        for n in 0..60_000_u64 {
            let now = start + Duration::from_millis(n);
            // Forged, and what was recorded, over and over.
            passed += u32::from(filter.passes(ChannelKind::Ntfy, &Err(Refusal::Forged), now));
            passed += u32::from(filter.passes(ChannelKind::Ntfy, &Ok(genuine(1, 0)), now));
            if n % 1000 == 500 {
                assert!(filter.passes(ChannelKind::Ntfy, &Ok(genuine(2, n)), now), "news at {n}");
            }
        }
        assert!((60..=91).contains(&passed), "{passed} of 120000");
        let late = start + Duration::from_secs(60);
        assert!(filter.passes(ChannelKind::Folder, &Err(Refusal::Forged), late), "each has its own");
        assert_eq!(filter.left_out(late), Some(120_000 - u64::from(passed)));
        assert!(
            !filter.passes(ChannelKind::Ntfy, &Ok(genuine(2, 1)), late) || filter.left_out(late).is_none()
        );
        assert_eq!(filter.left_out(late), None, "once a minute");
    }

    #[test]
    fn few_wrong_lines_are_all_heard_of() {
        let (mut filter, now) = (Filter::default(), Instant::now());
        let heard = (0..40).filter(|_| filter.passes(ChannelKind::Ntfy, &Err(Refusal::NotOne), now)).count();
        assert_eq!(heard, 30);
        let later = now + Duration::from_secs(5);
        let heard =
            (0..40).filter(|_| filter.passes(ChannelKind::Ntfy, &Err(Refusal::NotOne), later)).count();
        assert_eq!(heard, 5);
    }

    #[test]
    fn a_flood_is_read_at_a_pace_and_a_few_lines_at_once() {
        let (mut brake, start) = (Brake::reading(), Instant::now());
        assert!((0..500).all(|_| brake.wait(start).is_zero()));
        let mut now = start;
        for _ in 0..5000 {
            now += brake.wait(now);
        }
        let took = now - start;
        assert!((9.9..10.1).contains(&took.as_secs_f64()), "{took:?}");
        assert!(brake.wait(now + Duration::from_secs(60)).is_zero());
    }
}
