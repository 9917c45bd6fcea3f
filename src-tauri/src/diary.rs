//! The agent's life in the log, a line each, so that whoever looks for the cause of a trouble finds what happened and
//! when. Readings are left out: they come every few seconds.

use moorline_core::agent::event::{Event, What};
use moorline_core::agent::words;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};

/// Writes down what happens until the agent has ended.
pub async fn keep(mut events: Receiver<Event>) {
    info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "watching");
    loop {
        match events.recv().await {
            Ok(event) => write(&event.what),
            Err(RecvError::Lagged(missed)) => warn!(missed, "too much happened at once to be written down"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn write(what: &What) {
    match what {
        What::Watching { .. } | What::Vitals { .. } => {}
        What::Following { session, health } => info!(%session, "followed: {}", words::state(health)),
        What::Forgotten { session } => info!(%session, "not followed any more"),
        What::Health { session, words, .. } => info!(%session, "{words}"),
        What::Files { session, ok: true, .. } => info!(%session, "the ssh files are in order"),
        What::Files { session, problem, .. } => {
            warn!(%session, "the ssh files: {}", problem.as_deref().unwrap_or("not in order"));
        }
        What::LoginKey { session, ok: true, .. } => info!(%session, "installed the login key"),
        What::LoginKey { session, problem, .. } => {
            warn!(%session, "the login key: {}", problem.as_deref().unwrap_or("not installed"));
        }
        What::Announcement { session, channel, ok: true, .. } => {
            info!(%session, "its runtime announced itself ({channel})");
        }
        What::Announcement { session, channel, problem, .. } => {
            let problem = problem.as_deref().unwrap_or("no announcement");
            warn!(%session, "refused what came over {channel}: {problem}");
        }
        What::Notice(notice) => info!(slot = notice.slot, "said: {}. {}", notice.title, notice.body),
        What::NoticeOver { slot } => info!(slot, "taken back"),
    }
}
