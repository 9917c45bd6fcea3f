//! The agent's life in the log, a line each, so that whoever looks for the cause of a trouble finds what happened and
//! when. Readings are left out: they come every few seconds.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use moorline_core::agent::event::{Event, What};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};

/// How often a refusal of one kind is written down: whoever can write to a channel can send nothing but those.
const REFUSAL: Duration = Duration::from_secs(60);

/// When refusals were written down last, and how many were not since.
#[derive(Default)]
struct Refusals(HashMap<[String; 3], (Instant, u64)>);

impl Refusals {
    /// Whether this one is written down, and how many of its kind it stands for.
    fn stands_for(&mut self, session: &str, channel: &str, problem: &str, now: Instant) -> Option<u64> {
        // Names and times in it, which come from the line, make no other kind.
        let kind = problem.split(['(', ':']).next().unwrap_or_default();
        let kind: String = kind.chars().filter(|c| !c.is_ascii_digit()).collect();
        let kind = [session.to_owned(), channel.to_owned(), kind];
        let Some((since, more)) = self.0.get_mut(&kind) else {
            self.0.insert(kind, (now, 0));
            return Some(1);
        };
        *more += 1;
        if now < *since + REFUSAL {
            return None;
        }
        *since = now;
        Some(std::mem::take(more))
    }
}

/// Writes down what happens until the agent has ended.
pub async fn keep(mut events: Receiver<Event>) {
    info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "watching");
    let mut refusals = Refusals::default();
    loop {
        match events.recv().await {
            Ok(event) => write(&event.what, &mut refusals),
            Err(RecvError::Lagged(missed)) => warn!(missed, "too much happened at once to be written down"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn write(what: &What, refusals: &mut Refusals) {
    match what {
        What::Watching { .. } | What::Vitals { .. } => {}
        What::Following { session, words, .. } => info!(%session, "followed: {words}"),
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
            let (name, way) = (session.to_string(), channel.to_string());
            if let Some(times) = refusals.stands_for(&name, &way, problem, Instant::now()) {
                warn!(%session, times, "refused what came over {channel}: {problem}");
            }
        }
        What::Notice(notice) => info!(slot = notice.slot, "said: {}. {}", notice.title, notice.body),
        What::NoticeOver { slot } => info!(slot, "taken back"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_written_once_a_minute_with_a_count() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        let mut written = Vec::new();
        for n in 0..=120_u32 {
            let now = start + Duration::from_secs(u64::from(n));
            let problem = format!("made under another key (kid{n}); run it again");
            written.extend(refusals.stands_for("colab", "ntfy", &problem, now).map(|times| (n, times)));
        }
        assert_eq!(written, [(0, 1), (60, 60), (120, 60)]);
        assert_eq!(refusals.stands_for("colab", "ntfy", "it is forged", start), Some(1), "another kind");
        assert_eq!(refusals.stands_for("colab", "folder", "it is forged", start), Some(1), "another way");
        assert_eq!(refusals.stands_for("colab", "ntfy", "it is forged", start), None);
    }
}
