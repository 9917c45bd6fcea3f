//! What a watcher does while a connection stands: pings, vitals, and listening for orders.

use super::clock::Awake;
use super::link::{Link, Up};
use super::order::Order;
use super::pulse::{self, Pulse};
use super::run::{Ending, Stopped, Watcher, same_way};
use super::vitals;
use crate::watch::order::{Sight, WatchOrder};
use moorline_model::cause::Loss;
use moorline_ssh_files::Alias;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a connection may take to answer after this computer slept or changed its network.
const PROBE: Duration = Duration::from_secs(4);

/// The longest that passes between two looks at the clocks while a connection stands.
const LOOKS: Duration = Duration::from_secs(21);

/// How long taking leave may take.
const LEAVE: Duration = Duration::from_secs(1);

/// What the pings showed.
enum Beat<U> {
    /// The connection has ended.
    Closed,
    /// It does not answer.
    Silent,
    /// It does not answer, and things changed on this side.
    Stale,
    /// It does not answer, but this other one stands.
    Replaced(U),
}

impl<L: Link> Watcher<L> {
    /// Watches a connection until it is gone.
    pub(super) async fn stand(&mut self, mut up: L::Up) -> Result<Ending, Stopped> {
        let since = Instant::now();
        let mut pulse = Pulse::default();
        let mut awake = Awake::new((self.wall)(), since);
        loop {
            let Ok(beat) = self.stand_on(&up, &mut pulse, &mut awake).await else {
                let _ = timeout(LEAVE, up.leave()).await;
                return Err(Stopped);
            };
            let loss = match beat {
                Beat::Replaced(other) => {
                    up = other;
                    continue;
                }
                Beat::Stale => return Ok(Ending::Anew),
                // A server that hung up while this computer slept is noticed in the first moment awake.
                Beat::Closed if awake.slept((self.wall)(), Instant::now(), LOOKS) => return Ok(Ending::Anew),
                Beat::Closed => Loss::Closed,
                Beat::Silent => {
                    self.link.went_silent();
                    Loss::Silent
                }
            };
            drop(up);
            self.say(Sight::Lost(loss)).await?;
            return Ok(Ending::Lost { stood: since.elapsed(), slow: pulse.is_slow() });
        }
    }

    async fn stand_on(
        &mut self,
        up: &L::Up,
        pulse: &mut Pulse,
        awake: &mut Awake,
    ) -> Result<Beat<L::Up>, Stopped> {
        let vitals = vital_signs(up, self.order.session.name.clone(), self.out.clone());
        tokio::pin!(vitals);
        let mut changed = false;
        loop {
            let event = {
                let (wall, last_dial) = (self.wall, &mut self.last_dial);
                let heart = Heart { up, pulse, awake, wall, last_dial, changed: &mut changed };
                let beat = heart.beat(&mut self.link, &self.order);
                tokio::select! {
                    biased;
                    () = up.closed() => Err(Beat::Closed),
                    beat = beat => Err(beat),
                    order = self.orders.recv() => Ok(order.ok_or(Stopped)?),
                    () = &mut vitals => return Err(Stopped),
                }
            };
            let order = match event {
                Ok(order) => order,
                // It was still to be seen whether it outlived the change.
                Err(Beat::Closed) if changed => return Ok(Beat::Stale),
                Err(beat) => return Ok(beat),
            };
            match order {
                Order::Redial => {}
                Order::Woke | Order::NetworkChanged => changed = true,
                Order::Watch(order) => {
                    let same = same_way(&self.order, &order);
                    let still_pinned = up.key().is_none_or(|key| order.pinned.contains(key));
                    self.adopt(*order);
                    if !(same && still_pinned) {
                        return Ok(Beat::Stale);
                    }
                }
            }
        }
    }
}

/// One connection's pings.
struct Heart<'a, U> {
    up: &'a U,
    pulse: &'a mut Pulse,
    awake: &'a mut Awake,
    wall: fn() -> SystemTime,
    last_dial: &'a mut Option<Instant>,
    /// This computer slept or its network changed, and no ping was answered since: what ends now is no loss.
    changed: &'a mut bool,
}

impl<U: Up> Heart<'_, U> {
    /// Pings at once, then looks on while that is done every 5 s, until a ping is not answered.
    async fn beat<L: Link<Up = U>>(self, link: &mut L, order: &WatchOrder) -> Beat<U> {
        let mut asked = None;
        loop {
            let started = asked.unwrap_or_else(Instant::now);
            let up = self.up;
            let ping = async move {
                match asked {
                    Some(at) => up.answers(at).await,
                    None => up.ping().await,
                }
            };
            tokio::pin!(ping);
            let mut until = started + self.patience();
            let answered = loop {
                tokio::select! {
                    answered = &mut ping => break answered,
                    () = sleep_until(until) => {}
                }
                if *self.changed {
                    return Beat::Stale;
                }
                if self.awake.slept((self.wall)(), Instant::now(), LOOKS) {
                    // The wait was slept through: the other side had no time to answer.
                    *self.changed = true;
                    until = Instant::now() + self.patience();
                    continue;
                }
                if !(self.pulse.is_lossy() && link.takes_two()) {
                    return Beat::Silent;
                }
                *self.last_dial = Some(Instant::now());
                let second = Box::pin(link.open(order, pulse::SECOND_OPINION));
                tokio::select! {
                    answered = &mut ping => break answered,
                    second = timeout(pulse::SECOND_OPINION, second) => return match second {
                        Ok(Ok(other)) => Beat::Replaced(other),
                        _ => Beat::Silent,
                    },
                }
            };
            if !answered {
                return Beat::Closed;
            }
            let slept = self.awake.slept((self.wall)(), Instant::now(), LOOKS);
            if !slept && !*self.changed {
                self.pulse.note(started.elapsed());
            }
            *self.changed = false;
            // Something that came just before the next keepalive puts it off once. Where nothing is asked for longer,
            // a new key exchange may hang: a ping tells.
            asked = timeout(3 * pulse::EVERY, self.up.asks_again(started)).await.ok();
        }
    }

    fn patience(&self) -> Duration {
        let hurried = *self.changed && !self.pulse.is_lossy();
        if hurried { PROBE } else { self.pulse.patience() }
    }
}

/// Reads the vitals at once and then every 30 s; ends only when nobody wants them any more.
async fn vital_signs<U: Up>(up: &U, name: Alias, out: mpsc::Sender<(Alias, Sight)>) {
    let mut next = Instant::now();
    while !out.is_closed() {
        sleep_until(next).await;
        next = Instant::now() + vitals::EVERY;
        // Boxed: between two readings, a reading takes no memory.
        let read = Box::pin(up.vitals()).await;
        if let Some(vitals) = read
            && out.send((name.clone(), Sight::Vitals(vitals))).await.is_err()
        {
            return;
        }
    }
}
