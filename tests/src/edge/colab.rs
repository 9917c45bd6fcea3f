//! Colab's edge: a runtime's own SSH, as google-colab-cli 0.7 finds it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::websocket::{Manner, Request, carry, refuse};
use crate::internet::{Internet, Tls};
use crate::runtime::Runtime;

/// What goes wrong, beyond what a wrong token, a wrong key and a taken slot bring with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColabFailure {
    /// The account may not: 403.
    Forbidden,
    /// The runtime was made without SSH: 404.
    NoSsh,
    /// sshd on the runtime cannot be reached: 502.
    SshdDown,
}

/// The edge for one runtime.
#[derive(Debug)]
pub struct ColabEdge {
    inside: Arc<Inside>,
}

struct Inside {
    token: Mutex<String>,
    failure: Mutex<Option<ColabFailure>>,
    target: AtomicU16,
    /// The runtime's disk, for the keys that it lets in.
    disk: PathBuf,
    taken: AtomicBool,
    /// How many connections were carried at the same time at most, and how many there were.
    carried: AtomicUsize,
    refused: Mutex<Vec<u16>>,
    cut: Notify,
    hush: Notify,
    pages: Mutex<Option<Pages>>,
}

/// What answers below `/api/`: from the path, the runtime's token and the authorization that were sent.
type Pages = Arc<dyn Fn(&str, &str, &str) -> (u16, String) + Send + Sync>;

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("target", &self.target).finish_non_exhaustive()
    }
}

/// The one slot, while it is taken.
struct Slot(Arc<Inside>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::SeqCst);
    }
}

impl ColabEdge {
    /// Puts a runtime there, at this host, behind this token.
    pub fn open(internet: &Internet, host: &str, token: &str, runtime: &Runtime) -> Self {
        let inside = Arc::new(Inside {
            token: Mutex::new(token.to_owned()),
            failure: Mutex::default(),
            target: AtomicU16::new(runtime.port()),
            disk: runtime.machine().disk(),
            taken: AtomicBool::new(false),
            carried: AtomicUsize::new(0),
            refused: Mutex::default(),
            cut: Notify::new(),
            hush: Notify::new(),
            pages: Mutex::default(),
        });
        let serving = Arc::clone(&inside);
        internet.tls(host, move |stream| {
            let inside = Arc::clone(&serving);
            async move { drop(inside.answer(stream).await) }
        });
        Self { inside }
    }

    /// The runtime's sshd is at this port now.
    pub fn lead_to(&self, target: u16) {
        self.inside.target.store(target, Ordering::Relaxed);
    }

    /// The token is another one now.
    pub fn renew_token(&self, token: &str) {
        token.clone_into(&mut lock(&self.inside.token));
    }

    /// From now on this goes wrong, or nothing does.
    pub fn fail(&self, failure: impl Into<Option<ColabFailure>>) {
        *lock(&self.inside.failure) = failure.into();
    }

    /// The runtime's own server answers below `/api/`, too.
    pub fn also(&self, pages: impl Fn(&str, &str, &str) -> (u16, String) + Send + Sync + 'static) {
        *lock(&self.inside.pages) = Some(Arc::new(pages));
    }

    /// Somebody else holds the slot, or not.
    pub fn take(&self, taken: bool) {
        self.inside.taken.store(taken, Ordering::SeqCst);
    }

    /// Whether the slot is taken.
    pub fn is_taken(&self) -> bool {
        self.inside.taken.load(Ordering::SeqCst)
    }

    /// Cuts the connection that is carried.
    pub fn cut(&self) {
        self.inside.cut.notify_waiters();
    }

    /// From now on nothing comes through the connection that is carried, and it keeps the slot until it is cut here:
    /// whatever its other end does, nobody hears of it.
    pub fn hush(&self) {
        self.inside.hush.notify_waiters();
    }

    /// How many connections were carried so far.
    pub fn carried(&self) -> usize {
        self.inside.carried.load(Ordering::SeqCst)
    }

    /// The statuses with which connections were refused so far.
    pub fn refused(&self) -> Vec<u16> {
        lock(&self.inside.refused).clone()
    }
}

impl Inside {
    async fn answer(self: Arc<Self>, mut stream: Tls) -> io::Result<()> {
        let request = Request::read(&mut stream).await?;
        let pages = lock(&self.pages).clone();
        if let Some(pages) = pages.filter(|_| request.target.starts_with("/api/")) {
            let path = request.target.split('?').next().unwrap_or_default();
            let token = request.header("x-colab-runtime-proxy-token");
            let (status, body) = pages(path, token, request.header("authorization"));
            return refuse(&mut stream, &format!("{status} Told"), "Connection: close\r\n", &body).await;
        }
        match self.judge(&request) {
            Err((status, reason, body)) => {
                lock(&self.refused).push(status);
                let json = if body.starts_with('{') { "Content-Type: application/json\r\n" } else { "" };
                refuse(&mut stream, &format!("{status} {reason}"), json, body).await
            }
            Ok(slot) => {
                let target = self.target.load(Ordering::Relaxed);
                let Ok(sshd) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
                    lock(&self.refused).push(502);
                    drop(slot);
                    return refuse(&mut stream, "502 Bad Gateway", "", "").await;
                };
                self.carried.fetch_add(1, Ordering::SeqCst);
                let pongs = Arc::default();
                let manner = Manner { most: usize::MAX, ping: Duration::from_secs(30), first: 0, pongs };
                let carried = async {
                    let carrying = carry(stream, &request, sshd, manner);
                    tokio::pin!(carrying);
                    tokio::select! {
                        ended = &mut carrying => ended,
                        () = self.hush.notified() => std::future::pending().await,
                    }
                };
                let ended = tokio::select! {
                    ended = carried => ended,
                    () = self.cut.notified() => Ok(()),
                };
                drop(slot);
                ended
            }
        }
    }

    /// Lets a connection in, or says why not.
    fn judge(self: &Arc<Self>, request: &Request) -> Result<Slot, (u16, &'static str, &'static str)> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if path != "/colab/ssh" {
            return Err((404, "Not Found", ""));
        }
        if !request.is_plain_upgrade() {
            return Err((400, "Bad Request", ""));
        }
        let token = lock(&self.token).clone();
        if decoded(query.strip_prefix("colab-runtime-proxy-token=").unwrap_or_default()) != token {
            return Err((401, "Unauthorized", ""));
        }
        match *lock(&self.failure) {
            Some(ColabFailure::Forbidden) => return Err((403, "Forbidden", "")),
            Some(ColabFailure::NoSsh) => return Err((404, "Not Found", "")),
            Some(ColabFailure::SshdDown) => return Err((502, "Bad Gateway", "")),
            None => {}
        }
        let key = request.header("x-colab-ssh-pubkey");
        let kind = key.split(' ').next().unwrap_or_default();
        if !KEYS.contains(&kind) {
            return Err((400, "Bad Request", "unsupported key type"));
        }
        if self.taken.swap(true, Ordering::SeqCst) {
            return Err((429, "Too Many Requests", r#"{"error":"already-active-session"}"#));
        }
        self.let_in(key);
        Ok(Slot(Arc::clone(self)))
    }

    /// The runtime lets this key in, and no other.
    fn let_in(&self, key: &str) {
        let folder = self.disk.join(".ssh");
        fs::create_dir_all(&folder).expect("a folder for the key");
        let mut file = File::create(folder.join("authorized_keys")).expect("the key file opens");
        writeln!(file, "{key}").expect("the key is written");
    }
}

/// The kinds of keys that Colab takes.
const KEYS: [&str; 4] = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/// A query's value without its percent signs.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, more @ ..] = rest {
        rest = more;
        match (first, more) {
            (b'%', [high, low, after @ ..]) => {
                let pair = [*high, *low];
                let code = std::str::from_utf8(&pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                bytes.extend(code);
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
