//! A stand-in for an ntfy server, after its documentation ("Publish", "Subscribe via API"): a topic's messages as a
//! stream of JSON lines, what came before as asked for with `since`.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// A running server on loopback. It ends with this value.
#[derive(Debug)]
pub struct Ntfy {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
    _end: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Inside {
    topics: BTreeMap<String, Vec<(String, String)>>,
    listeners: Vec<(String, mpsc::UnboundedSender<String>)>,
    /// What `since` each subscription asked for.
    asked: Vec<String>,
    /// Statuses that the next subscriptions are answered with, and the seconds in `Retry-After`.
    refusals: VecDeque<(u16, Option<u64>)>,
    /// How long after a limit the next subscription came.
    waited: Vec<Duration>,
    limited: Option<Instant>,
    count: usize,
}

type Shared = Arc<Mutex<Inside>>;

impl Ntfy {
    /// Starts it.
    pub fn start() -> Self {
        let inside: Shared = Arc::default();
        let app = Router::new()
            .route("/{topic}", post(publish))
            .route("/{topic}/json", get(subscribe))
            .with_state(Arc::clone(&inside));
        let (end, ended) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime for the server").block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                tell.send(listener.local_addr().expect("its address")).expect("the test waits");
                tokio::select! {
                    _ = async { axum::serve(listener, app).await } => {}
                    _ = ended => {}
                }
            });
        });
        let address = told.recv().expect("the server starts");
        Self { address, inside, _end: end }
    }

    /// Its address as a person configures it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes, as a runtime does by `POST`, without the network.
    pub fn publish(&self, topic: &str, message: &str) {
        lock(&self.inside).publish(topic, message);
    }

    /// All that was published, over all topics.
    pub fn published(&self) -> Vec<String> {
        let inside = lock(&self.inside);
        inside.topics.values().flatten().map(|(_, message)| message.clone()).collect()
    }

    /// How many listen to a topic now.
    pub fn listeners(&self, topic: &str) -> usize {
        let mut inside = lock(&self.inside);
        inside.listeners.retain(|(_, listener)| !listener.is_closed());
        inside.listeners.iter().filter(|(of, _)| of == topic).count()
    }

    /// Ends all streams, as a server does that restarts.
    pub fn hang_up(&self) {
        lock(&self.inside).listeners.clear();
    }

    /// The next subscriptions are refused with these statuses.
    pub fn refuse(&self, statuses: &[u16]) {
        lock(&self.inside).refusals.extend(statuses.iter().map(|status| (*status, None)));
    }

    /// The next subscription is told that there are too many, and to come back after so many seconds (RFC 6585, 4).
    pub fn limit(&self, seconds: u64) {
        lock(&self.inside).refusals.push_back((429, Some(seconds)));
    }

    /// How long after each [`Ntfy::limit`] the next subscription came.
    pub fn waited(&self) -> Vec<Duration> {
        lock(&self.inside).waited.clone()
    }

    /// What `since` the subscriptions asked for, `-` where one asked for none.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.inside).asked.clone()
    }
}

impl Inside {
    fn publish(&mut self, topic: &str, message: &str) {
        self.count += 1;
        let id = format!("id{:010}", self.count);
        let line = message_line(topic, &id, message);
        self.topics.entry(topic.to_owned()).or_default().push((id, message.to_owned()));
        self.listeners.retain(|(of, listener)| of != topic || listener.send(line.clone()).is_ok());
    }
}

async fn publish(State(inside): State<Shared>, Path(topic): Path<String>, body: Bytes) -> StatusCode {
    lock(&inside).publish(&topic, &String::from_utf8_lossy(&body));
    StatusCode::OK
}

async fn subscribe(
    State(inside): State<Shared>,
    Path(topic): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let (sender, receiver) = mpsc::unbounded_channel();
    {
        let mut inside = lock(&inside);
        let since = query.get("since").cloned().unwrap_or_else(|| "-".to_owned());
        inside.asked.push(since.clone());
        let limited = inside.limited.take();
        inside.waited.extend(limited.map(|at| at.elapsed()));
        if let Some((status, seconds)) = inside.refusals.pop_front() {
            let status = StatusCode::from_u16(status).expect("a status");
            let said = json!({ "code": 42901, "error": "limit reached" }).to_string();
            let Some(seconds) = seconds else { return (status, said).into_response() };
            inside.limited = Some(Instant::now());
            return (status, [(RETRY_AFTER, seconds.to_string())], said).into_response();
        }
        let open = json!({ "id": "open000001", "time": 1, "event": "open", "topic": topic });
        let _ = sender.send(format!("{open}\n"));
        let cached = inside.topics.get(&topic).cloned().unwrap_or_default();
        let from = match since.as_str() {
            "-" => cached.len(),
            id => cached.iter().position(|(of, _)| of == id).map_or(0, |at| at + 1),
        };
        for (id, message) in &cached[from..] {
            let _ = sender.send(message_line(&topic, id, message));
        }
        inside.listeners.push((topic, sender));
    }
    let lines = futures_util::stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((Ok::<_, Infallible>(line), receiver))
    });
    Body::from_stream(lines).into_response()
}

fn message_line(topic: &str, id: &str, message: &str) -> String {
    let line =
        json!({ "id": id, "time": 1, "expires": 2, "event": "message", "topic": topic, "message": message });
    format!("{line}\n")
}

fn lock(inside: &Shared) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}
