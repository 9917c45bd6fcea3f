//! The loop with a recording fake.

use std::sync::{Arc, Mutex};

use moorline_model::cause::{Loss, Obstacle};
use moorline_model::health::{Health, Light};
use moorline_model::session::{Link, Session};
use moorline_model::settings::NoticeKind;
use moorline_model::trust::Trust;
use moorline_ssh_files::{HostKey, Place};

use super::super::effect::FileJob;
use super::super::message::Loaded;
use super::*;
use crate::watch::order::Sight;

/// Writes down what it is asked for, and answers a settle as told.
#[derive(Clone)]
struct Recorder {
    seen: Arc<Mutex<Vec<String>>>,
    out: Messages,
}

impl Recorder {
    fn note(&self, what: impl Into<String>) {
        self.seen.lock().unwrap().push(what.into());
    }
}

impl World for Recorder {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::File(FileJob::Reload) => self.note("reload"),
            Effect::Watch(order) => self.note(format!("watch {}", order.session.name)),
            Effect::File(FileJob::Settle { session, .. }) => {
                self.note("settle");
                let out = self.out.clone();
                tokio::spawn(async move { out.send(Msg::Settled(session.name, Ok(()))).await });
            }
            Effect::Notify(notice) => self.note(format!("notify {}", notice.title)),
            other => self.note(format!("{other:?}")),
        }
    }

    fn woke(&mut self) {
        self.note("woke");
    }

    fn network_changed(&mut self) {
        self.note("network changed");
    }

    fn has_window(&self) -> bool {
        false
    }

    async fn finish(self) {
        self.note("finished");
    }
}

struct Stage {
    agent: AgentHandle,
    task: JoinHandle<()>,
    seen: Arc<Mutex<Vec<String>>>,
    events: broadcast::Receiver<Event>,
}

fn name() -> Alias {
    "colab".parse().unwrap()
}

fn key() -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([7; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn loaded() -> Msg {
    let place = Place { host: "h".parse().unwrap(), port: "1".parse().unwrap() };
    let session = Session {
        name: name(),
        link: Link::Direct(place),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    };
    Msg::Loaded(vec![Loaded::new(session, vec![(key(), Trust::Approved)])])
}

/// A clock that goes with tokio's, which the tests pause.
fn clock() -> Timestamp {
    use std::sync::OnceLock;
    static BEGUN: OnceLock<tokio::time::Instant> = OnceLock::new();
    let passed = BEGUN.get_or_init(tokio::time::Instant::now).elapsed();
    Timestamp::from_second(1_800_000_000).unwrap() + passed
}

impl Stage {
    fn new() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let (agent, task) = start(|out| Recorder { seen: record, out }, clock);
        let events = agent.events();
        Self { agent, task, seen, events }
    }

    async fn saw(&self, sight: Sight) {
        self.agent.send(Msg::Saw(name(), sight)).await.unwrap();
    }

    async fn until(&self, ready: impl Fn(&Snapshot) -> bool) -> Snapshot {
        self.agent.snapshots().wait_for(ready).await.unwrap().clone()
    }

    async fn event(&mut self, wanted: impl Fn(&What) -> bool) -> What {
        loop {
            let event = self.events.recv().await.unwrap();
            if wanted(&event.what) {
                return event.what;
            }
        }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_drop_goes_from_a_sight_to_a_notification_by_itself() {
    let mut stage = Stage::new();
    stage.agent.send(loaded()).await.unwrap();
    stage.saw(Sight::Online).await;
    stage.until(|now| now.light == Light::Online).await;
    stage.saw(Sight::Lost(Loss::Closed)).await;
    stage.until(|now| now.light == Light::Attention).await;
    stage.saw(Sight::Failed(Obstacle::Refused)).await;
    stage.until(|now| now.light == Light::Offline).await;
    // The loop's own ticks bring the notification; nobody sends it anything more.
    let told = stage.event(|what| matches!(what, What::Notice(_))).await;
    assert!(matches!(told, What::Notice(notice) if notice.kind == NoticeKind::Dropped));
    let seen = stage.seen();
    assert_eq!(seen[..3], ["reload", "watch colab", "settle"]);
    assert!(seen.iter().any(|effect| effect.starts_with("notify colab dropped")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn who_reads_the_events_hears_of_the_files_before_the_return() {
    let mut stage = Stage::new();
    stage.agent.send(loaded()).await.unwrap();
    stage.saw(Sight::Online).await;
    stage.event(|what| matches!(what, What::Files { .. })).await;
    stage.saw(Sight::Lost(Loss::Closed)).await;
    stage.saw(Sight::Failed(Obstacle::Refused)).await;
    stage.event(|what| matches!(what, What::Notice(_))).await;
    stage.saw(Sight::Online).await;
    let first = stage.event(|what| matches!(what, What::Notice(_) | What::Files { .. })).await;
    assert!(matches!(first, What::Files { ok: true, .. }), "{first:?}");
    let back = stage.event(|what| matches!(what, What::Notice(_))).await;
    assert!(matches!(back, What::Notice(notice) if notice.kind == NoticeKind::Back));
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_what_cannot_be_is_told_why() {
    let stage = Stage::new();
    let refused = stage.agent.ask(Request::Repair(name())).await.unwrap();
    assert!(refused.unwrap_err().contains("no session colab"));
    stage.agent.send(loaded()).await.unwrap();
    assert_eq!(stage.agent.ask(Request::Repair(name())).await, Ok(Ok(())));
    assert!(stage.seen().contains(&"settle".to_owned()));
    let windowless = stage.agent.ask(Request::Show(None)).await.unwrap();
    assert!(windowless.unwrap_err().contains("has no window"));
}

#[tokio::test(start_paused = true)]
async fn both_keys_are_there_to_be_compared() {
    let stage = Stage::new();
    assert_eq!(stage.agent.compare(name()).await, Ok(None));
    stage.agent.send(loaded()).await.unwrap();
    let pinned = vec![(key().fingerprint(), Trust::Approved)];
    assert_eq!(stage.agent.compare(name()).await.unwrap().unwrap(), Comparison { pinned, seen: None });
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([9; 32]);
    let other = HostKey::from_blob(&blob).unwrap();
    stage.saw(Sight::Failed(Obstacle::Key { key: other.clone(), channel: false })).await;
    stage.until(|now| matches!(now.sessions[0].health, Health::NewHostKey { .. })).await;
    let seen = stage.agent.compare(name()).await.unwrap().unwrap().seen;
    assert_eq!(seen, Some(other.fingerprint()));
}

#[tokio::test(start_paused = true)]
async fn sleep_and_another_network_reach_the_watchers() {
    let stage = Stage::new();
    stage.agent.send(Msg::Woke).await.unwrap();
    stage.agent.send(Msg::NetworkChanged).await.unwrap();
    stage.agent.stop().await;
    stage.task.await.unwrap();
    let seen = stage.seen.lock().unwrap().clone();
    assert_eq!(seen, ["reload", "woke", "network changed", "finished"]);
    assert_eq!(stage.agent.ask(Request::Reload).await, Err(Ended));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_one_line_of_json() {
    let mut stage = Stage::new();
    stage.agent.send(loaded()).await.unwrap();
    stage.event(|what| matches!(what, What::Following { .. })).await;
    stage.saw(Sight::Failed(Obstacle::Refused)).await;
    let what = stage.event(|what| matches!(what, What::Health { .. })).await;
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let line = serde_json::to_string(&Event { at, what }).unwrap();
    assert!(
        line.starts_with(r#"{"at":"2027-01-15T08:00:00Z","event":"health","session":"colab","health":"#),
        "{line}"
    );
    assert!(
        line.contains(r#""state":"down","cause":{"kind":"no-server"}"#) && !line.contains('\n'),
        "{line}"
    );
}
