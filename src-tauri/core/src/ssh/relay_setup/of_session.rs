//! Preparing a session's own relay, remembering that it was prepared, and undoing that when the session is forgotten.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::{Link, RelayTarget, Session};
use moorline_model::session_key::SessionKey;
use moorline_ssh_files::Alias;

use super::key_line::RuntimeKey;
use super::prepare::{self, PrepareError, Prepared, Retired};
use crate::ssh::SystemSsh;
use crate::ssh::context::Tools;
use crate::ssh::reach::relay_ssh;
use crate::store::pins_json::{Pins, PinsError};
use crate::store::session_keys;
use crate::store::state_lock::{StateLock, StateLockError};

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Why a session's relay was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareSessionError {
    /// It goes another way.
    #[error("{0} does not go through a relay, so there is none to prepare")]
    NoRelay(Alias),
    /// It could not be remembered, so nothing was done.
    #[error(transparent)]
    Lock(#[from] StateLockError),
    /// It could not be remembered, so nothing was done.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] PrepareError),
}

impl PrepareSessionError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Relay(error) = self { error.next_step() } else { None }
    }
}

/// Lets the runtimes that have this session key in on the session's relay, with `ssh` as the person's own. An older
/// key's line is replaced. What is to be undone is remembered first.
///
/// # Errors
/// The session has no relay, or it cannot be reached or changed.
pub async fn prepare_session(
    tools: &Tools,
    ssh: &SystemSsh,
    session: &Session,
    key: &SessionKey,
    limit: Duration,
) -> Result<Prepared, PrepareSessionError> {
    let Link::Relay(link) = &session.link else {
        return Err(PrepareSessionError::NoRelay(session.name.clone()));
    };
    note(tools, &session.name, |relays| {
        let relay = link.relay.to_string();
        if !relays.contains(&relay) {
            relays.push(relay);
        }
    })?;
    let line = RuntimeKey::of(&session.name, key, link.port);
    Ok(prepare::prepare(ssh, &link.relay, &line, limit).await?)
}

/// The relays that were prepared for a session.
///
/// # Errors
/// The pins cannot be read.
pub fn prepared_relays(tools: &Tools, session: &Alias) -> Result<Vec<RelayTarget>, PinsError> {
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let relays = pins.get(session).map(|pin| pin.relays.clone()).unwrap_or_default();
    Ok(relays.iter().filter_map(|relay| relay.parse().ok()).collect())
}

/// Takes the session's key line and announcements off every relay that was prepared for it: what became of each.
///
/// # Errors
/// The pins cannot be read. A relay that cannot be reached is told in the list, and stays remembered.
pub async fn retire_session(
    tools: &Tools,
    session: &Session,
    limit: Duration,
) -> Result<Vec<(RelayTarget, Result<Retired, PrepareError>)>, PinsError> {
    let relays = prepared_relays(tools, &session.name)?;
    retire_all(tools, session, relays, limit).await
}

/// As [`retire_session`], for every relay but the one that the session goes through now; those that are clear again
/// are remembered no more.
///
/// # Errors
/// The pins cannot be read or written.
pub async fn retire_former(
    tools: &Tools,
    session: &Session,
    limit: Duration,
) -> Result<Vec<(RelayTarget, Result<Retired, PrepareError>)>, PrepareSessionError> {
    let now = match &session.link {
        Link::Relay(link) => Some(&link.relay),
        _ => None,
    };
    let mut relays = prepared_relays(tools, &session.name)?;
    relays.retain(|relay| Some(relay) != now);
    let outcomes = retire_all(tools, session, relays, limit).await?;
    let clear = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(relay, _)| relay.to_string());
    let clear: Vec<String> = clear.collect();
    if !clear.is_empty() {
        note(tools, &session.name, |relays| relays.retain(|relay| !clear.contains(relay)))?;
    }
    Ok(outcomes)
}

async fn retire_all(
    tools: &Tools,
    session: &Session,
    relays: Vec<RelayTarget>,
    limit: Duration,
) -> Result<Vec<(RelayTarget, Result<Retired, PrepareError>)>, PinsError> {
    if relays.is_empty() {
        return Ok(Vec::new());
    }
    let ssh = relay_ssh(tools, session);
    // Without a key only what the lines themselves name is taken away, which is all there should be.
    let kid = session_keys::load(&*tools.vault, &session.name).ok().flatten().map(|key| key.id());
    let mut outcomes = Vec::new();
    for relay in relays {
        let retired = prepare::retire(&ssh, &relay, &session.name, kid.as_slice(), limit).await;
        outcomes.push((relay, retired));
    }
    Ok(outcomes)
}

fn note(
    tools: &Tools,
    session: &Alias,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), PrepareSessionError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT)?;
    let mut pins = Pins::load(&tools.dirs.pins_file())?;
    change(&mut pins.entry(session).relays);
    pins.save()?;
    Ok(())
}
