//! The connection to a Colab runtime, which takes one at a time.

use std::sync::Arc;

use tokio::time::Instant;

use crate::carry::{Carrier, CarryError};
use crate::reach::{self, ReachError};
use crate::session::Session;
use crate::ssh::trunk::{Trunk, trunk};
use crate::ssh::{Identity, LoginError, ProbeError, Route, RouteError};
use crate::tools::Tools;

use super::upstream::Target;

/// Connects before `end`; see [`trunk`]. A token that the runtime does not take any more is renewed once. The outer
/// error is one sentence.
pub(super) async fn connect(
    tools: &Arc<Tools>,
    session: &Session,
    target: &Target,
    identity: &Identity,
    end: Instant,
) -> Result<Result<Option<Trunk>, LoginError>, String> {
    let mut anew = false;
    loop {
        let route = Route::Carry(Box::new(carrier(tools, session, anew).await?));
        let left = end.saturating_duration_since(Instant::now());
        let reached = trunk(&route, &target.pinned, &session.user, identity, left).await;
        if anew || !expired(&reached) {
            return Ok(reached);
        }
        anew = true;
    }
}

async fn carrier(tools: &Arc<Tools>, session: &Session, anew: bool) -> Result<Carrier, String> {
    let (tools, session) = (Arc::clone(tools), session.clone());
    // The keyring blocks, and Google takes its time.
    let found = tokio::task::spawn_blocking(move || {
        if anew { reach::colab_anew(&tools, &session) } else { reach::colab(&tools, &session) }
    });
    let found: Result<Carrier, ReachError> = found.await.map_err(|error| error.to_string())?;
    found.map_err(|error| error.to_string())
}

fn expired(reached: &Result<Option<Trunk>, LoginError>) -> bool {
    let Err(LoginError::Probe(ProbeError::Route(RouteError::Carry(refusal)))) = reached else { return false };
    matches!(**refusal, CarryError::ColabExpired)
}
