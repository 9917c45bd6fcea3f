//! The TCP connection to an edge or a tunnel: straight, or through the proxy that the environment names.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use moorline_ssh_files::HostName;
use tungstenite::http::{HeaderValue, Uri};

use super::error::CarryError;
use super::socks;
use crate::ssh::RouteError;
use crate::ssh::route::{connect_error, name_error};

/// What a proxy may say before it lets us through.
const ANSWER: usize = 16 * 1024;

/// A connection on its way, on a thread of its own: a name server may take its time beyond any limit, and the caller
/// has other things to do meanwhile.
pub(crate) struct Dialling {
    told: Receiver<Result<TcpStream, CarryError>>,
    host: HostName,
    end: Instant,
}

impl Dialling {
    /// Begins to connect to this port before `end`. The rules of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (and of the
    /// system's settings on macOS and Windows) are those of every HTTPS request of this program: the same code reads
    /// them. This very computer is never looked for behind a proxy.
    pub(crate) fn start(host: &HostName, port: u16, end: Instant) -> Result<Self, CarryError> {
        let (tell, told) = mpsc::sync_channel(1);
        let dialled = host.clone();
        let dialling = thread::Builder::new().name("dial".to_owned());
        let started = dialling.spawn(move || drop(tell.send(dial(&dialled, port, end))));
        started.map_err(|error| CarryError::Cut { host: host.clone(), reason: error.to_string() })?;
        Ok(Self { told, host: host.clone(), end })
    }

    /// Waits for the connection.
    pub(crate) fn finish(self) -> Result<TcpStream, CarryError> {
        self.told.recv_timeout(left(self.end)).map_err(|_| {
            let cause = "no name server answered".to_owned();
            Box::new(RouteError::OwnNetwork { host: self.host.to_string(), cause })
        })?
    }
}

fn dial(host: &HostName, port: u16, end: Instant) -> Result<TcpStream, CarryError> {
    match proxy_for(host) {
        None => connect(host.as_str(), port, end).map_err(|error| Box::new(error).into()),
        Some(proxy) => through(&proxy, host, port, end),
    }
}

/// What is left until `end`, and never nothing, which a socket takes for no limit at all.
pub(super) fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Whether the environment names a proxy for this host.
pub(crate) fn wants_proxy(host: &HostName) -> bool {
    proxy_for(host).is_some()
}

fn proxy_for(host: &HostName) -> Option<Intercept> {
    if is_this_computer(host.as_str()) {
        return None;
    }
    let authority = if host.as_str().contains(':') { format!("[{host}]") } else { host.to_string() };
    let uri: Uri = format!("https://{authority}/").parse().ok()?;
    Matcher::from_system().intercept(&uri)
}

/// Whether a host, without brackets, is the very computer that this runs on.
pub(crate) fn is_this_computer(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn connect(host: &str, port: u16, end: Instant) -> Result<TcpStream, RouteError> {
    let started = Instant::now();
    let addresses: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|cause| name_error(host.to_owned(), &cause))?.collect();
    let mut last = RouteError::NameUnknown { host: host.to_owned() };
    for (tried, address) in addresses.iter().enumerate() {
        // Every address gets its share of what is left, so that a dead one does not use up the others' time.
        let share = left(end) / u32::try_from(addresses.len() - tried).unwrap_or(1);
        last = match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                // Without it a key exchange waits for delayed acknowledgements; a failure costs only speed.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(cause) if matches!(cause.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                RouteError::TimedOut { host: host.to_owned(), port, after: started.elapsed() }
            }
            Err(cause) => connect_error(host, port, cause),
        };
    }
    Err(last)
}

fn through(proxy: &Intercept, host: &HostName, port: u16, end: Instant) -> Result<TcpStream, CarryError> {
    let uri = proxy.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let own_port = if scheme.starts_with("socks") { 1080 } else { 80 };
    let (name, its_port) =
        (uri.host().unwrap_or_default().trim_matches(['[', ']']), uri.port_u16().unwrap_or(own_port));
    let shown = format!("{name}:{its_port}");
    let refuse = |reason: String, no_way| CarryError::Proxy { proxy: shown.clone(), reason, no_way };
    if !matches!(scheme, "http" | "socks5" | "socks5h") {
        return Err(refuse(format!("is of the kind {scheme}, which Moorline does not speak"), false));
    }
    let mut stream =
        connect(name, its_port, end).map_err(|error| refuse(format!("cannot be used: {error}"), false))?;
    let broken = |error: io::Error| refuse(format!("hung up ({error})"), false);
    stream.set_write_timeout(Some(left(end))).map_err(broken)?;
    stream.set_read_timeout(Some(left(end))).map_err(broken)?;
    if scheme != "http" {
        return match socks::ask(&mut stream, proxy.raw_auth(), host, port) {
            Ok(()) => Ok(stream),
            Err(socks::Refused::Broken(error)) => Err(broken(error)),
            Err(socks::Refused::Said { reason, no_way }) => Err(refuse(reason.to_owned(), no_way)),
        };
    }
    stream
        .write_all(&connect_request(host, port, proxy.basic_auth().map(HeaderValue::as_bytes)))
        .map_err(broken)?;
    match connect_answer(&mut stream).map_err(broken)? {
        200..=299 => Ok(stream),
        407 => Err(refuse("wants a login (407); put user:password@ before its name".to_owned(), false)),
        status @ (500 | 502..=504) => {
            Err(refuse(format!("finds no way to {host} (status {status}): the tunnel may be gone"), true))
        }
        status => Err(refuse(format!("refuses the way to {host} (status {status})"), false)),
    }
}

/// RFC 9110, section 9.3.6.
fn connect_request(host: &HostName, port: u16, login: Option<&[u8]>) -> Vec<u8> {
    let authority =
        if host.as_str().contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(login) = login {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(login);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The status of the answer, read to the end of its head and no further.
fn connect_answer(stream: &mut TcpStream) -> io::Result<u16> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > ANSWER {
            return Err(io::Error::other("its answer has no end"));
        }
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let text = String::from_utf8_lossy(&head);
    let status =
        text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    status.ok_or_else(|| {
        let _ = stream.shutdown(Shutdown::Both);
        io::Error::other("it does not answer in HTTP")
    })
}
