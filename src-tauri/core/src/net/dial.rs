//! The TCP connection to an edge or a tunnel: straight, or through the proxy that the environment names.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use moorline_ssh_files::HostName;
use tungstenite::http::{HeaderValue, Uri};

use super::error::CarryError;
use super::socks;
use crate::net::error::RouteError;

/// What a proxy may say before it lets us through.
const ANSWER: usize = 16 * 1024;

const NO_NAMES: &str = "no name server answered";

/// A connection on its way, on a thread of its own: a name server may take its time beyond any limit, and the caller
/// has other things to do meanwhile.
pub(crate) struct Dialling {
    told: Receiver<Result<TcpStream, CarryError>>,
    goal: Goal,
    /// Host and port of the proxy that is asked.
    proxy: Option<String>,
    /// Whether the name that is dialled, the host's or the proxy's, has an address.
    resolved: Arc<AtomicBool>,
}

/// Where a connection is to lead, and until when it is worth anything.
#[derive(Clone)]
struct Goal {
    host: HostName,
    port: u16,
    begun: Instant,
    end: Instant,
}

impl Dialling {
    /// Begins to connect to this port before `end`. The rules of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (and of the
    /// system's settings on macOS and Windows) are those of every HTTPS request of this program: the same code reads
    /// them. This very computer is never looked for behind a proxy.
    pub(crate) fn start(host: &HostName, port: u16, end: Instant) -> Result<Self, CarryError> {
        Self::start_through(proxy_for(host), host, port, end)
    }

    fn start_through(
        proxy: Option<Intercept>,
        host: &HostName,
        port: u16,
        end: Instant,
    ) -> Result<Self, CarryError> {
        let (tell, told) = mpsc::sync_channel(1);
        let goal = Goal { host: host.clone(), port, begun: Instant::now(), end };
        let resolved = Arc::new(AtomicBool::new(false));
        let dialling = Self {
            told,
            goal: goal.clone(),
            proxy: proxy.as_ref().map(shown),
            resolved: Arc::clone(&resolved),
        };
        let thread = thread::Builder::new().name("dial".to_owned());
        let started = thread.spawn(move || drop(tell.send(dial(proxy.as_ref(), &goal, &resolved))));
        started.map_err(|error| CarryError::Cut { host: host.clone(), reason: error.to_string() })?;
        Ok(dialling)
    }

    /// Waits for the connection.
    pub(crate) fn finish(self) -> Result<TcpStream, CarryError> {
        self.told.recv_timeout(left(self.goal.end)).unwrap_or_else(|_| Err(self.silence()))
    }

    /// Who did not answer: the thread's own limits end at the same moment, so it may not have said so itself.
    fn silence(&self) -> CarryError {
        let host = self.goal.host.to_string();
        let resolved = self.resolved.load(Ordering::Relaxed);
        let route = match (&self.proxy, resolved) {
            (Some(proxy), true) => return refused(proxy, self.goal.unanswered()),
            (Some(proxy), false) => return refused(proxy, format!("cannot be used: {NO_NAMES}")),
            (None, true) => RouteError::TimedOut { host, port: self.goal.port, after: self.goal.limit() },
            (None, false) => RouteError::OwnNetwork { host, cause: NO_NAMES.to_owned() },
        };
        Box::new(route).into()
    }
}

impl Goal {
    /// The limit, in whole seconds.
    fn limit(&self) -> Duration {
        let limit = self.end.saturating_duration_since(self.begun);
        Duration::from_secs(limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }

    /// As it follows on "the proxy ...".
    fn unanswered(&self) -> String {
        format!("does not answer within {} s", self.limit().as_secs())
    }
}

fn dial(proxy: Option<&Intercept>, goal: &Goal, resolved: &AtomicBool) -> Result<TcpStream, CarryError> {
    match proxy {
        None => connect(goal.host.as_str(), goal.port, goal.end, resolved).map_err(|e| Box::new(e).into()),
        Some(proxy) => through(proxy, goal, resolved),
    }
}

/// What is left until `end`, and never nothing, which a socket takes for no limit at all.
pub(crate) fn left(end: Instant) -> Duration {
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

fn connect(host: &str, port: u16, end: Instant, resolved: &AtomicBool) -> Result<TcpStream, RouteError> {
    let started = Instant::now();
    let addresses: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|cause| name_error(host.to_owned(), &cause))?.collect();
    resolved.store(true, Ordering::Relaxed);
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

fn refused(proxy: &str, reason: String) -> CarryError {
    CarryError::Proxy { proxy: proxy.to_owned(), reason, no_way: false }
}

fn through(proxy: &Intercept, goal: &Goal, resolved: &AtomicBool) -> Result<TcpStream, CarryError> {
    let (Goal { host, port, end, .. }, (scheme, name, its_port)) = (goal, parts(proxy));
    let shown = shown(proxy);
    let refuse = |reason: String, no_way| CarryError::Proxy { proxy: shown.clone(), reason, no_way };
    if !matches!(scheme, "http" | "socks5" | "socks5h") {
        return Err(refuse(format!("is of the kind {scheme}, which Moorline does not speak"), false));
    }
    let stream = connect(name, its_port, *end, resolved).map_err(|error| {
        let reason = match error {
            RouteError::TimedOut { .. } => goal.unanswered(),
            // The rest of the sentence would be about the host.
            RouteError::OwnNetwork { cause, .. } => format!("cannot be used: {cause}"),
            RouteError::NameUnknown { .. } => "cannot be used: its name does not resolve".to_owned(),
            error => format!("cannot be used: {error}"),
        };
        refuse(reason, false)
    })?;
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => refuse(goal.unanswered(), false),
        _ => refuse(format!("hung up ({error})"), false),
    };
    let mut timed = Timed { stream: &stream, end: *end };
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
    end: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        if Instant::now() >= self.end {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(Some(left(self.end)))
        }
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

/// What an address that was not reached means.
pub(crate) fn connect_error(host: &str, port: u16, cause: io::Error) -> RouteError {
    let host = host.to_owned();
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => RouteError::Refused { host, port },
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            RouteError::OwnNetwork { host, cause: "no route out".to_owned() }
        }
        _ => RouteError::Unreachable { host, port, cause },
    }
}

/// What a name that was not resolved means.
pub(crate) fn name_error(host: String, cause: &io::Error) -> RouteError {
    // The C library's EAI_AGAIN has no code of its own in io::Error; its text is never translated here.
    let text = cause.to_string();
    if text.contains("Temporary failure") {
        RouteError::OwnNetwork { host, cause: "no name server answered".to_owned() }
    } else {
        RouteError::NameUnknown { host }
    }
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
        let dialling = Dialling::start_through(intercept, &host, 4022, Instant::now() + LIMIT).unwrap();
        match dialling.finish().unwrap_err() {
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
        let (_tell, told) = mpsc::sync_channel(1);
        let now = Instant::now();
        let goal = Goal { host: "far.example".parse().unwrap(), port: 22, begun: now, end: now };
        let mut dialling = Dialling { told, goal, proxy: None, resolved: Arc::new(AtomicBool::new(false)) };
        assert!(dialling.silence().to_string().starts_with("this computer has no network connection"));
        dialling.resolved.store(true, Ordering::Relaxed);
        assert!(dialling.silence().to_string().starts_with("far.example port 22 did not answer within"));
        dialling.proxy = Some("p:3128".to_owned());
        assert!(dialling.silence().to_string().starts_with("the proxy p:3128 does not answer within"));
        dialling.resolved.store(false, Ordering::Relaxed);
        let unnamed = "the proxy p:3128 cannot be used: no name server answered";
        assert!(dialling.silence().to_string().starts_with(unnamed));
    }
}
