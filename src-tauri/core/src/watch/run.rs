//! A watcher's loop: wait, dial, stand, and again.

use super::link::Link;
use super::order::Order;
use crate::net::backoff::{self, Backoff, PACE};
use crate::watch::order::{Sight, WatchOrder};
use moorline_model::cause::Obstacle;
use moorline_ssh_files::Alias;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long a dial may take.
pub(super) const DIAL: Duration = Duration::from_secs(15);

/// How long the first dial after a loss on a quick link may take: people are told within 5 s.
const FIRST_REDIAL: Duration = Duration::from_millis(4500);

/// One session's watcher.
pub(super) struct Watcher<L> {
    pub(super) link: L,
    pub(super) order: WatchOrder,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) out: mpsc::Sender<(Alias, Sight)>,
    pub(super) wall: fn() -> SystemTime,
    pub(super) last_dial: Option<Instant>,
    jitter: fn() -> f64,
    backoff: Backoff,
    /// The last dial ended in a refused login: only a person's doing changes that.
    refused: bool,
    /// Somebody asked for a dial while one was under way: if that one fails, the next follows at once.
    asked: bool,
}

/// Nobody wants to know any more.
pub(super) struct Stopped;

/// What a dial came to.
enum Dialled<U> {
    Up(U),
    Failed(Obstacle),
    /// Things changed meanwhile: dial anew, after this.
    Anew(Duration),
}

/// How a connection came to its end.
pub(super) enum Ending {
    /// It was lost, after it stood for so long; whether the way is a slow one.
    Lost { stood: Duration, slow: bool },
    /// It is replaced, since things changed on this side: that is no loss.
    Anew,
}

impl<L: Link> Watcher<L> {
    pub(super) fn new(
        link: L,
        order: WatchOrder,
        jitter: fn() -> f64,
        wall: fn() -> SystemTime,
        orders: mpsc::UnboundedReceiver<Order>,
        out: mpsc::Sender<(Alias, Sight)>,
    ) -> Self {
        let (backoff, last_dial) = (Backoff::default(), None);
        Self { link, order, orders, out, wall, last_dial, jitter, backoff, refused: false, asked: false }
    }

    pub(super) async fn run(mut self) {
        // The end of the orders or of the listener ends the watcher, wherever it is.
        let Err(Stopped) = self.watch().await;
    }

    async fn watch(&mut self) -> Result<std::convert::Infallible, Stopped> {
        let mut wait = self.turn();
        let mut limit = DIAL;
        loop {
            self.rest(wait).await?;
            (wait, limit) = match self.dial(limit).await? {
                Dialled::Up(up) => {
                    self.refused = false;
                    self.say(Sight::Online).await?;
                    // Boxed, as the dial is: what is not being done takes no memory.
                    match Box::pin(self.stand(up)).await? {
                        Ending::Lost { stood, slow } => {
                            let wait = self.backoff.lost(stood, (self.jitter)());
                            let limit = if slow { DIAL } else { FIRST_REDIAL.saturating_sub(self.pause()) };
                            (wait + backoff::spread(self.order.turn), limit)
                        }
                        Ending::Anew => {
                            self.backoff.forget();
                            (Duration::ZERO, DIAL)
                        }
                    }
                }
                Dialled::Failed(obstacle) => {
                    let turned_away = self.link.needs_a_person();
                    let for_a_person = turned_away || backoff::needs_a_person(&obstacle);
                    let wait = self.backoff.failed(for_a_person, (self.jitter)());
                    self.refused = turned_away || obstacle == Obstacle::Login;
                    self.say(Sight::Failed(obstacle)).await?;
                    if self.asked { (Duration::ZERO, DIAL) } else { (wait, DIAL) }
                }
                Dialled::Anew(wait) => (wait, DIAL),
            };
        }
    }

    /// How long to wait at the least, which keeps two dials a second apart.
    fn pause(&self) -> Duration {
        self.last_dial.map_or(Duration::ZERO, |last| (last + PACE).saturating_duration_since(Instant::now()))
    }

    /// Waits, never less than [`Watcher::pause`].
    async fn rest(&mut self, wait: Duration) -> Result<(), Stopped> {
        let earliest = Instant::now() + self.pause();
        let mut until = (Instant::now() + wait).max(earliest);
        loop {
            let order = tokio::select! {
                () = sleep_until(until) => return Ok(()),
                order = self.orders.recv() => order.ok_or(Stopped)?,
                () = self.out.closed() => return Err(Stopped),
            };
            let anew = match order {
                Order::Watch(order) => self.adopt(*order).then_some(Duration::ZERO),
                Order::Redial => Some(Duration::ZERO),
                Order::Woke | Order::NetworkChanged => (!self.refused).then(|| self.turn()),
            };
            if let Some(wait) = anew {
                self.backoff.forget();
                until = until.min((Instant::now() + wait).max(earliest));
            }
        }
    }

    async fn dial(&mut self, limit: Duration) -> Result<Dialled<L::Up>, Stopped> {
        self.say(Sight::Dialling).await?;
        self.last_dial = Some(Instant::now());
        self.asked = false;
        let order = {
            let mut open = Box::pin(self.link.open(&self.order, limit));
            loop {
                let told = tokio::select! {
                    opened = &mut open => return Ok(match opened {
                        Ok(up) => Dialled::Up(up),
                        Err(obstacle) => Dialled::Failed(obstacle),
                    }),
                    told = self.orders.recv() => told.ok_or(Stopped)?,
                };
                match told {
                    Order::Redial => self.asked = true,
                    Order::Watch(order)
                        if same_way(&self.order, &order) && self.order.pinned == order.pinned => {}
                    other => break other,
                }
            }
        };
        // What was begun before this computer slept, or for another endpoint, tells nothing.
        Ok(Dialled::Anew(match order {
            Order::Watch(order) => {
                self.adopt(*order);
                Duration::ZERO
            }
            _ => self.turn(),
        }))
    }

    /// Takes over what is to be watched; whether that changes how the runtime is reached or known.
    pub(super) fn adopt(&mut self, order: WatchOrder) -> bool {
        let changed = !same_way(&self.order, &order) || self.order.pinned != order.pinned;
        self.order = order;
        changed
    }

    /// This session's place among all that dial at the same time.
    fn turn(&self) -> Duration {
        backoff::turn(self.order.turn, (self.jitter)())
    }

    pub(super) async fn say(&mut self, sight: Sight) -> Result<(), Stopped> {
        let name = self.order.session.name.clone();
        self.out.send((name, sight)).await.map_err(|_| Stopped)
    }
}

/// Whether both orders lead to the same place in the same way.
pub(super) fn same_way(one: &WatchOrder, other: &WatchOrder) -> bool {
    let (one, other) = (&one.session, &other.session);
    one.link == other.link && one.user == other.user && one.identity_file == other.identity_file
}
