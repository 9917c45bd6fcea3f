//! The byte stream to a runtime's sshd: a TCP connection, a WebSocket, or the standard streams of a child process.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use moorline_ssh_files::Place;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::child;
use crate::net::dial::{Dialling, connect_error, name_error};
use crate::net::error::{CarryError, RouteError};
use crate::net::websocket::{self, Carried, Carrier};

/// How much of a child's standard error is kept, from its end.
const STDERR_KEPT: usize = 4096;

/// How a runtime's sshd is reached.
#[derive(Debug, Clone)]
pub enum Route {
    /// Straight to a host and port.
    Tcp(Place),
    /// To a host and port, through the proxy that the environment names for it, if there is one.
    Proxied(Place),
    /// Over a WebSocket.
    Carry(Box<Carrier>),
    /// Through a program that speaks SSH on its standard streams (`ssh -W`, cloudflared); no shell is involved.
    Program(ProxyArgv),
}

/// A program that carries the byte stream, and what is added to its environment, and to no other program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyArgv {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables besides those that every child gets.
    pub env: Vec<(&'static str, OsString)>,
}

impl From<Vec<String>> for Route {
    /// A program that needs nothing in its environment.
    fn from(argv: Vec<String>) -> Self {
        Self::Program(ProxyArgv { argv, env: Vec::new() })
    }
}

impl Route {
    /// Opens the stream within `limit`. A child is killed when its [`Wire`] is dropped.
    pub async fn open(&self, limit: Duration) -> Result<Wire, RouteError> {
        match self {
            Self::Proxied(place) if websocket::wants_proxy(&place.host) => through_proxy(place, limit).await,
            Self::Tcp(place) | Self::Proxied(place) => connect(place, limit).await.map(Wire::Tcp),
            Self::Carry(carrier) => carry(carrier, limit).await,
            Self::Program(program) => start(program),
        }
    }
}

/// An open byte stream to an sshd.
#[derive(Debug)]
pub enum Wire {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A WebSocket.
    Carried(Box<Carried>),
    /// A child's standard streams.
    Child(Box<ChildWire>),
}

/// A running proxy program; killed on drop.
#[derive(Debug)]
pub struct ChildWire {
    input: ChildStdin,
    output: ChildStdout,
    said: Said,
    _child: Child,
}

impl Wire {
    /// What the proxy program prints on standard error; `None` without one. Stays valid when the wire is gone.
    pub fn said(&self) -> Option<Said> {
        match self {
            Self::Tcp(_) | Self::Carried(_) => None,
            Self::Child(child) => Some(child.said.clone()),
        }
    }
}

/// The end of what a child printed on standard error.
#[derive(Debug, Clone)]
pub struct Said {
    tail: Arc<Mutex<Vec<u8>>>,
    ended: watch::Receiver<bool>,
}

impl Said {
    /// The last 4 KiB so far.
    pub fn so_far(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).into_owned()
    }

    /// The last 4 KiB once the child has closed the stream, or after `limit`.
    pub async fn at_end(&self, limit: Duration) -> String {
        let mut ended = self.ended.clone();
        let _ = tokio::time::timeout(limit, ended.wait_for(|over| *over)).await;
        self.so_far()
    }

    fn collect(mut stderr: ChildStderr) -> Self {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let (over, ended) = watch::channel(false);
        let kept = Arc::clone(&tail);
        tokio::spawn(async move {
            let mut chunk = [0; 1024];
            while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
                let mut tail = kept.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(chunk.get(..count).unwrap_or_default());
                let surplus = tail.len().saturating_sub(STDERR_KEPT);
                tail.drain(..surplus);
            }
            over.send_replace(true);
        });
        Self { tail, ended }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Carried(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
            Self::Child(child) => Pin::new(&mut child.output).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, data),
            Self::Carried(stream) => Pin::new(stream.as_mut()).poll_write(cx, data),
            Self::Child(child) => Pin::new(&mut child.input).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Carried(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Child(child) => Pin::new(&mut child.input).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Carried(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Child(child) => Pin::new(&mut child.input).poll_shutdown(cx),
        }
    }
}

async fn connect(place: &Place, limit: Duration) -> Result<TcpStream, RouteError> {
    let (host, port) = (place.host.to_string(), place.port.get());
    let end = Instant::now() + limit;
    let timed_out = || RouteError::TimedOut { host: host.clone(), port, after: limit };
    let lookup = tokio::net::lookup_host((host.clone(), port));
    let addresses: Vec<SocketAddr> = match tokio::time::timeout_at(end, lookup).await {
        Err(_) => return Err(RouteError::OwnNetwork { host, cause: "no name server answered".to_owned() }),
        Ok(Err(cause)) => return Err(name_error(host, &cause)),
        Ok(Ok(found)) => found.collect(),
    };
    let mut last = RouteError::NameUnknown { host: host.clone() };
    for (tried, address) in addresses.iter().enumerate() {
        // Every address gets its share of what is left, so that a dead one does not use up the others' time.
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        last = match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Without it a key exchange waits for delayed acknowledgements; a failure costs only speed.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(cause)) if cause.kind() == io::ErrorKind::TimedOut => timed_out(),
            Ok(Err(cause)) => connect_error(&host, port, cause),
            Err(_) => timed_out(),
        };
    }
    Err(last)
}

async fn through_proxy(place: &Place, limit: Duration) -> Result<Wire, RouteError> {
    let (there, end) = (place.clone(), std::time::Instant::now() + limit);
    let dialled = spawn_blocking(move || {
        Dialling::start(&there.host, there.port.get(), end).and_then(Dialling::finish)
    });
    let broken =
        |error: &dyn ToString| CarryError::Cut { host: place.host.clone(), reason: error.to_string() };
    let stream = dialled.await.map_err(|error| broken(&error)).flatten().map_err(unwrapped)?;
    let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
    stream.map(Wire::Tcp).map_err(|error| unwrapped(broken(&error)))
}

async fn carry(carrier: &Carrier, limit: Duration) -> Result<Wire, RouteError> {
    let carried = carrier.connect(limit).await.map_err(unwrapped)?;
    Ok(Wire::Carried(Box::new(carried)))
}

/// What befell the connection below is said in the same words as without anything above it.
fn unwrapped(error: CarryError) -> RouteError {
    match error {
        CarryError::Dial(error) => *error,
        error => RouteError::Carry(Box::new(error)),
    }
}

fn start(ProxyArgv { argv, env }: &ProxyArgv) -> Result<Wire, RouteError> {
    let program = argv.first().cloned().unwrap_or_default();
    let failed = |cause| RouteError::Start { program: program.clone(), cause };
    let mut command = child::command(&program);
    command.args(argv.iter().skip(1)).envs(env.iter().map(|(name, value)| (name, value)));
    let mut child = command.spawn().map_err(failed)?;
    let (Some(input), Some(output), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed(io::Error::other("its standard streams are missing")));
    };
    let said = Said::collect(stderr);
    Ok(Wire::Child(Box::new(ChildWire { input, output, said, _child: child })))
}
