//! The loop: one task owns the state, takes messages one after the other, and has the effects carried out.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moorline_ssh_files::Alias;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::adding_host::AddingHost;
use super::effect::Effect;
use super::event::{self, Event, What};
use super::message::{Msg, Request};
use super::rules::{objection, update};
use super::snapshot::{Comparison, Snapshot};
use super::state::State;

/// Messages that wait; whoever sends more waits with them.
const QUEUE: usize = 256;

/// Events that a slow reader may be behind before it misses some.
const EVENTS: usize = 1024;

/// While something is timed.
const TICK: Duration = Duration::from_secs(1);

/// To who asks an agent without a desktop for the window.
const WINDOWLESS: &str = "a terminal watches your sessions already, and it has no window; end it (Ctrl-C in that terminal), then start Moorline again";

/// What carries effects out. Each call starts something and returns at once.
pub trait World: Send + 'static {
    /// Starts to do it; an outcome comes back as a message.
    fn carry_out(&mut self, effect: Effect);
    /// This computer woke up: standing connections are tried.
    fn woke(&mut self);
    /// This computer's network changed: standing connections are tried.
    fn network_changed(&mut self);
    /// Whether there is a window to show.
    fn has_window(&self) -> bool {
        true
    }
    /// Takes leave: ends what runs, and waits for files that are being written.
    fn finish(self) -> impl Future<Output = ()> + Send;
}

/// The agent, from outside. Clones speak with the same agent; it ends by [`AgentHandle::stop`] alone.
#[derive(Debug, Clone)]
pub struct AgentHandle {
    inputs: mpsc::Sender<Input>,
    snapshots: watch::Receiver<Snapshot>,
    events: broadcast::Sender<Event>,
    adding: Option<Arc<AddingHost>>,
}

/// The agent has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Moorline has ended; start it again")]
pub struct Ended;

#[derive(Debug)]
enum Input {
    Msg(Box<Msg>),
    Ask(Request, oneshot::Sender<Result<(), String>>),
    Compare(Alias, oneshot::Sender<Option<Comparison>>),
    Stop,
}

/// The sending end for messages that come from the world.
#[derive(Debug, Clone)]
pub struct Messages(mpsc::Sender<Input>);

impl Messages {
    /// Sends; `false` when the agent has ended.
    pub async fn send(&self, msg: Msg) -> bool {
        self.0.send(Input::Msg(Box::new(msg))).await.is_ok()
    }

    /// Waits until the agent has ended.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// Starts the loop over a world of the caller's, which is made with the way back to the agent. `now` is the clock.
/// Must be called within a tokio runtime. Await the task to know that the agent has ended in good order.
pub fn start<W: World>(
    make: impl FnOnce(Messages) -> W,
    now: fn() -> Timestamp,
) -> (AgentHandle, JoinHandle<()>) {
    let (inputs, received) = mpsc::channel(QUEUE);
    let world = make(Messages(inputs.clone()));
    let state = State::default();
    let (show, snapshots) = watch::channel(state.snapshot());
    let (events, _) = broadcast::channel(EVENTS);
    let agent = Loop { state, world, now, show, events: events.clone() };
    let task = tokio::spawn(agent.run(received));
    (AgentHandle { inputs, snapshots, events, adding: None }, task)
}

impl AgentHandle {
    /// Sends a message; `Err` when the agent has ended.
    pub async fn send(&self, msg: Msg) -> Result<(), Ended> {
        self.inputs.send(Input::Msg(Box::new(msg))).await.map_err(|_| Ended)
    }

    /// Asks for something. `Ok(Err(sentence))` says why it cannot be.
    pub async fn ask(&self, request: Request) -> Result<Result<(), String>, Ended> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Ask(request, answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }

    /// The keys of a session; `None` if there is no such session. Where a key waits for an approval, the runtime is
    /// dialled again, so that a change of it is seen soon.
    pub async fn compare(&self, name: Alias) -> Result<Option<Comparison>, Ended> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Compare(name, answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }

    /// The same agent, which also has conversations about new sessions.
    #[must_use]
    pub fn with_adding(self, adding: Arc<AddingHost>) -> Self {
        Self { adding: Some(adding), ..self }
    }

    /// Its conversations about new sessions.
    ///
    /// # Errors
    /// It has none; one sentence.
    pub fn adding(&self) -> Result<&Arc<AddingHost>, String> {
        self.adding.as_ref().ok_or_else(|| "this agent adds nothing".to_owned())
    }

    /// What faces show, and every change of it. Closes when the agent ends.
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Asks the agent to end; its task ends when everything is put away.
    pub async fn stop(&self) {
        // One that has ended need not be told.
        let _ = self.inputs.send(Input::Stop).await;
    }
}

struct Loop<W> {
    state: State,
    world: W,
    now: fn() -> Timestamp,
    show: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
}

impl<W: World> Loop<W> {
    async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.take(Msg::FilesChanged);
        loop {
            let drop_due = self.state.next_drop().map(|due| until(due, (self.now)()));
            let input = tokio::select! {
                input = inputs.recv() => input,
                () = tokio::time::sleep(drop_due.unwrap_or_default()), if drop_due.is_some() => {
                    Some(Input::Msg(Box::new(Msg::Tick)))
                }
                _ = ticks.tick(), if self.state.wants_ticks() => Some(Input::Msg(Box::new(Msg::Tick))),
            };
            match input {
                Some(Input::Msg(msg)) => self.take(*msg),
                Some(Input::Ask(request, answer)) => {
                    let windowless = matches!(request, Request::Show(_)) && !self.world.has_window();
                    let objection = if windowless {
                        Some(WINDOWLESS.to_owned())
                    } else {
                        objection(&self.state, &request)
                    };
                    self.take(Msg::Asked(request));
                    // Whoever asked may have left.
                    let _ = answer.send(objection.map_or(Ok(()), Err));
                }
                Some(Input::Compare(name, answer)) => {
                    let found = self.state.comparison(&name);
                    if found.as_ref().is_some_and(|found| found.seen.is_some()) {
                        // What people compare should be what answers now, not what did a minute ago.
                        self.world.carry_out(Effect::Redial(name));
                    }
                    let _ = answer.send(found);
                }
                Some(Input::Stop) | None => break,
            }
        }
        drop(inputs);
        self.world.finish().await;
    }

    fn take(&mut self, msg: Msg) {
        match &msg {
            Msg::Woke => self.world.woke(),
            Msg::NetworkChanged => self.world.network_changed(),
            _ => {}
        }
        let now = (self.now)();
        let happened = event::happened(&msg);
        let effects = update(&mut self.state, msg, now);
        let say = |what: What| {
            // Nobody listening is no fault.
            let _ = self.events.send(Event { at: now, what });
        };
        happened.into_iter().for_each(say);
        let new = self.state.snapshot();
        let changed = *self.show.borrow() != new;
        if changed {
            event::between(&self.show.borrow(), &new).into_iter().for_each(say);
            self.show.send_replace(new);
        }
        effects.iter().filter_map(event::told).for_each(say);
        for effect in effects {
            self.world.carry_out(effect);
        }
    }
}

/// How long until `due`: a timer may fire a little early by this clock, so never nothing at all.
fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default().max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests;
