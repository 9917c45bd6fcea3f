//! The byte stream to a runtime's sshd: a TCP connection, a WebSocket, or the standard streams of a child process.

use std::ffi::OsString;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_ssh_files::Place;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::watch;

use super::child;
use crate::net::connect::ConnectError;
use crate::net::dial::{self, Way};
use crate::net::error::CarryError;
use crate::net::websocket::{Carried, Carrier};

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

/// Why no byte stream could be opened.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// There is no connection to the host and port.
    #[error(transparent)]
    Connect(ConnectError),
    /// The edge that carries SSH, or the way there.
    #[error(transparent)]
    Carry(Box<CarryError>),
    /// The program could not be started.
    #[error("cannot start {program}: {cause}; check that it is installed")]
    Start {
        /// The program.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
}

impl RouteError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Carry(error) = self { error.next_step() } else { None }
    }
}

impl From<CarryError> for RouteError {
    /// A connection that was not made is the same failure with nothing above it.
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::Connect(error) => Self::Connect(error),
            error => Self::Carry(Box::new(error)),
        }
    }
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
            Self::Tcp(place) => connect(Way::Straight, place, limit).await,
            Self::Proxied(place) => connect(Way::AsEnvironmentSays, place, limit).await,
            Self::Carry(carrier) => Ok(Wire::Carried(Box::new(carrier.connect(limit).await?))),
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

async fn connect(way: Way, place: &Place, limit: Duration) -> Result<Wire, RouteError> {
    let stream = dial::connect(way, &place.host, place.port.get(), limit).await?;
    let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
    let broken = |error: io::Error| CarryError::Cut { host: place.host.clone(), reason: error.to_string() };
    Ok(Wire::Tcp(stream.map_err(broken)?))
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
