//! Between the agent and the faces.

use std::sync::Arc;

use moorline_core::agent::adding_host::AddingHost;
use moorline_core::agent::executor::start_agent;
use moorline_core::agent::message::Request;
use moorline_core::agent::run::AgentHandle;
use moorline_core::agent::snapshot::{SessionView, Snapshot};
use moorline_core::agent::socket::{Door, Limits};
use moorline_core::agent::ui::ToShow;
use moorline_core::agent::wording;
use moorline_core::repoint::adding::clipboard::Clipboard;
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::context::Tools;
use moorline_core::store::config_toml::SessionsFile;
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::OsVault;
use moorline_model::health::{Health, Light};
use moorline_model::session::Session;
use moorline_model::settings::NoticeKind;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{command_line, diary, notify};

/// The faces' end of the agent.
#[derive(Debug)]
pub struct Feed {
    /// What the agent says; it closes when the agent ends. Without a bound, so that neither side ever waits for the
    /// other to listen.
    pub told: mpsc::UnboundedReceiver<ToShow>,
    /// What is asked of the agent, which ends when nobody can ask any more.
    pub asks: mpsc::Sender<Request>,
    /// The agent's conversations about new sessions; none where somebody plays the agent.
    pub adding: Option<Arc<AddingHost>>,
}

/// Starts the agent, which answers at this door. Needs a running tokio reactor.
///
/// Returns the feed; what is to be shown before it says anything: the sessions on file, which nobody watches yet; and
/// the agent's task, which ends in good order after the feed was dropped.
///
/// # Errors
/// There is no ssh.
pub fn start(
    dirs: &Dirs,
    door: Door,
    clipboard: Arc<dyn Clipboard>,
) -> anyhow::Result<(Feed, Snapshot, JoinHandle<()>)> {
    let (mut feed, tell, asked) = feed();
    let snapshot = match SessionsFile::load(&dirs.sessions_file()) {
        Ok(file) => unwatched(&file.sessions().values().cloned().collect::<Vec<_>>()),
        Err(error) => {
            tracing::error!(%error, "the sessions cannot be read");
            unwatched(&[])
        }
    };
    let (agent, ended) = start_agent(Arc::new(tools(dirs)?), tell.clone(), clipboard);
    feed.adding = agent.adding().ok().cloned();
    let ends = Ends { agent, ended };
    Ok((feed, snapshot, tokio::spawn(converse(door, ends, tell, asked))))
}

/// An agent that somebody plays through standard input and output. It has no door, so there may be several, and the
/// window has nobody to ask.
#[cfg(debug_assertions)]
pub fn rehearse() -> (Feed, Snapshot, JoinHandle<()>) {
    let (feed, tell, asked) = feed();
    (feed, unwatched(&[]), rehearsed::start(tell, asked))
}

fn feed() -> (Feed, mpsc::UnboundedSender<ToShow>, mpsc::Receiver<Request>) {
    let (tell, told) = mpsc::unbounded_channel();
    let (asks, asked) = mpsc::channel(64);
    (Feed { told, asks, adding: None }, tell, asked)
}

fn tools(dirs: &Dirs) -> anyhow::Result<Tools> {
    let ssh = SystemSsh::find(dirs.redirected.then_some(dirs.home.as_path()))?;
    let askpass = command_line::beside();
    Ok(Tools { vault: Box::new(OsVault::new()), ssh, dirs: dirs.clone(), askpass })
}

/// The agent's own ends.
struct Ends {
    agent: AgentHandle,
    ended: JoinHandle<()>,
}

/// Hands on in both directions until one side ends, and then ends the agent.
async fn converse(
    door: Door,
    Ends { agent, ended }: Ends,
    tell: mpsc::UnboundedSender<ToShow>,
    mut asked: mpsc::Receiver<Request>,
) {
    let diary = tokio::spawn(diary::keep(agent.events()));
    let serving = tokio::spawn(door.serve(agent.clone(), Limits::default()));
    let mut snapshots = agent.snapshots();
    loop {
        let told = tokio::select! {
            changed = snapshots.changed() => match changed {
                Ok(()) => ToShow::Snapshot(snapshots.borrow_and_update().clone()),
                Err(_) => break,
            },
            request = asked.recv() => match request {
                Some(request) => match ask(&agent, request).await {
                    Some(told) => told,
                    None => continue,
                },
                None => break,
            },
        };
        if tell.send(told).is_err() {
            break;
        }
    }
    agent.stop().await;
    for end in [ended.await, serving.await] {
        if let Err(error) = end {
            tracing::error!(%error, "the agent broke off");
        }
    }
    // All that happened was said before the agent ended.
    diary.abort();
}

/// Asks; what to tell the person if it cannot be.
async fn ask(agent: &AgentHandle, request: Request) -> Option<ToShow> {
    match agent.ask(request).await {
        Ok(Ok(())) => None,
        Ok(Err(sentence)) => {
            tracing::warn!("not done: {sentence}");
            let (kind, title) = (NoticeKind::Needed, "That cannot be done now");
            Some(ToShow::Notify(notify::of_the_tray(kind, title, sentence)))
        }
        Err(error) => {
            tracing::error!(%error, "the agent does not listen any more");
            None
        }
    }
}

/// The agent's part, played by whoever sits at standard input.
#[cfg(debug_assertions)]
mod rehearsed {
    use std::io::{BufRead as _, Write as _};
    use std::thread;

    use moorline_core::agent::message::Request;
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;

    use moorline_core::agent::ui::ToShow;

    pub fn start(tell: mpsc::UnboundedSender<ToShow>, mut asked: mpsc::Receiver<Request>) -> JoinHandle<()> {
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(told) => drop(tell.send(told)),
                    Err(error) => tracing::error!(%error, line, "not what an agent would say"),
                }
            }
        });
        tokio::spawn(async move {
            while let Some(request) = asked.recv().await {
                let _ = writeln!(std::io::stdout().lock(), "{request:?}");
            }
        })
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
        state: wording::state(&Health::Waiting),
        vitals: None,
        ends: None,
        last_editor: None,
        editors: Vec::new(),
        password_only: false,
        has_notebook: false,
        offered: None,
        rival: None,
        action: None,
    }
}
