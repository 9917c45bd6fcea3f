//! Learning a host key by the key exchange alone: no user name is sent, nobody logs in.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_ssh_files::{HostKey, KeyAlgorithm};
use tokio::time::Instant;

use super::client::{Accept, Exchange, exchange};
use super::failure::SshFailure;
use super::route::Route;
use crate::ssh::route::RouteError;

/// Why a runtime showed no host key.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No byte stream could be opened.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The connection was accepted and closed without a byte: the tunnel is up, sshd behind it is not.
    #[error("the tunnel answers but sshd behind it does not; start sshd in the notebook again")]
    ClosedAtOnce,
    /// The connection was accepted, then nothing came.
    #[error("something accepts the connection but stays silent for {} s; the runtime may be gone", after.as_secs())]
    Silent {
        /// The limit.
        after: Duration,
    },
    /// Something else than an SSH server answers.
    #[error("what answers there is not an SSH server (it says {said:?}); check the host and port")]
    NotSsh {
        /// Its first line, escaped and bounded.
        said: String,
    },
    /// The server greeted, but the key exchange failed.
    #[error("the SSH server's key exchange failed: {reason}")]
    KeyExchange {
        /// What went wrong.
        reason: String,
    },
    /// The proxy program gave up.
    #[error("{}", failure.sentence(host, &format!("ssh {host}")))]
    Proxy {
        /// Where it leads.
        host: String,
        /// Why.
        failure: SshFailure,
    },
}

impl ProbeError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Proxy { failure, .. } => failure.next_step(),
            Self::Route(error) => error.next_step(),
            _ => None,
        }
    }
}

/// Runs the key exchange over `route` and gives the key that the server has proven to hold: Ed25519 if it has
/// one, else ECDSA, else RSA. All of it within `limit`.
pub async fn host_key(route: &Route, limit: Duration) -> Result<HostKey, ProbeError> {
    host_key_preferring(route, &[], limit).await
}

/// As [`host_key`], but a server that has a key of the `first` types shows one of those.
pub async fn host_key_preferring(
    route: &Route,
    first: &[KeyAlgorithm],
    limit: Duration,
) -> Result<HostKey, ProbeError> {
    learn(route, Accept::Nothing(first.to_vec()), limit).await
}

/// The server's key of exactly this type.
///
/// # Errors
/// As [`host_key`]; [`ProbeError::KeyExchange`] where it has none of that type.
pub async fn host_key_of(
    route: &Route,
    algorithm: KeyAlgorithm,
    limit: Duration,
) -> Result<HostKey, ProbeError> {
    learn(route, Accept::NothingBut(algorithm), limit).await
}

async fn learn(route: &Route, accept: Accept, limit: Duration) -> Result<HostKey, ProbeError> {
    match exchange(route, accept, Instant::now() + limit).await? {
        Exchange::Stopped(key) => Ok(key),
        // Nothing is accepted, so the exchange never gets this far.
        Exchange::Ready(_) => Err(ProbeError::KeyExchange { reason: "it went past its host key".to_owned() }),
    }
}
