//! Between the agent and the faces.

use moorline_core::agent::health::{Health, Light};
use moorline_core::agent::msg::Request;
use moorline_core::agent::notice::Notice;
use moorline_core::agent::snapshot::{SessionView, Snapshot};
use moorline_core::agent::words;
use moorline_core::dirs::Dirs;
use moorline_core::session::Session;
use moorline_core::sessions_file::SessionsFile;
use moorline_core::ssh_files::Alias;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::args::Args;

/// What the agent says to the faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// Everything that is shown, as of now.
    Snapshot(Snapshot),
    /// Show this notification.
    Notify(Notice),
    /// Take the notification of this slot away.
    Unnotify(String),
    /// Show the window, on the compare view of a session if one is named.
    ShowWindow(Option<Alias>),
}

/// The faces' end of the agent.
#[derive(Debug)]
pub struct Feed {
    /// What the agent says; it closes when the agent ends.
    pub told: mpsc::Receiver<Told>,
    /// What is asked of the agent.
    pub asks: mpsc::Sender<Request>,
}

/// The feed, and what is to be shown before it says anything: the sessions on file, which nobody watches yet.
pub fn start(dirs: &Dirs, args: &Args) -> (Feed, Snapshot) {
    let (tell, told) = mpsc::channel(64);
    let (asks, asked) = mpsc::channel(64);
    let snapshot = match SessionsFile::load(&dirs.sessions_file()) {
        Ok(file) => unwatched(&file.sessions().values().cloned().collect::<Vec<_>>()),
        Err(error) => {
            tracing::error!(%error, "the sessions cannot be read");
            unwatched(&[])
        }
    };
    #[cfg(debug_assertions)]
    if args.feed {
        rehearsed::start(tell, asked);
        return (Feed { told, asks }, snapshot);
    }
    let _ = args;
    tokio::spawn(unanswered(tell, asked));
    (Feed { told, asks }, snapshot)
}

/// Stands where the agent will be.
async fn unanswered(tell: mpsc::Sender<Told>, mut asked: mpsc::Receiver<Request>) {
    while let Some(request) = asked.recv().await {
        tracing::warn!(?request, "nobody answers yet");
    }
    drop(tell);
}

/// The agent's part, played by whoever sits at standard input.
#[cfg(debug_assertions)]
mod rehearsed {
    use std::io::{BufRead as _, Write as _};
    use std::thread;

    use moorline_core::agent::msg::Request;
    use tokio::sync::mpsc;

    use super::Told;

    pub fn start(tell: mpsc::Sender<Told>, mut asked: mpsc::Receiver<Request>) {
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(told) => drop(tell.blocking_send(told)),
                    Err(error) => tracing::error!(%error, line, "not what an agent would say"),
                }
            }
        });
        tokio::spawn(async move {
            while let Some(request) = asked.recv().await {
                let _ = writeln!(std::io::stdout().lock(), "{request:?}");
            }
        });
    }
}

/// The snapshot before anything was watched: every session waits.
pub fn unwatched(sessions: &[Session]) -> Snapshot {
    Snapshot {
        light: Light::Idle,
        sessions: sessions.iter().map(waiting).collect(),
        snoozed_until: None,
        starts_at_login: false,
    }
}

fn waiting(session: &Session) -> SessionView {
    SessionView {
        name: session.name.clone(),
        link: session.link.kind().to_owned(),
        endpoint: String::new(),
        health: Health::Waiting,
        state: words::state(&Health::Waiting),
        vitals: None,
        ends: None,
        last_editor: None,
        editors: Vec::new(),
        password_only: false,
        has_notebook: false,
        action: None,
    }
}
