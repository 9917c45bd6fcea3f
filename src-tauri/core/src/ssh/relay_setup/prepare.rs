//! Writing a runtime's key line on a relay, and taking it out again, over the person's own `ssh`.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::RelayTarget;
use moorline_model::session_key::KeyId;
use moorline_ssh_files::Alias;
use tokio::time::Instant;

use super::key_line::{self, OddFile, RuntimeKey};
use crate::ssh::remote_file::AUTHORIZED_KEYS;
use crate::ssh::{RemoteFileError, SshRunError, SystemSsh};

/// How often an edit starts anew when another program wrote the file meanwhile.
const TRIES: usize = 3;

/// Reads key ids, one a line, and removes what was announced under them; then what else Moorline made there, as far
/// as nothing of another session needs it.
const SWEEP: &str = concat!(
    "exec /bin/sh -c '",
    "d=$HOME/.moorline; a=$HOME/.ssh/authorized_keys; ",
    "while IFS= read -r k; do case $k in \"\"|*/*) ;; *) rm -f \"$d/$k\" \"$d/$k\".new.* ;; esac; done; ",
    "if [ -d \"$d\" ]; then set -- \"$d\"/*; [ -e \"$1\" ] || { rm -f \"$d/.lock\"; rmdir \"$d\"; }; fi; ",
    "grep -q \"^restrict,port-forwarding,permitlisten=.* moorline:\" \"$a\" 2>/dev/null || rm -f \"$a.moorline-backup\"; ",
    "exit 0'",
);

/// What preparing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The line was there.
    Unchanged,
    /// The line was added.
    Added,
    /// The line took the place of an older one of this session.
    Replaced,
}

/// What undoing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// There was no line of this session.
    Unchanged,
    /// Its line was taken out.
    Removed,
}

/// Why a relay was not prepared, or not cleared. Its files are as they were.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The file could not be read or written there.
    #[error(transparent)]
    File(#[from] RemoteFileError),
    /// The relay could not be asked.
    #[error(transparent)]
    Ssh(#[from] SshRunError),
    /// The file is of a kind that is not edited.
    #[error("~/.ssh/authorized_keys of {relay} is not edited: {cause}")]
    Odd {
        /// The relay.
        relay: String,
        /// What is odd about it.
        cause: OddFile,
    },
}

impl PrepareError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::File(error) => error.next_step(),
            Self::Ssh(error) => error.next_step(),
            Self::Odd { .. } => None,
        }
    }
}

/// Lets a session's runtime in on the relay: with this key, to listen on this port and to announce itself, and for
/// nothing else. Idempotent. An older line of the session goes in the same step, with what was announced under it.
///
/// # Errors
/// The relay cannot be reached or refuses; nothing was changed there.
pub async fn prepare(
    system: &SystemSsh,
    target: &RelayTarget,
    key: &RuntimeKey,
    limit: Duration,
) -> Result<Prepared, PrepareError> {
    let end = Instant::now() + limit;
    let edit = edit(system, target, end, |old| key_line::install(old, key)).await?;
    let Some(edit) = edit else { return Ok(Prepared::Unchanged) };
    let older: Vec<KeyId> = edit.dropped.into_iter().filter(|kid| *kid != key.kid).collect();
    if !older.is_empty() {
        sweep(system, target, &older, end).await?;
    }
    Ok(if edit.lines_dropped > 0 { Prepared::Replaced } else { Prepared::Added })
}

/// Takes a session's line and its announcements off the relay again. Idempotent. `known` are the ids of session keys
/// whose announcements go besides those of the lines that are found.
///
/// # Errors
/// The relay cannot be reached or refuses.
pub async fn retire(
    system: &SystemSsh,
    target: &RelayTarget,
    session: &Alias,
    known: &[KeyId],
    limit: Duration,
) -> Result<Retired, PrepareError> {
    let end = Instant::now() + limit;
    let edit = edit(system, target, end, |old| key_line::remove(old, session)).await?;
    let dropped = edit.iter().flat_map(|edit| &edit.dropped);
    let kids: Vec<KeyId> = dropped.chain(known).cloned().collect();
    sweep(system, target, &kids, end).await?;
    Ok(if edit.is_some() { Retired::Removed } else { Retired::Unchanged })
}

/// What a person does by hand where [`retire`] could not.
pub fn by_hand(target: &RelayTarget, session: &Alias) -> String {
    format!("remove the line that ends in `moorline:{session}` from ~/.ssh/authorized_keys on {target}")
}

/// Edits `authorized_keys`; `None` if there is nothing to change.
async fn edit(
    system: &SystemSsh,
    target: &RelayTarget,
    end: Instant,
    apply: impl Fn(&[u8]) -> Result<key_line::Edit, OddFile>,
) -> Result<Option<key_line::Edit>, PrepareError> {
    let mut tries = 1;
    loop {
        let held = AUTHORIZED_KEYS.read(system, target, end).await?;
        let old = held.bytes.as_deref().unwrap_or_default();
        let edit = apply(old).map_err(|cause| PrepareError::Odd { relay: target.to_string(), cause })?;
        if edit.bytes == old {
            return Ok(None);
        }
        match AUTHORIZED_KEYS.replace(system, target, &held, &edit.bytes, end).await {
            Ok(()) => return Ok(Some(edit)),
            Err(RemoteFileError::Busy { .. }) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn sweep(
    system: &SystemSsh,
    target: &RelayTarget,
    kids: &[KeyId],
    end: Instant,
) -> Result<(), SshRunError> {
    let mut input = String::new();
    for kid in kids {
        input.push_str(kid.as_str());
        input.push('\n');
    }
    let left = end.saturating_duration_since(Instant::now());
    system.run(target, SWEEP, Some(input.as_bytes()), left).await.map(drop)
}
