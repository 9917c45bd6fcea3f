//! Cloudflare's edge with a tunnel behind it, as cloudflared 2025's own origin behaves.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use super::websocket::{CHUNK, Manner, Request, carry, refuse};
use crate::internet::{Internet, Tls};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody holds the tunnel: 530 with `error code: 1033`.
    TunnelGone,
    /// A bot rule: 403.
    Forbidden,
    /// The request is taken and never answered.
    Silent,
    /// It upgrades, and nothing ever comes.
    SilentBehind,
    /// It upgrades, and ends at once.
    ClosedBehind,
    /// A web site answers.
    WebSite,
    /// It hangs up.
    HangsUp,
}

/// The edge for one host name.
#[derive(Debug)]
pub struct CloudflareEdge {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    host: String,
    target: AtomicU16,
    /// Where quick tunnels are noted, one `host port` a line, for an edge of many names.
    noted: Option<PathBuf>,
    failure: Mutex<Option<Failure>>,
    /// The service token that Access wants.
    token: Mutex<Option<(String, String)>>,
    requests: Mutex<Vec<String>>,
    manner: Mutex<Manner>,
    /// Raised to end what is being carried.
    cuts: watch::Sender<usize>,
    open: AtomicUsize,
}

impl CloudflareEdge {
    /// Puts a tunnel there that leads to this port of `127.0.0.1`.
    pub fn open(internet: &Internet, host: &str, target: u16) -> Self {
        Self::start(internet, host, target, None)
    }

    /// The edge of all quick tunnels: each leads where a stand-in of `cloudflared tunnel` noted it in this file, as soon
    /// as it did, and for as long as that program lives.
    pub fn quick(internet: &Internet, noted: &Path) -> Self {
        Self::start(internet, "*.trycloudflare.com", 0, Some(noted.to_owned()))
    }

    fn start(internet: &Internet, host: &str, target: u16, noted: Option<PathBuf>) -> Self {
        let manner = Manner {
            most: CHUNK,
            ping: Duration::from_secs(54),
            first: 0,
            pongs: Arc::new(AtomicUsize::new(0)),
        };
        let inside = Arc::new(Inside {
            host: host.to_owned(),
            target: AtomicU16::new(target),
            noted,
            failure: Mutex::default(),
            token: Mutex::default(),
            requests: Mutex::default(),
            manner: Mutex::new(manner),
            cuts: watch::channel(0).0,
            open: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&inside);
        internet.tls(host, move |stream| {
            let inside = Arc::clone(&serving);
            async move {
                inside.open.fetch_add(1, Ordering::SeqCst);
                let mut cuts = inside.cuts.subscribe();
                tokio::select! {
                    ended = inside.answer(stream) => drop(ended),
                    _ = cuts.changed() => {}
                }
                inside.open.fetch_sub(1, Ordering::SeqCst);
            }
        });
        Self { inside }
    }

    /// The tunnel now leads to this port.
    pub fn lead_to(&self, target: u16) {
        self.inside.target.store(target, Ordering::Relaxed);
    }

    /// From now on this goes wrong, or nothing does.
    pub fn fail(&self, failure: impl Into<Option<Failure>>) {
        *lock(&self.inside.failure) = failure.into();
    }

    /// From now on Access lets only this service token in.
    pub fn protect(&self, id: &str, secret: &str) {
        *lock(&self.inside.token) = Some((id.to_owned(), secret.to_owned()));
    }

    /// From now on new connections are pinged this often.
    pub fn ping_every(&self, pause: Duration) {
        lock(&self.inside.manner).ping = pause;
    }

    /// From now on new connections get about this many pings before anything that they send is read.
    pub fn ping_first(&self, count: usize) {
        lock(&self.inside.manner).first = count;
    }

    /// Cuts all connections that there are.
    pub fn cut(&self) {
        self.inside.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections there are.
    pub fn open_now(&self) -> usize {
        self.inside.open.load(Ordering::SeqCst)
    }

    /// How many pings were answered.
    pub fn pongs(&self) -> usize {
        lock(&self.inside.manner).pongs.load(Ordering::Relaxed)
    }

    /// The requests that came, each with its headers.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.inside.requests).clone()
    }
}

impl Inside {
    /// Where the tunnel of this name leads, if there is one.
    fn target(&self, name: &str) -> Option<u16> {
        let Some(noted) = &self.noted else { return Some(self.target.load(Ordering::Relaxed)) };
        if File::open(held(noted, name)).ok()?.try_lock_shared().is_ok() {
            return None;
        }
        let noted = std::fs::read_to_string(noted).ok()?;
        let found = noted.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found?.parse().ok()
    }

    /// Ends when the agent of this name's tunnel does: nothing is carried any longer then.
    async fn agent_gone(&self, name: &str) {
        let Some(held) = self.noted.as_ref().and_then(|noted| File::open(held(noted, name)).ok()) else {
            return std::future::pending().await;
        };
        let (told, gone) = oneshot::channel();
        // A thread of its own: the runtime would wait for one of its pool when it ends.
        thread::spawn(move || {
            let _ = told.send(held.lock_shared());
        });
        drop(gone.await);
    }

    async fn answer(&self, mut stream: Tls) -> io::Result<()> {
        let request = Request::read(&mut stream).await?;
        lock(&self.requests).push(request.text.clone());
        let named = request.header("host");
        let ours = self.host.strip_prefix('*').map_or(named == self.host, |suffix| named.ends_with(suffix));
        if !ours || request.target != "/" || !request.is_plain_upgrade() {
            return refuse(&mut stream, "400 Bad Request", "", "").await;
        }
        let failure = *lock(&self.failure);
        match failure {
            Some(Failure::TunnelGone) => {
                return refuse(&mut stream, "530 ", "Content-Type: text/plain\r\n", "error code: 1033").await;
            }
            Some(Failure::Forbidden) => {
                return refuse(&mut stream, "403 Forbidden", "", "error code: 1010").await;
            }
            Some(Failure::WebSite) => return refuse(&mut stream, "200 OK", "", "<html>hello</html>").await,
            Some(Failure::Silent) => return std::future::pending().await,
            Some(Failure::HangsUp) => return Ok(()),
            Some(Failure::SilentBehind | Failure::ClosedBehind) | None => {}
        }
        let token = lock(&self.token).clone();
        if let Some((id, secret)) = token {
            let shown = (request.header("cf-access-client-id"), request.header("cf-access-client-secret"));
            if shown == ("", "") {
                let location = format!(
                    "Location: https://team.cloudflareaccess.com/cdn-cgi/access/login/{}?kid=0\r\n",
                    self.host
                );
                return refuse(&mut stream, "302 Found", &location, "").await;
            }
            if shown != (id.as_str(), secret.as_str()) {
                return refuse(&mut stream, "403 Forbidden", "", "").await;
            }
        }
        let manner = lock(&self.manner).clone();
        if let Some(Failure::SilentBehind | Failure::ClosedBehind) = failure {
            let (near, far) = connected().await?;
            if failure == Some(Failure::ClosedBehind) {
                drop(far);
                return carry(stream, &request, near, manner).await;
            }
            let ended = carry(stream, &request, near, manner).await;
            drop(far);
            return ended;
        }
        // The origin dials before it answers.
        let Some(target) = self.target(named) else {
            return refuse(&mut stream, "530 ", "Content-Type: text/plain\r\n", "error code: 1033").await;
        };
        match TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await {
            Ok(sshd) => tokio::select! {
                ended = carry(stream, &request, sshd, manner) => ended,
                () = self.agent_gone(named) => Ok(()),
            },
            Err(_) => refuse(&mut stream, "502 Bad Gateway", "", "").await,
        }
    }
}

/// The file whose lock the agent of a quick tunnel holds.
fn held(noted: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!("{}.{name}", noted.display()))
}

/// A connection with both ends in our hand.
async fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    Ok((near, listener.accept().await?.0))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
