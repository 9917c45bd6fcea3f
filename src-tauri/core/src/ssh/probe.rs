//! Learning a host key by the key exchange alone: no user name is sent, nobody logs in.

use std::time::Duration;

use moorline_ssh_files::{HostKey, KeyAlgorithm};
use tokio::time::Instant;

use super::client::{Accept, Exchange, exchange};
use super::probe_error::ProbeError;
use super::route::Route;

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
