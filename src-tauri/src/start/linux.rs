//! One thread does everything: the tray, the notifications and the agent only wait, most of the time.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use moorline_app::app::{App, Doors, TrayFace};
use moorline_app::args::Args;
use moorline_app::clipboard::ClipboardThread;
use moorline_app::feed::{self, Feed};
use moorline_app::notify::{self, Notifications};
use moorline_app::tray::status_item::StatusItem;
use moorline_app::tray::{Done, Look, watch_panel};
use moorline_app::{log, place};
use moorline_core::agent::snapshot::Snapshot;
use moorline_core::store::dirs::Dirs;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zbus::Connection;

/// How often a tray is tried when the session bus or the host refuses it.
const RETRY: Duration = Duration::from_secs(5);

pub fn run(args: Args) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tray(args))
}

async fn tray(args: Args) -> anyhow::Result<()> {
    let dirs = Dirs::from_env()?;
    let clipboard = ClipboardThread::start()?;
    let (feed, snapshot, agent) = match feed(&dirs, &args, &clipboard).await {
        Ok(Some(parts)) => parts,
        Ok(None) => return Ok(()),
        Err(error) => {
            excuse(&error).await;
            return Err(error);
        }
    };
    let (done, done_door) = mpsc::unbounded_channel();
    let (pressed, pressed_door) = mpsc::unbounded_channel();
    let (panel, panel_door) = mpsc::unbounded_channel();
    let mut app = App::new(&dirs, &args, (None, clipboard), (feed, snapshot))?;
    // The icon first: the rest may take its time.
    let mut face = Face { item: None, done, resting: Arc::default() };
    face.apply(Look::of(&app.snapshot, app.panel)).await;
    match Connection::session().await {
        Ok(bus) => {
            app.notifications =
                Notifications::start(&bus, pressed).await.map_err(|error| tracing::warn!(%error)).ok();
            tokio::spawn(watch_panel(bus, panel));
        }
        Err(error) => tracing::warn!(%error, "no session bus: neither tray nor notifications"),
    }
    let doors = Doors { done: done_door, pressed: pressed_door, panel: panel_door };
    tokio::select! {
        () = app.run(&mut face, doors) => {}
        signal = ended() => tracing::info!(signal, "ended from outside"),
        () = quit_time(&args) => {}
    }
    // The app is gone, so the agent takes its leave: no file stays half written.
    agent.await.context("the agent broke off")
}

/// The agent, once this is the tray; `None` when another is, and shows its window now.
async fn feed(
    dirs: &Dirs,
    args: &Args,
    clipboard: &ClipboardThread,
) -> anyhow::Result<Option<(Feed, Snapshot, JoinHandle<()>)>> {
    #[cfg(debug_assertions)]
    if args.feed {
        log::start(dirs, "tray")?;
        return Ok(Some(feed::rehearse()));
    }
    let Some(door) = place::take(dirs, args.compare.as_ref()).await? else { return Ok(None) };
    log::start(dirs, "tray")?;
    feed::start(dirs, door, Arc::new(clipboard.clone())).map(Some)
}

/// Whoever starts the tray from a menu sees no terminal.
async fn excuse(error: &anyhow::Error) {
    if std::io::stderr().is_terminal() {
        return;
    }
    let told = async {
        notify::announce(&Connection::session().await?, "Moorline does not start", &format!("{error:#}."))
            .await
    };
    if let Err(error) = told.await {
        tracing::debug!(%error, "there are no notifications here");
    }
}

/// The tray, or the wish for one.
struct Face {
    item: Option<StatusItem>,
    done: mpsc::UnboundedSender<Done>,
    // Set while a next try is due.
    resting: Arc<AtomicBool>,
}

impl TrayFace for Face {
    async fn apply(&mut self, look: Look) {
        if let Some(item) = &mut self.item {
            item.apply(look).await;
            return;
        }
        if self.resting.load(Ordering::Relaxed) {
            return;
        }
        match StatusItem::start(look, self.done.clone()).await {
            Ok(item) => self.item = Some(item),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "no tray");
                self.resting.store(true, Ordering::Relaxed);
                let (resting, done) = (Arc::clone(&self.resting), self.done.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(RETRY).await;
                    resting.store(false, Ordering::Relaxed);
                    let _ = done.send(Done::TryAgain);
                });
            }
        }
    }
}

/// Waits for the session's end or a Ctrl-C.
async fn ended() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => "SIGTERM",
        () = wait(SignalKind::interrupt()) => "SIGINT",
        () = wait(SignalKind::hangup()) => "SIGHUP",
    }
}

async fn quit_time(args: &Args) {
    #[cfg(debug_assertions)]
    if let Some(seconds) = args.quit_after {
        return tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    let _ = args;
    std::future::pending::<()>().await;
}
