//! The TCP connection to an edge or a tunnel: straight, or through the proxy that the environment names.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use moorline_ssh_files::HostName;
use tokio::sync::oneshot;
use tungstenite::http::{HeaderValue, Uri};

use super::connect::{self, ConnectError, NO_NAMES, Span};
use super::error::CarryError;
use super::socks;

/// What a proxy may say before it lets us through.
const ANSWER: usize = 16 * 1024;

/// The way that a connection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Straight to the host.
    Straight,
    /// Through the proxy that the environment names for the host, if there is one. The rules of `HTTPS_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY` (and of the system's settings on macOS and Windows) are those of every HTTPS request of
    /// this program: the same code reads them. This very computer is never looked for behind a proxy.
    AsEnvironmentSays,
}

/// Connects to this port within `limit`.
pub(crate) async fn connect(
    way: Way,
    host: &HostName,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, CarryError> {
    let (tell, told) = oneshot::channel();
    let attempt = Attempt::new(way.proxy(host), host, port, Instant::now() + limit);
    attempt.run(move |dialled| drop(tell.send(dialled)))?;
    match tokio::time::timeout(limit, told).await {
        Ok(Ok(dialled)) => dialled,
        _ => Err(attempt.silence()),
    }
}

/// A connection on its way, through the environment's proxy if it names one, for a caller without an async runtime that
/// has other things to do meanwhile.
pub(crate) struct Dialling {
    told: Receiver<Result<TcpStream, CarryError>>,
    attempt: Attempt,
}

impl Dialling {
    /// Begins to connect to this port before `end`.
    pub(crate) fn start(host: &HostName, port: u16, end: Instant) -> Result<Self, CarryError> {
        Self::begin(Attempt::new(Way::AsEnvironmentSays.proxy(host), host, port, end))
    }

    fn begin(attempt: Attempt) -> Result<Self, CarryError> {
        let (tell, told) = mpsc::sync_channel(1);
        attempt.run(move |dialled| drop(tell.send(dialled)))?;
        Ok(Self { told, attempt })
    }

    /// Waits for the connection.
    pub(crate) fn finish(self) -> Result<TcpStream, CarryError> {
        self.told.recv_timeout(self.attempt.span.left()).unwrap_or_else(|_| Err(self.attempt.silence()))
    }
}

impl Way {
    fn proxy(self, host: &HostName) -> Option<Intercept> {
        if self == Self::Straight || is_this_computer(host.as_str()) {
            return None;
        }
        let authority = if host.as_str().contains(':') { format!("[{host}]") } else { host.to_string() };
        let uri: Uri = format!("https://{authority}/").parse().ok()?;
        Matcher::from_system().intercept(&uri)
    }
}

/// Where a connection is to lead, over what, and until when it is worth anything.
#[derive(Clone)]
struct Attempt {
    host: HostName,
    port: u16,
    proxy: Option<Intercept>,
    span: Span,
    /// Whether the name that is dialled, the host's or the proxy's, has an address.
    resolved: Arc<AtomicBool>,
}

impl Attempt {
    fn new(proxy: Option<Intercept>, host: &HostName, port: u16, end: Instant) -> Self {
        Self { host: host.clone(), port, proxy, span: Span::until(end), resolved: Arc::default() }
    }

    /// Dials on a thread of its own: a name server may take its time beyond any limit.
    fn run(
        &self,
        tell: impl FnOnce(Result<TcpStream, CarryError>) + Send + 'static,
    ) -> Result<(), CarryError> {
        let attempt = self.clone();
        let thread = thread::Builder::new().name("dial".to_owned()).spawn(move || tell(attempt.dial()));
        thread.map_err(|error| CarryError::Cut { host: self.host.clone(), reason: error.to_string() })?;
        Ok(())
    }

    fn dial(&self) -> Result<TcpStream, CarryError> {
        match &self.proxy {
            None => Ok(connect::connect(self.host.as_str(), self.port, self.span, &self.resolved)?),
            Some(proxy) => through(proxy, self),
        }
    }

    /// Who did not answer: the thread's own limits end at the same moment, so it may not have said so itself.
    fn silence(&self) -> CarryError {
        let host = self.host.to_string();
        let resolved = self.resolved.load(Ordering::Relaxed);
        match (self.proxy.as_ref().map(shown), resolved) {
            (Some(proxy), true) => refused(proxy, self.unanswered()),
            (Some(proxy), false) => refused(proxy, format!("cannot be used: {NO_NAMES}")),
            (None, true) => ConnectError::TimedOut { host, port: self.port, after: self.span.limit() }.into(),
            (None, false) => ConnectError::OwnNetwork { host, cause: NO_NAMES.to_owned() }.into(),
        }
    }

    /// As it follows on "the proxy ...".
    fn unanswered(&self) -> String {
        format!("does not answer within {} s", self.span.limit().as_secs())
    }
}

/// Whether a host, without brackets, is the very computer that this runs on.
pub(crate) fn is_this_computer(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Host and port of a proxy, without what stands before the `@`.
fn shown(proxy: &Intercept) -> String {
    let (_, host, port) = parts(proxy);
    format!("{host}:{port}")
}

/// The scheme, the host without brackets, and the port.
fn parts(proxy: &Intercept) -> (&str, &str, u16) {
    let uri = proxy.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let own_port = if scheme.starts_with("socks") { 1080 } else { 80 };
    (scheme, uri.host().unwrap_or_default().trim_matches(['[', ']']), uri.port_u16().unwrap_or(own_port))
}

fn refused(proxy: String, reason: String) -> CarryError {
    CarryError::Proxy { proxy, reason, no_way: false }
}

fn through(proxy: &Intercept, attempt: &Attempt) -> Result<TcpStream, CarryError> {
    let (Attempt { host, port, span, resolved, .. }, (scheme, name, its_port)) = (attempt, parts(proxy));
    let shown = shown(proxy);
    let refuse = |reason: String, no_way| CarryError::Proxy { proxy: shown.clone(), reason, no_way };
    if !matches!(scheme, "http" | "socks5" | "socks5h") {
        return Err(refuse(format!("is of the kind {scheme}, which Moorline does not speak"), false));
    }
    let stream = connect::connect(name, its_port, *span, resolved).map_err(|error| {
        let reason = match error {
            ConnectError::TimedOut { .. } => attempt.unanswered(),
            // The rest of the sentence would be about the host.
            ConnectError::OwnNetwork { cause, .. } => format!("cannot be used: {cause}"),
            ConnectError::NameUnknown { .. } => "cannot be used: its name does not resolve".to_owned(),
            error => format!("cannot be used: {error}"),
        };
        refuse(reason, false)
    })?;
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => refuse(attempt.unanswered(), false),
        _ => refuse(format!("hung up ({error})"), false),
    };
    let mut timed = Timed { stream: &stream, span: *span };
    if scheme != "http" {
        return match socks::ask(&mut timed, proxy.raw_auth(), host, *port) {
            Ok(()) => Ok(stream),
            Err(socks::Refused::Broken(error)) => Err(broken(error)),
            Err(socks::Refused::Said { reason, no_way }) => Err(refuse(reason.to_owned(), no_way)),
        };
    }
    let request = connect_request(host, *port, proxy.basic_auth().map(HeaderValue::as_bytes));
    timed.write_all(&request).map_err(broken)?;
    match connect_answer(&mut timed).map_err(broken)? {
        200..=299 => Ok(stream),
        407 => Err(refuse("wants a login (407); put user:password@ before its name".to_owned(), false)),
        status @ (500 | 502..=504) => {
            Err(refuse(format!("finds no way to {host} (status {status}): the tunnel may be gone"), true))
        }
        status => Err(refuse(format!("refuses the way to {host} (status {status})"), false)),
    }
}

/// A stream on which everything together ends at one moment, however often a byte comes.
struct Timed<'a> {
    stream: &'a TcpStream,
    span: Span,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        if self.span.is_over() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(self.span.left())) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        (&mut &*self.stream).read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        (&mut &*self.stream).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
fn connect_answer(stream: &mut Timed<'_>) -> io::Result<u16> {
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
        let _ = stream.stream.shutdown(Shutdown::Both);
        io::Error::other("it does not answer in HTTP")
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    /// What is said of a proxy at this address.
    fn said(proxy: &str) -> String {
        let host = "far.example".parse().unwrap();
        let matcher = Matcher::builder().all(proxy).build();
        let intercept = matcher.intercept(&"https://far.example/".parse().unwrap());
        assert!(intercept.is_some(), "{proxy}");
        let attempt = Attempt::new(intercept, &host, 4022, Instant::now() + LIMIT);
        match Dialling::begin(attempt).unwrap().finish().unwrap_err() {
            CarryError::Proxy { proxy, reason, no_way: false } => format!("{proxy} {reason}"),
            other => panic!("it is not the proxy's: {other}"),
        }
    }

    /// A proxy that says this over and over, until it is given up; how it ended.
    fn proxy(drip: &'static [u8]) -> (u16, thread::JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let dripping = thread::spawn(move || {
            let (mut visitor, _) = listener.accept()?;
            visitor.set_read_timeout(Some(Duration::from_millis(20)))?;
            loop {
                visitor.write_all(drip)?;
                match visitor.read(&mut [0; 512]) {
                    Ok(0) => return Ok(()),
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    _ => {}
                }
            }
        });
        (port, dripping)
    }

    #[test]
    fn a_proxy_that_is_silent_or_drips_is_named_and_given_up() {
        for (scheme, drip) in [("http", &b""[..]), ("http", b"x"), ("socks5h", b"")] {
            for _ in 0..5 {
                let (port, proxy) = proxy(drip);
                let said = said(&format!("{scheme}://ada:secret@127.0.0.1:{port}"));
                assert_eq!(said, format!("127.0.0.1:{port} does not answer within 1 s"), "{scheme} {drip:?}");
                // It hears of it: no thread waits on for a proxy that drips for ever.
                let _ = proxy.join().unwrap();
            }
        }
    }

    #[test]
    fn a_proxy_whose_name_has_no_address_is_named() {
        let said = said("http://nobody.invalid:3128");
        assert!(said.starts_with("nobody.invalid:3128 cannot be used: "), "{said}");
        assert!(!said.contains("this computer"), "{said}");
    }

    #[test]
    fn what_hangs_is_named_by_how_far_it_came() {
        let host = "far.example".parse().unwrap();
        let mut attempt = Attempt::new(None, &host, 22, Instant::now());
        assert!(attempt.silence().to_string().starts_with("this computer has no network connection"));
        attempt.resolved.store(true, Ordering::Relaxed);
        assert!(attempt.silence().to_string().starts_with("far.example port 22 did not answer within"));
        attempt.proxy =
            Matcher::builder().all("http://p:3128").build().intercept(&Uri::from_static("https://f/"));
        assert!(attempt.silence().to_string().starts_with("the proxy p:3128 does not answer within"));
        attempt.resolved.store(false, Ordering::Relaxed);
        let unnamed = "the proxy p:3128 cannot be used: no name server answered";
        assert!(attempt.silence().to_string().starts_with(unnamed));
    }
}
