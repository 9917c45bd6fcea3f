//! Calling the agent.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::line::{LineError, Lines, say};
use crate::agent::message::Request;
use crate::agent::socket::protocol::{Answer, Call, Greeting, Numbered, PROTOCOL, Role, Said};
use crate::store::dirs::Dirs;
use crate::store::local_socket::{Place, same_user};

/// The longest line that is taken from an agent: a snapshot of very many sessions.
const LINE: usize = 16 * 1024 * 1024;

/// How long the agent may take to let somebody in, and to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take where it waits for a person: a keyring to unlock, a relay's key to touch, twice.
const PATIENCE_FOR_A_PERSON: Duration = Duration::from_secs(180);

/// How long it may take where it asks Google.
const PATIENCE_FOR_GOOGLE: Duration = Duration::from_secs(15);

/// A conversation with the agent.
#[derive(Debug)]
pub struct Caller {
    lines: Lines<ReadHalf<Stream>>,
    to: WriteHalf<Stream>,
    last: u64,
    /// What came while an answer was waited for.
    heard: VecDeque<Said>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The agent says no; its sentence.
    #[error("{0}")]
    Refused(String),
    /// It does not answer.
    #[error("Moorline does not answer ({cause}); quit it and start it again")]
    NoAnswer {
        /// What happened.
        cause: String,
    },
    /// Something else holds the agent's place.
    #[error("what listens at Moorline's place is not yours; nothing was said to it")]
    Foreign,
}

impl Caller {
    /// Calls the agent of this home; `None` when none runs.
    ///
    /// # Errors
    /// There is one, and it does not let us in.
    pub async fn connect(dirs: &Dirs, role: Role) -> Result<Option<Self>, CallError> {
        let place = Place::of(dirs);
        if !place.is_ours() {
            return Ok(None);
        }
        let stream = match timeout(PATIENCE, place.connect()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) if nobody_there(&error) => return Ok(None),
            Ok(Err(error)) => return Err(no_answer(error)),
            Err(_) => return Err(no_answer("it does not let anybody in")),
        };
        if !same_user(&stream) {
            return Err(CallError::Foreign);
        }
        let (from, to) = tokio::io::split(stream);
        let lines = Lines::new(from, LINE, PATIENCE);
        let mut caller = Self { lines, to, last: 0, heard: VecDeque::new() };
        say(&mut caller.to, &Greeting { protocol: PROTOCOL, role }, PATIENCE).await.map_err(no_answer)?;
        match caller.within(PATIENCE).await? {
            Some(Said::Welcome { .. }) => Ok(Some(caller)),
            Some(Said::Refused { error, .. }) => Err(CallError::Refused(error)),
            Some(_) => Err(no_answer("it does not greet")),
            // It was ending.
            None => Ok(None),
        }
    }

    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    /// The agent refuses, or does not answer in time.
    pub async fn call(&mut self, call: Call) -> Result<Answer, CallError> {
        self.last += 1;
        let own = self.last;
        let patience = patience(&call);
        say(&mut self.to, &Numbered { id: own, call }, PATIENCE).await.map_err(no_answer)?;
        loop {
            match self.within(patience).await? {
                Some(Said::Answer { id, answer }) if id == own => return Ok(answer),
                Some(Said::Refused { id, error }) if id.is_none_or(|id| id == own) => {
                    return Err(CallError::Refused(error));
                }
                Some(other) => self.heard.push_back(other),
                None => return Err(no_answer("it has ended")),
            }
        }
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// As [`Caller::call`].
    pub async fn ask(&mut self, request: Request) -> Result<(), CallError> {
        self.call(Call::Ask { request }).await.map(drop)
    }

    /// Waits for what the agent says by itself, for as long as it takes; `None` when it has ended.
    ///
    /// # Errors
    /// What it says is not understood.
    pub async fn next(&mut self) -> Result<Option<Said>, CallError> {
        match self.heard.pop_front() {
            Some(said) => Ok(Some(said)),
            None => self.read().await,
        }
    }

    async fn within(&mut self, patience: Duration) -> Result<Option<Said>, CallError> {
        timeout(patience, self.read()).await.map_err(|_| no_answer("it is silent"))?
    }

    async fn read(&mut self) -> Result<Option<Said>, CallError> {
        match self.lines.next().await {
            Ok(Some(line)) => serde_json::from_slice(&line).map(Some).map_err(no_answer),
            Ok(None) => Ok(None),
            Err(LineError::Broken(error)) if hung_up(&error) => Ok(None),
            Err(error) => Err(no_answer(error)),
        }
    }
}

fn patience(call: &Call) -> Duration {
    match call {
        Call::MakeCell { .. } | Call::CopyCell { .. } => PATIENCE_FOR_A_PERSON,
        Call::FirstLook => PATIENCE_FOR_GOOGLE,
        _ => PATIENCE,
    }
}

fn no_answer(cause: impl std::fmt::Display) -> CallError {
    CallError::NoAnswer { cause: cause.to_string() }
}

fn nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
