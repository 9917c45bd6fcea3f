//! The connection to a Colab runtime, which takes one at a time.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::session::Session;
use tokio::time::{Instant, timeout_at};

use super::held::Target;
use super::wire::Refusal;
use crate::net::error::CarryError;
use crate::net::websocket::Carrier;
use crate::ssh::context::Tools;
use crate::ssh::multiplexed::{Trunk, trunk};
use crate::ssh::reach::{self, ReachError};
use crate::ssh::route::RouteError;
use crate::ssh::{Identity, LoginError, ProbeError, Route};

/// What is left for the runtime itself when Google has answered late.
const FOR_THE_RUNTIME: Duration = Duration::from_secs(3);

/// Connects before `end`; see [`trunk`]. A token that the runtime does not take any more is renewed once. The outer
/// error says why none was made.
pub(super) async fn connect(
    tools: &Arc<Tools>,
    session: &Session,
    target: &Target,
    identity: &Identity,
    end: Instant,
) -> Result<Result<Option<Trunk>, LoginError>, Refusal> {
    let mut anew = false;
    loop {
        let route = Route::Carry(Box::new(carrier(tools, session, anew, end).await?));
        let left = end.saturating_duration_since(Instant::now());
        let reached = trunk(&route, &target.pinned, &session.user, identity, left).await;
        if anew || !expired(&reached) {
            return Ok(reached);
        }
        anew = true;
    }
}

async fn carrier(
    tools: &Arc<Tools>,
    session: &Session,
    anew: bool,
    end: Instant,
) -> Result<Carrier, Refusal> {
    let left = end.saturating_duration_since(Instant::now());
    let limit = left.checked_sub(FOR_THE_RUNTIME).unwrap_or(left);
    let (tools, session) = (Arc::clone(tools), session.clone());
    // The keyring blocks, and Google takes its time.
    let found = tokio::task::spawn_blocking(move || {
        if anew { reach::colab_anew(&tools, &session, limit) } else { reach::colab(&tools, &session, limit) }
    });
    // Google keeps to the limit; a keyring that waits for a person has one of its own, which is longer.
    let found = timeout_at(end, found)
        .await
        .map_err(|_| "the keyring did not answer in time; unlock it, and try again".to_owned())?;
    let found: Result<Carrier, ReachError> = found.map_err(|error| error.to_string())?;
    found.map_err(|error| Refusal { error: error.to_string(), next: error.next_step() })
}

fn expired(reached: &Result<Option<Trunk>, LoginError>) -> bool {
    let Err(LoginError::Probe(ProbeError::Route(RouteError::Carry(refusal)))) = reached else { return false };
    matches!(**refusal, CarryError::ColabExpired)
}
