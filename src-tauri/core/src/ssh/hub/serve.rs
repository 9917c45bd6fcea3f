//! The hub itself: who comes in, and when it is over.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use moorline_ssh_files::Alias;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::copy_bytes::carry;
use super::join::kill;
use super::start::leave_starter;
use super::upstream::Upstream;
use super::wire::{Answer, Hello, LINE, PROTOCOL, Refusal, Want, line};
use crate::ssh::context::Tools;
use crate::store::dirs::DirsError;
use crate::store::hub_place::HubPlace;
use crate::store::local_socket::{DoorError, same_user};

/// What clients may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many there may be at a time.
    pub clients: usize,
    /// How long the hub stays when there is none.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clients: 128, idle: Duration::from_secs(60) }
    }
}

/// How long a client may take to say what it wants, and to read an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the first client has besides, to come at all.
const FIRST: Duration = Duration::from_secs(5);

/// After the system could not accept a client: it may be out of files for a moment.
const PAUSE: Duration = Duration::from_millis(200);

/// To one client too many.
const CROWDED: &str = "too many connections share this runtime; close one and try again";

/// The right to be the hub of a session. It ends with the process, whatever becomes of it.
pub struct Hub {
    // Fields are dropped in this order: the socket goes while the lock is held.
    listener: Listener,
    _lock: File,
    tools: Arc<Tools>,
    session: Alias,
    limits: Limits,
}

/// Why this process cannot be the hub.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Another one is; that is no failure.
    #[error("a hub of this session runs already")]
    AlreadyRunning,
    /// Its directory.
    #[error(transparent)]
    Dir(#[from] DirsError),
    /// Its socket's place.
    #[error(transparent)]
    Place(#[from] DoorError),
    /// The lock or the socket cannot be used.
    #[error("cannot use {path}: {source}; check the permissions of its directory")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Hub {
    /// Takes the session's place, and leaves whatever started this process. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Another hub has it, or it cannot be used.
    pub fn open(tools: Tools, session: Alias, limits: Limits) -> Result<Self, HubError> {
        leave_starter();
        let place = HubPlace::of(&tools.dirs, &session);
        place.make()?;
        let socket = place.socket();
        let unusable = |source| HubError::Unusable { path: socket.socket.clone(), source };
        let lock = place.lock().map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HubError::AlreadyRunning),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        HubPlace::note_process(&lock).map_err(unusable)?;
        socket.make()?;
        socket.clear().map_err(unusable)?;
        let listener = socket.listen().map_err(unusable)?;
        Ok(Self { listener, _lock: lock, tools: Arc::new(tools), session, limits })
    }

    /// Serves clients until there has been none for a while, one says that it shall end, or `stop` is over.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let upstream = Arc::new(Upstream::new(Arc::clone(&self.tools), self.session.clone()));
        let told_to_end = Arc::new(Notify::new());
        let mut clients = JoinSet::new();
        let mut idle_since = Instant::now() + FIRST;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(stream) if same_user(&stream) => {
                        let crowded = clients.len() >= self.limits.clients;
                        let (upstream, end) = (Arc::clone(&upstream), Arc::clone(&told_to_end));
                        clients.spawn(meet(stream, crowded, upstream, end));
                    }
                    Ok(_) => tracing::warn!("a stranger was turned away"),
                    Err(error) => {
                        tracing::warn!(%error, "a client could not be let in");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = clients.join_next() => idle_since = Instant::now(),
                () = tokio::time::sleep_until(idle_since + self.limits.idle), if clients.is_empty() => break,
                () = told_to_end.notified() => break,
                () = &mut stop => break,
            }
        }
        // Nobody comes in any more; whoever stands before the closed door starts the next hub.
        drop(self.listener);
        let _ = timeout(Duration::from_secs(1), upstream.leave()).await;
        clients.shutdown().await;
    }
}

async fn meet(stream: Stream, crowded: bool, upstream: Arc<Upstream>, end: Arc<Notify>) {
    match timeout(PATIENCE, hear(&stream)).await {
        Ok(Ok(Hello { hub: PROTOCOL, want: Want::Way })) if !crowded => match upstream.way().await {
            Ok((way, _held)) => {
                if say(&stream, &Answer::Open).await.is_ok() {
                    carry(&stream, way).await;
                } else {
                    let _ = way.channel.close().await;
                }
            }
            Err(why) => refuse(&stream, why).await,
        },
        Ok(Ok(Hello { hub: PROTOCOL, want: Want::Way })) => {
            refuse(&stream, CROWDED.to_owned().into()).await;
        }
        Ok(Ok(Hello { want: Want::End, .. })) => {
            let _ = say(&stream, &Answer::Open).await;
            end.notify_one();
            // Whoever asked hears of the end by being hung up on.
            std::future::pending::<()>().await;
        }
        Ok(Ok(Hello { hub, .. })) => {
            let error = format!(
                "a hub of another Moorline still runs (it speaks {PROTOCOL}, not {hub}); close what uses it, or \
                 end it with `{}`, and try again",
                kill(std::process::id())
            );
            refuse(&stream, error.into()).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a client did not say what it wants"),
        Err(_) => {}
    }
}

async fn refuse(stream: &Stream, why: Refusal) {
    let _ = say(stream, &Answer::Refused(why)).await;
}

async fn say(mut stream: &Stream, answer: &Answer) -> io::Result<()> {
    let line = line(answer)?;
    timeout(PATIENCE, stream.write_all(&line)).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// The client waits for the answer, so nothing may follow its line.
async fn hear(mut stream: &Stream) -> io::Result<Hello> {
    let mut heard = Vec::new();
    while heard.last() != Some(&b'\n') {
        if heard.len() > LINE || stream.read_buf(&mut heard).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    serde_json::from_slice(&heard).map_err(Into::into)
}
