//! Answering callers.

use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::door::{Door, LINE};
use super::line::{LineError, Lines, say};
use super::{cells, no_call};
use crate::agent::event::Event;
use crate::agent::run::{AgentHandle, Ended};
use crate::agent::snapshot::Snapshot;
use crate::agent::socket::protocol::{Answer, Call, Greeting, Numbered, PROTOCOL, Role, Said};
use crate::repoint::adding::view::{AddingView, Heard};
use crate::store::local_socket::same_user;

/// What a caller may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many may call at a time.
    pub callers: usize,
    /// How long a greeting, a line that was begun, or the reading of one may take.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { callers: 32, patience: Duration::from_secs(10) }
    }
}

/// After the system could not accept a caller: it may be out of files for a moment.
const PAUSE: Duration = Duration::from_millis(200);

impl Door {
    /// Answers callers until the agent has ended. The door is closed then.
    pub async fn serve(self, agent: AgentHandle, limits: Limits) {
        let mut callers = JoinSet::new();
        let mut snapshots = agent.snapshots();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(stream) => {
                        if callers.len() < limits.callers && same_user(&stream) {
                            callers.spawn(answer(stream, agent.clone(), limits));
                        } else {
                            tracing::warn!("a caller was turned away");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a caller could not be let in");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = callers.join_next() => {}
                changed = snapshots.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    }
}

async fn answer(stream: Stream, agent: AgentHandle, limits: Limits) {
    let (from, to) = tokio::io::split(stream);
    let lines = Lines::new(from, LINE, limits.patience);
    match Conversation::begin(lines, to, agent, limits).await {
        Ok(Some((conversation, lines))) => {
            if let Err(error) = conversation.go_on(lines).await {
                tracing::debug!(%error, "a caller is gone");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "a caller did not get past the greeting"),
    }
}

struct Conversation {
    to: WriteHalf<Stream>,
    agent: AgentHandle,
    role: Role,
    patience: Duration,
    follows: Option<watch::Receiver<Snapshot>>,
    events: Option<broadcast::Receiver<Event>>,
}

type Incoming = Lines<ReadHalf<Stream>>;

impl Conversation {
    async fn begin(
        mut lines: Incoming,
        mut to: WriteHalf<Stream>,
        agent: AgentHandle,
        limits: Limits,
    ) -> Result<Option<(Self, Incoming)>, LineError> {
        let patience = limits.patience;
        let Ok(first) = timeout(patience, lines.next()).await else {
            return Err(LineError::Slow(patience));
        };
        let Some(first) = first? else { return Ok(None) };
        let error = match serde_json::from_slice::<Greeting>(&first) {
            Ok(Greeting { protocol: PROTOCOL, role }) => {
                let (version, process) = (env!("CARGO_PKG_VERSION").to_owned(), std::process::id());
                say(&mut to, &Said::Welcome { protocol: PROTOCOL, version, process }, patience).await?;
                let (follows, events) = (None, None);
                return Ok(Some((Self { to, agent, role, patience, follows, events }, lines)));
            }
            Ok(Greeting { protocol, .. }) => format!(
                "the Moorline that runs speaks protocol {PROTOCOL}, not {protocol}: quit Moorline and start it again after an update"
            ),
            Err(_) => "the first line must be a greeting: {\"protocol\":1,\"role\":\"cli\"}".to_owned(),
        };
        say(&mut to, &Said::Refused { id: None, error }, patience).await?;
        Ok(None)
    }

    async fn go_on(mut self, mut lines: Incoming) -> Result<(), LineError> {
        // Reading goes on in a task of its own, so that half a line is not lost when something is to be said.
        let (sender, mut calls) = mpsc::channel(4);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            loop {
                let line = lines.next().await;
                let over = !matches!(line, Ok(Some(_)));
                if sender.send(line).await.is_err() || over {
                    return;
                }
            }
        });
        loop {
            tokio::select! {
                line = calls.recv() => match line {
                    Some(Ok(Some(line))) => self.hear(&line).await?,
                    Some(Err(error @ (LineError::TooLong(_) | LineError::Slow(_)))) => {
                        self.say(&Said::Refused { id: None, error: error.to_string() }).await?;
                        return Err(error);
                    }
                    Some(Err(error)) => return Err(error),
                    Some(Ok(None)) | None => return Ok(()),
                },
                snapshot = next_snapshot(&mut self.follows) => match snapshot {
                    Some(snapshot) => self.say(&Said::Snapshot { snapshot }).await?,
                    None => return Ok(()),
                },
                event = next_event(&mut self.events) => match event {
                    Ok(event) => self.say(&Said::Event { event }).await?,
                    Err(broadcast::error::RecvError::Lagged(events)) => {
                        self.say(&Said::Missed { events }).await?;
                    }
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    async fn hear(&mut self, line: &[u8]) -> Result<(), LineError> {
        let said = match serde_json::from_slice::<Numbered>(line) {
            Ok(Numbered { id, call }) => match self.meet(call).await {
                Ok(answer) => Said::Answer { id, answer },
                Err(error) => Said::Refused { id: Some(id), error },
            },
            Err(_) => Said::Refused { id: no_call::id(line), error: no_call::why(line) },
        };
        self.say(&said).await
    }

    async fn meet(&mut self, call: Call) -> Result<Answer, String> {
        if !self.role.may(&call) {
            return Err("a proxy may look, and nothing else".to_owned());
        }
        let ended = |ended: Ended| ended.to_string();
        match call {
            Call::Snapshot => Ok(Answer::Snapshot(self.agent.snapshots().borrow().clone())),
            Call::Follow => {
                let mut snapshots = self.agent.snapshots();
                let now = snapshots.borrow_and_update().clone();
                self.follows = Some(snapshots);
                Ok(Answer::Snapshot(now))
            }
            Call::Events => {
                self.events = Some(self.agent.events());
                Ok(Answer::Done)
            }
            Call::Ask { request } => {
                self.agent.ask(request).await.map_err(ended)??;
                Ok(Answer::Done)
            }
            Call::Compare { session } => {
                let found = self.agent.compare(session.clone()).await.map_err(ended)?;
                found.map(Answer::Comparison).ok_or_else(|| format!("there is no session {session}"))
            }
            Call::Add { wish } => Ok(adding(self.agent.adding()?.begin(wish))),
            Call::AddSay { conversation, question, say } => {
                Ok(match self.agent.adding()?.say(&conversation, question, say).await? {
                    Heard::Taken(view) => adding(view),
                    Heard::Stale(view) => Answer::Stale(Box::new(view)),
                })
            }
            Call::AddWait { conversation, revision } => {
                Ok(adding(self.agent.adding()?.wait(&conversation, revision).await?))
            }
            Call::AddEnd { conversation } => {
                self.agent.adding()?.end(&conversation);
                Ok(Answer::Done)
            }
            Call::FirstLook => cells::look(&self.agent).await,
            Call::MakeCell { wish } => cells::make(&self.agent, wish).await,
            Call::CopyCell { session, what } => cells::copy(&self.agent, session, what).await,
        }
    }

    async fn say(&mut self, said: &Said) -> Result<(), LineError> {
        say(&mut self.to, said, self.patience).await
    }
}

fn adding(view: AddingView) -> Answer {
    Answer::Adding(Box::new(view))
}

/// The next change; `None` when the agent has ended. Waits for ever if nobody follows.
async fn next_snapshot(follows: &mut Option<watch::Receiver<Snapshot>>) -> Option<Snapshot> {
    let Some(snapshots) = follows else { return std::future::pending().await };
    snapshots.changed().await.ok()?;
    Some(snapshots.borrow_and_update().clone())
}

/// The next event. Waits for ever if nobody wants any.
async fn next_event(
    events: &mut Option<broadcast::Receiver<Event>>,
) -> Result<Event, broadcast::error::RecvError> {
    let Some(events) = events else { return std::future::pending().await };
    events.recv().await
}
