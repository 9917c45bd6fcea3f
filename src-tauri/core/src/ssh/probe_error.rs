//! Why a runtime showed no host key.

use std::time::Duration;

use moorline_model::next_step::NextStep;

use super::failure::SshFailure;
use super::route::RouteError;

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
