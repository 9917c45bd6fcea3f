//! What the tray process does: it brings together the agent's words, the tray, the notifications and the window.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use moorline_core::agent::adding_host::AddingHost;
use moorline_core::agent::menu::Event;
use moorline_core::agent::message::Request;
use moorline_core::agent::notice::{Notice, NoticeAction};
use moorline_core::agent::snapshot::Snapshot;
use moorline_core::agent::ui::ToShow;
use moorline_core::repoint::adding::Wish;
use moorline_core::repoint::adding::view::{Say, Stage};
use moorline_core::ssh::kept_secrets::{self, Kept};
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::OsVault;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::args::Args;
use crate::clipboard::ClipboardThread;
use crate::feed::Feed;
use crate::login_item::LoginItem;
use crate::notify::{self, Notifications};
use crate::tray::{Done, Look, Panel};
use crate::window_child::WindowChild;
use crate::wire::View;

/// How long a tray host may take to appear before the window is shown in its place. At login, panels start late.
pub const HOST_PATIENCE: Duration = Duration::from_secs(5);

/// Where a look is shown, and what people do there.
pub trait TrayFace {
    /// Shows it, if it is another than before.
    fn apply(&mut self, look: Look) -> impl Future<Output = ()>;
}

/// The parts that [`App::run`] brings together.
#[derive(Debug)]
pub struct App {
    /// The agent.
    pub feed: Feed,
    /// Start at login.
    pub login_item: LoginItem,
    /// The clipboard.
    pub clipboard: ClipboardThread,
    /// The notifications, where the desktop has any.
    pub notifications: Option<Notifications>,
    /// What is shown before the agent says anything.
    pub snapshot: Snapshot,
    /// What the icon lies on.
    pub panel: Panel,
    /// The window.
    pub window: WindowChild,
    /// What to show at once.
    pub first_view: Option<View>,
    /// What takes its time.
    pub errands: JoinSet<Report>,
}

/// How an errand went.
#[derive(Debug, Default)]
pub struct Report {
    /// What to tell the person: headline and text, and whether they are needed.
    said: Option<(NoticeKind, &'static str, String)>,
    /// What to show.
    show: Option<View>,
}

/// What reaches the app from outside, besides the agent's words.
#[derive(Debug)]
pub struct Doors {
    /// From the tray.
    pub done: mpsc::UnboundedReceiver<Done>,
    /// From the notifications.
    pub pressed: mpsc::UnboundedReceiver<NoticeAction>,
    /// From the desktop's settings.
    pub panel: mpsc::UnboundedReceiver<Panel>,
}

/// Whether to go on.
#[derive(Debug, PartialEq, Eq)]
enum Go {
    On,
    Quit,
}

impl App {
    /// Brings the parts together for this home: the feed comes with what is shown before it says anything.
    ///
    /// # Errors
    /// This program's own file, or a thread, is not to be had.
    pub fn new(
        dirs: &Dirs,
        args: &Args,
        (notifications, clipboard): (Option<Notifications>, ClipboardThread),
        (feed, mut snapshot): (Feed, Snapshot),
    ) -> anyhow::Result<Self> {
        let login_item = LoginItem::new(dirs, std::env::current_exe()?);
        snapshot.starts_at_login = login_item.is_on();
        let asked = args.window || args.compare.is_some();
        // Somebody who follows nothing yet has come to add something.
        let nothing = snapshot.sessions.is_empty();
        let first_view = if first_start(dirs) && nothing && feed.adding.is_some() {
            Some(View::Add(None))
        } else {
            asked.then(|| View::compare(args.compare.clone()))
        };
        Ok(Self {
            feed,
            login_item,
            clipboard,
            notifications,
            snapshot,
            panel: Panel::Dark,
            window: WindowChild::default(),
            first_view,
            errands: JoinSet::new(),
        })
    }

    /// Runs until somebody quits or the agent ends.
    pub async fn run(mut self, face: &mut impl TrayFace, mut doors: Doors) {
        let mut host_due = Some(Instant::now() + HOST_PATIENCE);
        if let Some(view) = self.first_view.take() {
            self.show(view, None).await;
        }
        loop {
            let patience = async {
                match host_due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let go = tokio::select! {
                told = self.feed.told.recv() => match told {
                    Some(told) => self.hear(told).await,
                    None => Go::Quit,
                },
                Some(done) = doors.done.recv() => match done {
                    Done::Chose { event, activation } => self.chosen(event, activation.as_deref()).await,
                    Done::Clicked { activation } => self.show(View::Sessions, activation.as_deref()).await,
                    Done::TryAgain => Go::On,
                    Done::Shown(shown) => {
                        host_due = (!shown).then(|| Instant::now() + HOST_PATIENCE);
                        Go::On
                    }
                },
                Some(action) = doors.pressed.recv() => self.pressed(action).await,
                Some(panel) = doors.panel.recv() => {
                    self.panel = panel;
                    Go::On
                }
                () = self.window.closed() => Go::On,
                Some(report) = self.errands.join_next() => self.report(report).await,
                () = patience => {
                    tracing::info!("no tray host: showing the window instead");
                    host_due = None;
                    self.show(View::Sessions, None).await
                }
            };
            if go == Go::Quit {
                return self.window.close().await;
            }
            face.apply(Look::of(&self.snapshot, self.panel)).await;
        }
    }

    async fn hear(&mut self, told: ToShow) -> Go {
        match told {
            ToShow::Snapshot(mut snapshot) => {
                // Only the desktop knows this one.
                snapshot.starts_at_login = self.login_item.is_on();
                self.snapshot = snapshot;
            }
            ToShow::Notify(notice) => self.notify(notice),
            ToShow::Unnotify(slot) => {
                if let Some(notifications) = &self.notifications {
                    notifications.withdraw(slot);
                }
            }
            ToShow::ShowWindow(compare) => return self.show(View::compare(compare), None).await,
        }
        Go::On
    }

    async fn chosen(&mut self, event: Event, activation: Option<&str>) -> Go {
        match event {
            Event::Ask(request) => self.ask(request).await,
            Event::ShowWindow(compare) => return self.show(View::compare(compare), activation).await,
            Event::Forget(name) => return self.show(View::Forget(name), activation).await,
            Event::OpenNotebook(name) => self.ask(Request::Pressed(NoticeAction::OpenNotebook(name))).await,
            Event::Add => return self.show(View::Add(None), activation).await,
            Event::AddFromClipboard => {
                if let Some(adding) = self.feed.adding.clone() {
                    drop(self.errands.spawn(add_from_clipboard(adding)));
                }
            }
            Event::CopyCommand(name) => self.clipboard.put(format!("ssh {name}")),
            Event::CopyPassword(name) => {
                drop(self.errands.spawn(copy_password(self.clipboard.clone(), name)));
            }
            Event::StartAtLogin(on) => {
                if let Err(error) = self.login_item.set(on) {
                    self.say("Start at login", format!("That could not be changed: {error}."));
                }
                self.snapshot.starts_at_login = self.login_item.is_on();
            }
            Event::Quit => return Go::Quit,
        }
        Go::On
    }

    async fn pressed(&mut self, action: NoticeAction) -> Go {
        match action {
            NoticeAction::ShowWindow => self.show(View::Sessions, None).await,
            NoticeAction::Compare(name) => self.show(View::Compare(name), None).await,
            other => {
                self.ask(Request::Pressed(other)).await;
                Go::On
            }
        }
    }

    async fn ask(&self, request: Request) {
        if self.feed.asks.send(request).await.is_err() {
            tracing::warn!("the agent does not listen any more");
        }
    }

    async fn show(&mut self, view: View, activation: Option<&str>) -> Go {
        if let Err(error) = self.window.show(&view, activation).await {
            tracing::error!(%error, "the window cannot be shown");
            self.say("Moorline's window cannot be shown", format!("{error}."));
        }
        Go::On
    }

    async fn report(&mut self, report: Result<Report, JoinError>) -> Go {
        match report {
            Ok(Report { said, show }) => {
                if let Some((kind, title, body)) = said {
                    self.say_as(kind, title, body);
                }
                if let Some(view) = show {
                    return self.show(view, None).await;
                }
            }
            Err(error) => tracing::error!(%error, "an errand broke off"),
        }
        Go::On
    }

    /// A notification of the tray's own, of something that did not work.
    fn say(&self, title: &str, body: String) {
        self.say_as(NoticeKind::Needed, title, body);
    }

    fn say_as(&self, kind: NoticeKind, title: &str, body: String) {
        self.notify(notify::of_the_tray(kind, title, body));
    }

    fn notify(&self, notice: Notice) {
        let Some(notifications) = &self.notifications else {
            return tracing::warn!(slot = notice.slot, "there are no notifications here");
        };
        notifications.show(notice);
    }
}

async fn copy_password(clipboard: ClipboardThread, name: Alias) -> Report {
    let of = name.clone();
    // The keyring blocks, and may ask the person first.
    let read = tokio::task::spawn_blocking(move || -> anyhow::Result<Kept> {
        Ok(kept_secrets::password_to_show(&Dirs::from_env()?, &OsVault::new(), &of)?)
    });
    let (title, body) = match read.await {
        Ok(Ok(Kept::Here(password))) => {
            clipboard.put_secret(password);
            return Report::default();
        }
        Ok(Ok(Kept::GivenFor(other))) => {
            ("The password is for another machine", format!("The one of {name} was given for {other}."))
        }
        Ok(Ok(Kept::None)) => ("No password is kept", format!("For {name} there is none in the keyring.")),
        Ok(Err(error)) => ("The password cannot be read", format!("For {name}: {error}.")),
        Err(error) => ("The password cannot be read", format!("For {name}: {error}.")),
    };
    Report { said: Some((NoticeKind::Needed, title, body)), show: None }
}

/// Adds what lies in the clipboard where nothing is to be asked, else shows the window where it goes on.
async fn add_from_clipboard(adding: Arc<AddingHost>) -> Report {
    let mut view = adding.begin(Wish::default());
    let id = view.id.clone();
    // An empty clipboard is no obstacle: the window says so, and waits for a text.
    if adding.say(&id, view.question, Say::Paste).await.is_ok() {
        while matches!(view.stage, Stage::Looks { .. }) {
            let Ok(next) = adding.wait(&id, view.revision).await else { break };
            view = next;
        }
        if let Stage::Done { outcome } = view.stage {
            adding.end(&id);
            let title = if outcome.new { "Added from the clipboard" } else { "Moved to the new machine" };
            let ready = if outcome.ssh_works == Some(true) { "Ready" } else { "Written" };
            let mut body = format!("{ready}: ssh {}.", outcome.name);
            for remark in outcome.remarks {
                body = format!("{body} {remark}.");
            }
            // Good news, which goes by itself as the news of a return does.
            return Report { said: Some((NoticeKind::Back, title, body)), show: None };
        }
    }
    Report { said: None, show: Some(View::Add(Some(id))) }
}

/// Whether the tray was never started in this home before. Without a state directory it is asked again next time.
fn first_start(dirs: &Dirs) -> bool {
    let greeted = dirs.state.join("greeted");
    if greeted.exists() {
        return false;
    }
    if let Err(error) = fs::create_dir_all(&dirs.state).and_then(|()| fs::write(&greeted, "")) {
        tracing::warn!(%error, "it cannot be remembered that the tray was started");
    }
    true
}
