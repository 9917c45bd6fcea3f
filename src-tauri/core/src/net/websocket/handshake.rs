//! Opening the way: TCP, TLS, and the upgrade to a WebSocket, all on the calling thread and before one moment.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use moorline_ssh_files::HostName;
use rustls::Error;
use tungstenite::handshake::client::{Response, generate_key};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;

use super::edge::{Edge, Refusal};
use super::frames::{Heard, Inbound, Masks, put_pong};
use super::tls::{self, Tls};
use crate::net::connect::left;
use crate::net::dial::Dialling;
use crate::net::error::CarryError;

/// The port of every edge.
const PORT: u16 = 443;

/// The most that the head of an answer may have.
const HEAD: usize = 32 * 1024;

/// How much of a refusal's body is read, and for how long: it may name the cause.
const BODY: usize = 8 * 1024;
const BODY_TIME: Duration = Duration::from_secs(1);

/// What is read at once while the way is opened.
const ROOM: usize = 16 * 1024;

/// An open way to sshd.
pub(super) struct Opened {
    pub(super) host: HostName,
    pub(super) tcp: TcpStream,
    pub(super) tls: Tls,
    pub(super) inbound: Inbound,
    pub(super) masks: Masks,
    /// What sshd said already.
    pub(super) first: Vec<u8>,
}

/// Opens the way within `limit`.
pub(super) fn open(edge: &Edge, limit: Duration) -> Result<Opened, CarryError> {
    let end = Instant::now() + limit;
    let host = &edge.host;
    let dialling = Dialling::start(host, PORT, end)?;
    let config = tls::config().ok_or_else(|| CarryError::NoCertificates(host.clone()))?;
    let tcp = dialling.finish()?;
    let unproven = |error: Error| CarryError::Tls { host: host.clone(), reason: error.to_string() };
    let tls = Tls::new(config, host).map_err(unproven)?;
    let line = Line { host, tcp, tls, bytes: vec![0; ROOM], text: Vec::new(), ended: false, end, limit };
    line.upgrade(edge)
}

/// As [`open`], for async code: on a thread for what blocks.
pub(super) async fn open_apart(edge: &Edge, limit: Duration) -> Result<Opened, CarryError> {
    let for_thread = edge.clone();
    let opening = tokio::task::spawn_blocking(move || open(&for_thread, limit));
    opening.await.map_err(|error| cut(edge, &error))?
}

pub(super) fn cut(edge: &Edge, error: &impl ToString) -> CarryError {
    CarryError::Cut { host: edge.host.clone(), reason: error.to_string() }
}

/// The line while it is being opened.
struct Line<'a> {
    host: &'a HostName,
    tcp: TcpStream,
    tls: Tls,
    bytes: Vec<u8>,
    /// What was decrypted.
    text: Vec<u8>,
    /// The other side has ended its stream properly.
    ended: bool,
    end: Instant,
    limit: Duration,
}

impl Line<'_> {
    fn upgrade(mut self, edge: &Edge) -> Result<Opened, CarryError> {
        self.send()?;
        while self.tls.is_handshaking() {
            self.receive()?;
            self.send()?;
        }
        let key = generate_key();
        self.tls.seal(&edge.request(&key)).map_err(|error| self.unproven(&error))?;
        self.send()?;
        let (length, response) = loop {
            if let Some(whole) = self.head()? {
                break whole;
            }
            self.more()?;
        };
        if response.status() != 101 {
            return Err(edge.explain(&self.refusal(length, &response)));
        }
        check(&response, &key).map_err(|reason| self.odd(reason))?;
        self.tcp
            .set_read_timeout(None)
            .and_then(|()| self.tcp.set_write_timeout(None))
            .map_err(|e| self.cut(&e))?;
        let (mut inbound, mut masks, mut first, mut pongs) =
            (Inbound::default(), Masks::default(), Vec::new(), Vec::new());
        let heard = inbound.hear(self.text.get(length..).unwrap_or_default(), |heard| match heard {
            Heard::Data(data) => first.extend_from_slice(data),
            Heard::Ping(ping) => put_pong(&mut pongs, ping, &mut masks),
            Heard::Close => {}
        });
        heard.map_err(|broken| self.odd(broken.to_string()))?;
        if !pongs.is_empty() {
            self.tls.seal(&pongs).map_err(|error| self.unproven(&error))?;
        }
        Ok(Opened { host: self.host.clone(), tcp: self.tcp, tls: self.tls, inbound, masks, first })
    }

    /// The head of the answer and its length, once it is whole.
    fn head(&self) -> Result<Option<(usize, Response)>, CarryError> {
        if self.text.len() > HEAD {
            return Err(self.odd("its answer has no end".to_owned()));
        }
        // The parser takes a part of a header for a whole one that is wrong.
        if !self.text.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(None);
        }
        Response::try_parse(&self.text)
            .map_err(|error| self.odd(format!("it does not answer in HTTP: {error}")))
    }

    /// What came with a refusal, so far as it can be had in a short time.
    fn refusal(&mut self, head: usize, response: &Response) -> Refusal {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let length = header("content-length").parse().unwrap_or(BODY).min(BODY);
        self.end = self.end.min(Instant::now() + BODY_TIME);
        while self.text.len() < head + length && self.more().is_ok() {}
        let body = self.text.get(head..).unwrap_or_default();
        Refusal {
            status: response.status().as_u16(),
            location: header("location").to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// Waits for more text.
    fn more(&mut self) -> Result<(), CarryError> {
        let before = self.text.len();
        while self.text.len() == before {
            if self.ended {
                return Err(self.cut(&io::ErrorKind::UnexpectedEof.into()));
            }
            self.receive()?;
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), CarryError> {
        let mut out = Vec::new();
        self.tls.put(&mut out);
        let sent = self.tcp.set_write_timeout(Some(left(self.end))).and_then(|()| self.tcp.write_all(&out));
        sent.map_err(|error| self.cut(&error))
    }

    fn receive(&mut self) -> Result<(), CarryError> {
        if Instant::now() >= self.end {
            return Err(self.cut(&io::ErrorKind::TimedOut.into()));
        }
        let read =
            self.tcp.set_read_timeout(Some(left(self.end))).and_then(|()| self.tcp.read(&mut self.bytes));
        let count = match read {
            Ok(0) => return Err(self.cut(&io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(self.cut(&error)),
        };
        let incoming = self.bytes.get(..count).unwrap_or_default();
        let taken = self.tls.take(incoming, |text| self.text.extend_from_slice(text));
        self.ended |= taken.map_err(|error| {
            // The alert that says why; whether it arrives does not matter.
            let _ = self.send();
            self.unproven(&error)
        })?;
        Ok(())
    }

    fn cut(&self, error: &io::Error) -> CarryError {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                CarryError::TimedOut { host: self.host.clone(), after: self.limit }
            }
            _ => CarryError::Cut { host: self.host.clone(), reason: error.to_string() },
        }
    }

    fn unproven(&self, error: &Error) -> CarryError {
        match error {
            Error::InvalidMessage(_) => self.odd("it does not speak TLS".to_owned()),
            _ => CarryError::Tls { host: self.host.clone(), reason: error.to_string() },
        }
    }

    fn odd(&self, reason: String) -> CarryError {
        CarryError::Odd { host: self.host.clone(), reason }
    }
}

/// RFC 6455, section 4.1: what makes an answer the one to our question.
fn check(response: &Response, key: &str) -> Result<(), String> {
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let upgrades = header("connection").split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    if !upgrades || !header("upgrade").eq_ignore_ascii_case("websocket") {
        return Err("it upgrades to something else".to_owned());
    }
    if header("sec-websocket-accept") != derive_accept_key(key.as_bytes()) {
        return Err("it answers another question".to_owned());
    }
    if !header("sec-websocket-extensions").is_empty() || !header("sec-websocket-protocol").is_empty() {
        return Err("it wants a subprotocol or an extension that nobody offered".to_owned());
    }
    Ok(())
}
