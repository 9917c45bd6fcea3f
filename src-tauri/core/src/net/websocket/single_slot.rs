//! A way for one connection at a time: noted while this computer has it, and waited for when it will be free in a
//! moment.

use std::time::Duration;

use moorline_model::colab_runtime::EndpointId;
use tokio::time::Instant;

use super::edge::Edge;
use super::handshake::{Opened, open_apart};
use crate::net::error::CarryError;
use crate::store::colab_slot::{Holder, Slot, holder};
use crate::store::dirs::Dirs;

/// From one try to the next.
const AGAIN: Duration = Duration::from_millis(700);

/// How long another process of this computer is waited for. The agent's look at a host key takes less; what a person
/// holds open takes for ever.
const A_LOOK: Duration = Duration::from_secs(2);

/// The one slot of a Colab runtime.
#[derive(Debug, Clone)]
pub(super) struct Single {
    dirs: Dirs,
    runtime: EndpointId,
}

impl Single {
    pub fn of(dirs: &Dirs, runtime: &EndpointId) -> Self {
        Self { dirs: dirs.clone(), runtime: runtime.clone() }
    }

    /// Opens the way within `limit`, and notes it. Where a connection of this computer broke off, Google
    /// counts it for a while: then it is worth trying again.
    pub async fn open(&self, edge: &Edge, limit: Duration) -> Result<(Opened, Option<Slot>), CarryError> {
        let begun = Instant::now();
        loop {
            let before = holder(&self.dirs, &self.runtime);
            let slot = Slot::take(&self.dirs, &self.runtime);
            let refused = match open_apart(edge, limit.saturating_sub(begun.elapsed())).await {
                Ok(opened) => return Ok((opened, Some(slot))),
                Err(error) => error,
            };
            // Not noted as over: it was never ours.
            slot.leave();
            let CarryError::ColabTaken(_) = refused else { return Err(refused) };
            if begun.elapsed() + AGAIN >= worth_waiting(before).min(limit) {
                return Err(CarryError::ColabTaken(before));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

fn worth_waiting(holder: Holder) -> Duration {
    match holder {
        Holder::HalfOpen => Duration::MAX,
        // This process itself, perhaps: then it is about to end that one, or it needs to hear of it.
        Holder::Here(_) => A_LOOK,
        Holder::Elsewhere => Duration::ZERO,
    }
}
