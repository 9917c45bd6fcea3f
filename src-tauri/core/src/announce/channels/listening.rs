//! Listening to all channels of one session: one task that holds the key, checks every line and passes on what is
//! genuine.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::announcement::{self, Announcement, Refusal};
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::session::{Link, Session};
use moorline_model::session_key::SessionKey;
use moorline_ssh_files::{Alias, Place};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::brake::Filter;
use super::channel::{Channel as _, Ear, Heard, Lone, Post};
use super::keyring::{ASK_AGAIN, pause};
use super::{ngrok, open};
use crate::ssh::context::Tools;
use crate::store::session_keys;

/// Lines that wait to be checked.
const LINES: usize = 16;

/// For one who only looks: what is there comes in one go.
const QUIET: Duration = Duration::from_millis(500);

/// More is noise.
const MOST: usize = 256;

/// Where what was heard goes.
pub type Out = mpsc::Sender<(Alias, Tidings)>;

/// What is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tidings {
    /// A line that was checked.
    News(Box<News>),
    /// A place that nobody announced.
    Lone(Lone),
}

/// What came over a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// How it came.
    pub channel: ChannelKind,
    /// A genuine announcement and the place that the channel knows, or why a line is none.
    pub said: Result<(Announcement, Option<Place>), Refusal>,
    /// The host key that is derived from the key under which it was made.
    pub derived: moorline_ssh_files::HostKey,
}

/// Listening that goes on. Dropping it ends all of it.
#[derive(Debug)]
pub struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to listen for one session. Must be called within a tokio runtime.
pub fn start(tools: Arc<Tools>, session: Session, settings: ChannelSettings, out: Out) -> Listening {
    Listening(tokio::spawn(async move {
        let name = session.name.clone();
        let mut key = look_for_key(&tools, &name).await;
        if key.is_none() {
            tokio::select! {
                found = wait_for_key(&tools, &name, &out) => key = found,
                () = without_key(&tools, &session, &settings, &out) => {}
            }
        }
        let Some(key) = key else { return };
        let post = Post { session, kid: key.id(), topic: key.topic(), settings, tools };
        listen(&post, &key, &out).await;
    }))
}

/// Listens to every channel of the post, until nobody wants to hear any more.
pub async fn listen(post: &Post, key: &SessionKey, out: &Out) {
    let (ear, mut heard) = mpsc::channel(LINES);
    let mut channels = JoinSet::new();
    for kind in &post.settings.channels {
        match open(*kind, post) {
            Some(channel) => drop(channels.spawn(channel.listen(Ear::new(*kind, ear.clone())))),
            None => {
                tracing::info!(session = %post.session.name, channel = %kind, "there is no such channel here");
            }
        }
    }
    drop(ear);
    let (mac, derived) = (key.announcement_key(), key.host_key());
    let mut filter = Filter::default();
    loop {
        let (channel, heard) = tokio::select! {
            heard = heard.recv() => match heard {
                Some(heard) => heard,
                None => return,
            },
            () = out.closed() => return,
        };
        let tidings = match heard {
            Heard::Line { line, place } => {
                let (said, now) = (announcement::open(&line, &post.kid, &mac), Instant::now());
                let passes = filter.passes(channel, &said, now);
                if let Some(lines) = filter.left_out(now) {
                    let session = &post.session.name;
                    tracing::warn!(%session, %channel, lines, "too much noise: these lines were left out");
                }
                if !passes {
                    continue;
                }
                let said = said.map(|said| (said, place));
                Tidings::News(Box::new(News { channel, said, derived: derived.clone() }))
            }
            Heard::Lone(lone) => Tidings::Lone(lone),
        };
        if out.send((post.session.name.clone(), tidings)).await.is_err() {
            return;
        }
    }
}

/// What a session's channels hold now: listens until nothing came for a moment, `limit` at most, and gives what is
/// genuine, in the order in which it came. For programs that do not stay; the agent listens all the time.
pub async fn gather(post: &Post, key: &SessionKey, limit: Duration) -> Vec<News> {
    let (out, mut heard) = mpsc::channel(LINES);
    let end = Instant::now() + limit;
    let mut all = Vec::new();
    let collect = async {
        let mut until = end;
        while let Ok(Some((_, tidings))) = tokio::time::timeout_at(until, heard.recv()).await {
            let Tidings::News(news) = tidings else { continue };
            until = end.min(Instant::now() + QUIET);
            all.push(*news);
            if all.len() == MOST {
                break;
            }
        }
    };
    tokio::select! {
        () = listen(post, key, &out) => {}
        () = collect => {}
    }
    all.retain(|news| news.said.is_ok());
    all
}

/// What can be heard of a session that has no session key: no announcement can be read, but ngrok's list may hold a
/// single endpoint. Ends when nobody wants to hear any more.
async fn without_key(tools: &Arc<Tools>, session: &Session, settings: &ChannelSettings, out: &Out) {
    if !matches!(session.link, Link::Ngrok(_)) || !settings.channels.contains(&ChannelKind::Ngrok) {
        return out.closed().await;
    }
    let (ear, mut heard) = mpsc::channel(LINES);
    let account = Box::new(ngrok::Ngrok::new(session, None, tools));
    let pass_on = async {
        while let Some((_, heard)) = heard.recv().await {
            let Heard::Lone(lone) = heard else { continue };
            if out.send((session.name.clone(), Tidings::Lone(lone))).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = account.listen(Ear::new(ChannelKind::Ngrok, ear)) => {}
        () = pass_on => {}
        () = out.closed() => {}
    }
}

/// The session's key as soon as the keyring gives it, which did not a moment ago; `None` if nobody waits any more.
async fn wait_for_key(tools: &Arc<Tools>, name: &Alias, out: &Out) -> Option<SessionKey> {
    let mut wait = ASK_AGAIN.0;
    loop {
        tokio::select! {
            () = pause(tools, wait) => {}
            () = out.closed() => return None,
        }
        if let Some(key) = look_for_key(tools, name).await {
            return Some(key);
        }
        wait = (wait * 2).min(ASK_AGAIN.1);
    }
}

/// The session's key, if the keyring gives one now.
async fn look_for_key(tools: &Arc<Tools>, name: &Alias) -> Option<SessionKey> {
    let (tools, wanted) = (Arc::clone(tools), name.clone());
    // The keyring blocks, and some keyrings run an executor of their own.
    let loaded =
        tokio::task::spawn_blocking(move || session_keys::load(&*tools.vault, &wanted)).await.ok()?;
    match loaded {
        Ok(Some(key)) => return Some(key),
        Ok(None) => tracing::info!(session = %name, "no session key yet, so no announcement can be read"),
        Err(error) => tracing::info!(session = %name, %error, "the session key cannot be read"),
    }
    None
}
