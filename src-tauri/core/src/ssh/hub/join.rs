//! A proxy's side: finding the session's hub, starting it where there is none, and asking for a way.

use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interprocess::local_socket::Stream;
use moorline_model::next_step::NextStep;
use moorline_ssh_files::Alias;

use super::pump;
use super::start::{Started, start};
use super::wire::{Answer, Hello, PROTOCOL, Refusal, Want, line, read_line};
use crate::store::dirs::{Dirs, DirsError};
use crate::store::hub_place::HubPlace;
use crate::store::local_socket::same_user;

/// How long a hub may take until it lets people in; it does nothing but make a socket in that time.
const START: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// How long it may take to answer: longer than it takes to make a connection, and less than the 15 s after which ssh
/// gives up without a reason.
const ANSWER: Duration = Duration::from_millis(13_500);

/// A way to the runtime's sshd.
#[derive(Debug)]
pub struct Joined(Arc<Stream>);

/// Why there is no way through the hub.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The hub says why.
    #[error("{said}")]
    Refused {
        /// One sentence.
        said: String,
        /// What a person can do about it here.
        next: Option<NextStep>,
    },
    /// The hub's directory.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// Something else holds the hub's place.
    #[error("what listens at {session}'s hub is not yours; nothing was said to it")]
    Foreign {
        /// The session.
        session: Alias,
    },
    /// It was started, and ended at once.
    #[error("the hub of {session} did not start: {said}")]
    NotStarted {
        /// The session.
        session: Alias,
        /// Its own words.
        said: String,
    },
    /// It does not answer.
    #[error("the hub of {session} does not answer ({cause}); {next}", next = way_out(*process))]
    NoAnswer {
        /// The session.
        session: Alias,
        /// What happened.
        cause: String,
        /// The hub, where it is known.
        process: Option<u32>,
    },
}

impl JoinError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Refused { next, .. } = self { next.clone() } else { None }
    }
}

/// Asks the session's hub for a way; where none runs, `program` is started as one with `hub SESSION` and these
/// arguments. Blocks for as long as the hub takes to reach the runtime, which it bounds.
///
/// # Errors
/// No hub could be started, or it refuses; its sentence says why.
pub fn join(dirs: &Dirs, session: &Alias, program: &Path, extra: &[String]) -> Result<Joined, JoinError> {
    let place = HubPlace::of(dirs, session);
    place.make()?;
    let end = Instant::now() + START;
    loop {
        let stream = Arc::new(connect(&place, session, program, extra, end)?);
        match ask(&stream, &place, session, Want::Way)? {
            Some(Answer::Open) => return Ok(Joined(stream)),
            Some(Answer::Refused(Refusal { error: said, next })) => {
                return Err(JoinError::Refused { said, next });
            }
            // It was ending, or was ended: another one takes its place.
            None if Instant::now() < end => thread::sleep(POLL),
            None => return Err(no_answer(&place, session, "it hangs up")),
        }
    }
}

/// Ends the session's hub, if one runs, with everything that it carries, and waits for that.
///
/// # Errors
/// One runs, and cannot be asked.
pub fn end(dirs: &Dirs, session: &Alias) -> Result<(), JoinError> {
    let place = HubPlace::of(dirs, session);
    let socket = place.socket();
    if !socket.is_ours() {
        return Ok(());
    }
    let Ok(stream) = socket.connect_blocking() else { return Ok(()) };
    if !same_user(&stream) {
        return Err(JoinError::Foreign { session: session.clone() });
    }
    let stream = Arc::new(stream);
    if ask(&stream, &place, session, Want::End)?.is_some() {
        // It hangs up when it is over.
        in_time(&stream, |stream| read_line(stream)).map_err(|error| no_answer(&place, session, error))?;
    }
    Ok(())
}

/// The process that is the session's hub, if one runs.
pub fn process(dirs: &Dirs, session: &Alias) -> Option<u32> {
    HubPlace::of(dirs, session).process()
}

impl Joined {
    /// Carries bytes between these two and the runtime until either side ends.
    ///
    /// # Errors
    /// The person's side cannot be read or written.
    pub fn carry_standard_streams(self) -> io::Result<()> {
        pump::standard_streams(&self.0)
    }
}

fn connect(
    place: &HubPlace,
    session: &Alias,
    program: &Path,
    extra: &[String],
    end: Instant,
) -> Result<Stream, JoinError> {
    let socket = place.socket();
    let unusable = |error: io::Error| no_answer(place, session, error);
    let starting = place.starting().map_err(unusable)?;
    let mut started: Option<Started> = None;
    loop {
        if socket.is_ours() {
            match socket.connect_blocking() {
                Ok(stream) if same_user(&stream) => return Ok(stream),
                Ok(_) => return Err(JoinError::Foreign { session: session.clone() }),
                Err(error) if nobody_there(&error) => {}
                Err(error) => return Err(no_answer(place, session, error)),
            }
        }
        if Instant::now() > end {
            return Err(no_answer(place, session, "it does not let anybody in"));
        }
        // One of all that wait starts it; the lock is free again when that one has got in, or has ended.
        if let Some(hub) = &mut started {
            match hub.ended().map_err(unusable)? {
                None => {}
                // It found another one.
                Some(said) if said.trim().is_empty() => started = None,
                Some(said) => {
                    let said = said.trim().strip_prefix("moorline: ").unwrap_or(said.trim()).to_owned();
                    return Err(JoinError::NotStarted { session: session.clone(), said });
                }
            }
        } else {
            match starting.try_lock() {
                Ok(()) => started = Some(start(program, session, extra).map_err(unusable)?),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
        thread::sleep(POLL);
    }
}

/// `None` when the hub hangs up instead of answering.
fn ask(
    stream: &Arc<Stream>,
    place: &HubPlace,
    session: &Alias,
    want: Want,
) -> Result<Option<Answer>, JoinError> {
    let failed = |error: io::Error| no_answer(place, session, error);
    let hello = line(&Hello { hub: PROTOCOL, want }).map_err(failed)?;
    let heard = in_time(stream, move |mut stream| stream.write_all(&hello).and_then(|()| read_line(stream)));
    match heard {
        Ok(Some(said)) => serde_json::from_slice(&said).map(Some).map_err(|error| failed(error.into())),
        Ok(None) => Ok(None),
        Err(error) if hung_up(&error) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// What the hub says within [`ANSWER`]. A local socket has no limits in time on every system, so a thread waits for it;
/// one that waits in vain ends with this process.
fn in_time<T: Send + 'static>(
    stream: &Arc<Stream>,
    talk: impl FnOnce(&Stream) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (tell, told) = mpsc::sync_channel(1);
    let stream = Arc::clone(stream);
    let talking = thread::Builder::new().name("ask".to_owned()).stack_size(128 * 1024);
    talking.spawn(move || drop(tell.send(talk(&stream))))?;
    let silent = format!("it is silent for {} s", ANSWER.as_secs());
    told.recv_timeout(ANSWER).unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, silent)))
}

fn no_answer(place: &HubPlace, session: &Alias, cause: impl std::fmt::Display) -> JoinError {
    JoinError::NoAnswer { session: session.clone(), cause: cause.to_string(), process: place.process() }
}

fn way_out(process: Option<u32>) -> String {
    match process {
        Some(process) => format!("end it with `{}`, and try again", kill(process)),
        None => "try again in a minute".to_owned(),
    }
}

/// The command that ends a process which may be stuck.
pub(super) fn kill(process: u32) -> String {
    if cfg!(windows) { format!("taskkill /F /PID {process}") } else { format!("kill -9 {process}") }
}

fn nobody_there(error: &io::Error) -> bool {
    // A full backlog is somebody who is busy.
    use io::ErrorKind::{ConnectionRefused, NotFound, WouldBlock};
    matches!(error.kind(), NotFound | ConnectionRefused | WouldBlock)
}

fn hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), ConnectionReset | BrokenPipe | ConnectionAborted)
}
