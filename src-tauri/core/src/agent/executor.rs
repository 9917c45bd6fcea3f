//! The real world: watchers, files, editors, and the faces.

mod login_key;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moorline_model::clock;
use moorline_model::editor::Editor;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::adding_host::AddingHost;
use super::effect::{Effect, FileJob};
use super::file_jobs;
use super::message::{Msg, Request};
use super::run::{AgentHandle, Messages, World, start};
use super::ui::Faces;
use crate::announce::channels::listening::{self, Listening, Tidings};
use crate::editors::{self, EditorError, Launch, LaunchOptions, SearchEnv};
use crate::repoint::adding::clipboard::Clipboard;
use crate::ssh::context::Tools;
use crate::watch::order::Sight;
use crate::watch::{self, WatchTools, WatcherHandle};

/// Sights that wait.
const SIGHTS: usize = 256;

/// How long watchers may take leave.
const LEAVE: Duration = Duration::from_millis(1500);

/// Starts the agent in the real world. Must be called within a tokio runtime.
pub fn start_agent(
    tools: Arc<Tools>,
    faces: impl Faces,
    clipboard: Arc<dyn Clipboard>,
) -> (AgentHandle, JoinHandle<()>) {
    let (written, mut writes) = mpsc::unbounded_channel();
    let adding = Arc::new(AddingHost::new(Arc::clone(&tools), clipboard, written));
    let (agent, ended) = start(move |out| Hands::new(tools, faces, out), clock::moment);
    let told = agent.clone();
    tokio::spawn(async move {
        while writes.recv().await.is_some() {
            if told.send(Msg::Asked(Request::Reload)).await.is_err() {
                return;
            }
        }
    });
    (agent.with_adding(adding), ended)
}

/// What carries effects out on this computer.
struct Hands<F> {
    tools: Arc<Tools>,
    watching: Arc<WatchTools>,
    watchers: BTreeMap<Alias, WatcherHandle>,
    listening: BTreeMap<Alias, Listening>,
    news: mpsc::Sender<(Alias, Tidings)>,
    sights: mpsc::Sender<(Alias, Sight)>,
    jobs: mpsc::UnboundedSender<FileJob>,
    files: JoinHandle<()>,
    /// What goes on as long as the agent does.
    senses: JoinSet<()>,
    out: Messages,
    faces: F,
}

impl<F: Faces> Hands<F> {
    fn new(tools: Arc<Tools>, faces: F, out: Messages) -> Self {
        let (sights, seen) = mpsc::channel(SIGHTS);
        let (jobs, to_do) = mpsc::unbounded_channel();
        let files = tokio::spawn(file_jobs::work(Arc::clone(&tools), to_do, out.clone()));
        let mut senses = JoinSet::new();
        senses.spawn(file_jobs::look(Arc::clone(&tools), out.clone()));
        senses.spawn(hand_on(seen, out.clone(), |(name, sight)| Msg::Saw(name, sight)));
        let (news, heard) = mpsc::channel(SIGHTS);
        senses.spawn(hand_on(heard, out.clone(), |(name, heard)| match heard {
            Tidings::News(news) => Msg::Announced(name, news),
            Tidings::Lone(lone) => Msg::Alone(name, lone),
        }));
        let (shaken, shakes) = mpsc::channel(4);
        senses.spawn(watch::clock::watch(SystemTime::now, Msg::Woke, shaken.clone()));
        senses.spawn(watch::network::watch(Msg::NetworkChanged, shaken));
        senses.spawn(hand_on(shakes, out.clone(), |msg| msg));
        let home = tools.dirs.home.clone();
        let finder = out.clone();
        senses.spawn(async move {
            let found = tokio::task::spawn_blocking(move || {
                let search = SearchEnv::from_process(&home, false);
                offered(&search)
            });
            if let Ok(found) = found.await {
                finder.send(Msg::Found(found)).await;
            }
        });
        let watching = Arc::new(WatchTools::new(Arc::clone(&tools)));
        let (watchers, listening) = (BTreeMap::new(), BTreeMap::new());
        Self { tools, watching, watchers, listening, news, sights, jobs, files, senses, out, faces }
    }

    /// Runs what blocks away from the loop, and sends its outcome.
    fn errand(&self, run: impl FnOnce(&Tools) -> Option<Msg> + Send + 'static) {
        let (tools, out) = (Arc::clone(&self.tools), self.out.clone());
        tokio::spawn(async move {
            match tokio::task::spawn_blocking(move || run(&tools)).await {
                Ok(Some(msg)) => drop(out.send(msg).await),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "an errand broke off"),
            }
        });
    }
}

impl<F: Faces> World for Hands<F> {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Watch(order) => {
                if let Some(watcher) = self.watchers.get(&order.session.name) {
                    watcher.order(order);
                } else {
                    let name = order.session.name.clone();
                    let watcher = watch::spawn(order, Arc::clone(&self.watching), self.sights.clone());
                    self.watchers.insert(name, watcher);
                }
            }
            Effect::Unwatch(name) => drop(self.watchers.remove(&name)),
            Effect::Redial(name) => {
                if let Some(watcher) = self.watchers.get(&name) {
                    watcher.redial();
                }
            }
            Effect::Probe(name) => {
                if let Some(watcher) = self.watchers.get(&name) {
                    watcher.network_changed();
                }
            }
            Effect::Listen(session, settings) => {
                let (name, tools) = (session.name.clone(), Arc::clone(&self.tools));
                let listening = listening::start(tools, session, settings, self.news.clone());
                self.listening.insert(name, listening);
            }
            Effect::Unlisten(name) => drop(self.listening.remove(&name)),
            Effect::Heard(session, channel, outcome) => {
                tracing::debug!(%session, %channel, ?outcome, "an announcement came");
            }
            Effect::File(job) => {
                if job == FileJob::Reload {
                    self.watching.google.doubt();
                }
                if self.jobs.send(job).is_err() {
                    tracing::error!("nobody does the file work any more");
                }
            }
            Effect::InstallKey(session) => {
                tokio::spawn(login_key::install_key(Arc::clone(&self.tools), session, self.out.clone()));
            }
            Effect::Open { name, editor, folder, options } => self.errand(move |tools| {
                let opened = open(tools, &name, editor, folder.as_ref(), &options);
                opened.err().map(|error| Msg::NotOpened(name, error.to_string()))
            }),
            Effect::OpenNotebook { name, url } => self.errand(move |tools| {
                let search = SearchEnv::from_process(&tools.dirs.home, false);
                let link = Launch::Url(url.as_str().to_owned());
                let opened = editors::start(&link, &search, editors::clean_env(std::env::vars_os()));
                opened.err().map(|error| Msg::NotOpened(name, error.to_string()))
            }),
            Effect::Notify(notice) => self.faces.notify(notice),
            Effect::Unnotify(slot) => self.faces.unnotify(slot),
            Effect::ShowWindow(compare) => self.faces.show_window(compare),
        }
    }

    fn woke(&mut self) {
        self.watchers.values().for_each(WatcherHandle::woke);
    }

    fn network_changed(&mut self) {
        self.watchers.values().for_each(WatcherHandle::network_changed);
    }

    fn has_window(&self) -> bool {
        self.faces.has_window()
    }

    async fn finish(self) {
        let Self { watchers, listening, jobs, files, senses, .. } = self;
        drop((senses, jobs, listening));
        let leaving: Vec<_> = watchers.into_values().map(WatcherHandle::stop).collect();
        let all_left = async {
            for watcher in leaving {
                let _ = watcher.await;
            }
        };
        if tokio::time::timeout(LEAVE, all_left).await.is_err() {
            tracing::debug!("a watcher did not take leave in time");
        }
        // A half-written state is repaired at the next start, but there is no need for one.
        let _ = files.await;
    }
}

async fn hand_on<T>(mut from: mpsc::Receiver<T>, to: Messages, into: fn(T) -> Msg) {
    while let Some(item) = from.recv().await {
        if !to.send(into(item)).await {
            return;
        }
    }
}

/// The editors that are installed, and after them those that most people mean: without their programs, a link opens
/// them, or the person is told what to install.
fn offered(search: &SearchEnv) -> Vec<Editor> {
    let mut all: Vec<Editor> =
        Editor::ALL.into_iter().filter(|editor| editors::find(*editor, search).is_some()).collect();
    for editor in [Editor::VsCode, Editor::PyCharm] {
        if !all.contains(&editor) {
            all.push(editor);
        }
    }
    all
}

fn open(
    tools: &Tools,
    name: &Alias,
    editor: Editor,
    folder: Option<&RemotePath>,
    options: &LaunchOptions,
) -> Result<(), EditorError> {
    let search = SearchEnv::from_process(&tools.dirs.home, false);
    let plan = editors::launch_plan(editor, name, folder, &search, options)?;
    if let Err(error) = editors::note_platform(editor, name, &search) {
        tracing::info!(session = %name, %error, "the editor may ask for the platform");
    }
    editors::start(&plan, &search, editors::clean_env(std::env::vars_os())).map(drop)
}
