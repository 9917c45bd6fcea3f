//! The key of a Colab runtime's SSH server, learned through the TLS channel that Google vouches for.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::cause::Obstacle;
use moorline_ssh_files::HostKey;

use crate::net::error::CarryError;
use crate::ssh::context::Tools;
use crate::ssh::reach::{self, ReachError};
use crate::ssh::route::RouteError;
use crate::ssh::{ProbeError, Route, obstacle, probe};
use crate::watch::order::WatchOrder;

/// How long the key exchange may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Why no key was seen.
pub enum Unseen {
    /// Somebody holds the runtime's one SSH slot; one sentence.
    SlotTaken(String),
    /// Anything else.
    Other(Obstacle),
}

/// Runs a key exchange with the session's runtime, which holds its SSH slot for a moment. Nobody logs in. A token that
/// the runtime does not take any more is renewed once.
pub async fn seen(tools: &Arc<Tools>, order: &WatchOrder) -> Result<HostKey, Unseen> {
    match probe(tools, order, false).await {
        Err(error) if is(&error, |cause| matches!(cause, CarryError::ColabExpired)) => {}
        seen => return seen.map_err(|error| told(&error)),
    }
    probe(tools, order, true).await.map_err(|error| told(&error))
}

async fn probe(tools: &Arc<Tools>, order: &WatchOrder, anew: bool) -> Result<HostKey, ReachError> {
    let (tools, session) = (Arc::clone(tools), order.session.clone());
    // The keyring blocks.
    let found = tokio::task::spawn_blocking(move || {
        if anew {
            reach::colab_anew(&tools, &session, reach::GOOGLE)
        } else {
            reach::colab(&tools, &session, reach::GOOGLE)
        }
    });
    let broke = |error: tokio::task::JoinError| ProbeError::KeyExchange { reason: error.to_string() };
    let carrier = found.await.map_err(broke)??;
    let types: Vec<_> = order.pinned.iter().map(HostKey::algorithm).collect();
    Ok(probe::host_key_preferring(&Route::Carry(Box::new(carrier)), &types, LIMIT).await?)
}

fn told(error: &ReachError) -> Unseen {
    if is(error, |cause| matches!(cause, CarryError::ColabTaken(_))) {
        Unseen::SlotTaken(error.to_string())
    } else {
        Unseen::Other(obstacle::of_reach(error))
    }
}

fn is(error: &ReachError, what: impl Fn(&CarryError) -> bool) -> bool {
    matches!(error, ReachError::Probe(ProbeError::Route(RouteError::Carry(cause))) if what(cause))
}
