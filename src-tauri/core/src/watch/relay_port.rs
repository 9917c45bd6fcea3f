//! When a relay's port may be visited. Pure.
//!
//! When a runtime vanishes without a word, the relay goes on listening for it until its own keepalive gives up; a
//! visitor is accepted and hears nothing. Visits every 2 s were seen to keep such a port open for ever. So a port
//! that was silent is asked about over the relay's own SSH session, and visited again only after a while, or when
//! another socket listens there.

use std::time::Duration;

use moorline_model::cause::Obstacle;
use tokio::time::Instant;

use crate::ssh::relay::Listeners;

/// A silent port is left in peace for this long, doubled each time.
const REST: Duration = Duration::from_secs(30);

/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(240);

/// What to do before a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// Visit the port.
    Visit,
    /// Ask the relay first.
    AskFirst,
}

/// What is known of one port.
#[derive(Debug, Default)]
pub struct RelayPort {
    silent: Option<Silent>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Silent {
    /// The socket that listens there, as the relay last told.
    inode: Option<u64>,
    visited: Option<Instant>,
    visits: u32,
}

impl RelayPort {
    /// A connection through the port stood, and has gone silent.
    pub fn went_silent(&mut self) {
        self.silent = Some(Silent::default());
    }

    /// How to go about the next dial.
    pub fn approach(&self) -> Approach {
        if self.silent.is_some() { Approach::AskFirst } else { Approach::Visit }
    }

    /// What the relay told of the port; `None` if it does not tell.
    ///
    /// # Errors
    /// The port is not to be visited now; what stands in the way is what is known of it.
    pub fn told(&mut self, found: Option<&Listeners>, now: Instant) -> Result<(), Obstacle> {
        let Some(silent) = &mut self.silent else { return Ok(()) };
        let inode = match found.map(Listeners::answering) {
            None => None,
            Some(Some(listener)) => Some(listener.inode),
            Some(None) => {
                // Whoever listens next is somebody else.
                self.silent = None;
                return Err(Obstacle::NothingBehindRelay);
            }
        };
        let another = inode.is_some() && silent.inode.is_some() && inode != silent.inode;
        silent.inode = inode.or(silent.inode);
        if another {
            silent.visits = 0;
            return Ok(());
        }
        match silent.visited {
            Some(visited) if now < visited + rest(silent.visits) => Err(Obstacle::Silent),
            _ => Ok(()),
        }
    }

    /// What a dial through the port came to; `None` for a connection.
    pub fn note(&mut self, obstacle: Option<&Obstacle>, now: Instant) {
        match obstacle {
            Some(Obstacle::Silent | Obstacle::Unreachable) => {
                let silent = self.silent.get_or_insert_default();
                silent.visited = Some(now);
                silent.visits = silent.visits.saturating_add(1);
            }
            // The relay was not reached, so nothing new is known of its port.
            Some(Obstacle::Relay(_) | Obstacle::OwnNetwork | Obstacle::Program(_)) => {}
            _ => self.silent = None,
        }
    }
}

fn rest(visits: u32) -> Duration {
    REST.saturating_mul(1 << visits.saturating_sub(1).min(3)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::ssh::relay::Listener;

    fn held(inode: u64) -> Listeners {
        let listener = Listener { address: Ipv4Addr::LOCALHOST.into(), uid: 1000, inode };
        Listeners { login_uid: 1000, holders: vec![listener] }
    }

    fn free() -> Listeners {
        Listeners { login_uid: 1000, holders: Vec::new() }
    }

    /// The seconds at which the port is visited in an hour of dials every 2 s.
    fn visits(told: impl Fn(u64) -> Option<Listeners>) -> Vec<u64> {
        let (mut port, start) = (RelayPort::default(), Instant::now());
        port.went_silent();
        let dials = (0..3600).step_by(2);
        dials
            .filter(|second| {
                let now = start + Duration::from_secs(*second);
                assert_eq!(port.approach(), Approach::AskFirst);
                let visited = port.told(told(*second).as_ref(), now).is_ok();
                if visited {
                    port.note(Some(&Obstacle::Silent), now);
                }
                visited
            })
            .collect()
    }

    #[test]
    fn a_silent_port_is_left_in_peace() {
        for relay_tells in [true, false] {
            let seen = visits(|_| relay_tells.then(|| held(7)));
            assert_eq!(seen[..5], [0, 30, 90, 210, 450], "relay tells: {relay_tells}");
            assert!(seen.windows(2).all(|pair| pair[1] - pair[0] >= 30));
        }
    }

    #[test]
    fn another_listener_is_visited_at_once() {
        let seen = visits(|second| Some(held(if second < 100 { 7 } else { 8 })));
        assert_eq!(seen[..4], [0, 30, 90, 100]);
    }

    #[test]
    fn a_port_that_nobody_holds_is_not_visited() {
        let (mut port, now) = (RelayPort::default(), Instant::now());
        assert_eq!(port.approach(), Approach::Visit, "nothing is known against it");
        port.went_silent();
        assert_eq!(port.told(Some(&free()), now), Err(Obstacle::NothingBehindRelay));
        assert_eq!(port.approach(), Approach::Visit, "a closed port can be knocked at without harm");
        port.note(Some(&Obstacle::NothingBehindRelay), now);
        assert_eq!(port.approach(), Approach::Visit);
    }

    #[test]
    fn an_answer_clears_the_port_and_a_lost_relay_does_not() {
        let (mut port, now) = (RelayPort::default(), Instant::now());
        port.note(Some(&Obstacle::Silent), now);
        port.note(Some(&Obstacle::Relay("gone".to_owned())), now);
        assert_eq!(port.approach(), Approach::AskFirst);
        port.note(None, now);
        assert_eq!(port.approach(), Approach::Visit);
    }
}
