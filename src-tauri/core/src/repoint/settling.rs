//! What every change of a session shares: where it is written, how long it waits for another writer, why it failed.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::RelayTarget;
use moorline_ssh_files::{Alias, Fingerprint, InvalidName, SshDir, SshFilesError};

use crate::ssh::context::Tools;
use crate::ssh::verify::VerifyError;
use crate::store::config_toml::SessionsFileError;
use crate::store::installed_programs::ProxyProgramError;
use crate::store::pins_json::PinsError;
use crate::store::session_keys::SessionKeyError;
use crate::store::state_lock::StateLockError;

/// How long to wait for another writer.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The person's `.ssh` directory.
pub fn ssh_dir(tools: &Tools) -> SshDir {
    SshDir::new(&tools.dirs.ssh, tools.dirs.backups())
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// Another Moorline is writing.
    #[error(transparent)]
    Lock(#[from] StateLockError),
    /// The sessions file.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// The pins.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The ssh files.
    #[error(transparent)]
    SshFiles(#[from] SshFilesError),
    /// A path of this machine cannot stand in ssh's config.
    #[error("{0}; move your home or Moorline's data directory")]
    Path(#[from] InvalidName),
    /// ssh reads the entry differently from what was meant.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The person's `known_hosts` declares the key worthless.
    #[error(
        "line {line} of {file} revokes the key {print} ({kind}), so ssh would refuse it and {name} was left as it is; find out why it was revoked, and delete that line only if you know better"
    )]
    Revoked {
        /// The session.
        name: Alias,
        /// The key's fingerprint.
        print: Fingerprint,
        /// Its kind.
        kind: &'static str,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The program that proxied entries run could not be put in place.
    #[error(transparent)]
    ProxyProgram(#[from] ProxyProgramError),
    /// The session key.
    #[error(transparent)]
    SessionKey(#[from] SessionKeyError),
    /// A relay has the name of a session (the sessions file was edited by hand).
    #[error(
        "session {name} goes through the relay {relay}, which has the name of a session, and ssh would go round in circles; give the relay's own address in config.toml"
    )]
    RelayIsSession {
        /// The session.
        name: Alias,
        /// The relay.
        relay: RelayTarget,
    },
    /// Someone else changed the session between the question and the answer.
    #[error(
        "{0} was changed by another Moorline meanwhile, so nothing was written; look at how it is now, and try again"
    )]
    Overtaken(Alias),
}

impl SettleError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Verify(error) => error.next_step(),
            Self::SessionKey(error) => error.next_step(),
            Self::Overtaken(_) => Some(NextStep::LookAtStatus),
            _ => None,
        }
    }
}
