//! The server's end of a WebSocket (RFC 6455) with sshd behind it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::internet::Tls;

/// A request's first line and its headers.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) target: String,
    headers: Vec<(String, String)>,
    pub(super) text: String,
}

/// How the stream is carried.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// What a message has beyond this is dropped, and nobody is told.
    pub(super) most: usize,
    /// How often a ping is sent.
    pub(super) ping: Duration,
    /// How many pings are sent before anything is read.
    pub(super) first: usize,
    /// Counts the answers to pings.
    pub(super) pongs: Arc<AtomicUsize>,
}

/// How much cloudflared's origin reads from sshd at once, and puts into one message.
pub(super) const CHUNK: usize = 16 * 1024;

/// How many pings are sent in one go.
const PINGS: usize = 128;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Request {
    pub(super) async fn read(stream: &mut Tls) -> io::Result<Self> {
        let text = crate::internet::head(stream).await?;
        let mut lines = text.lines();
        let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Ok(Self { target, headers, text: text.clone() })
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Whether it asks for nothing but a plain WebSocket.
    pub(super) fn is_plain_upgrade(&self) -> bool {
        self.text.starts_with("GET ")
            && self.text.contains(" HTTP/1.1\r\n")
            && self.header("upgrade").eq_ignore_ascii_case("websocket")
            && self.header("connection").eq_ignore_ascii_case("upgrade")
            && self.header("sec-websocket-version") == "13"
            && self.header("sec-websocket-protocol").is_empty()
            && self.header("sec-websocket-extensions").is_empty()
    }
}

/// Says no.
pub(super) async fn refuse(stream: &mut Tls, status: &str, more: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Says yes, and carries until one side ends; no goodbye is said.
pub(super) async fn carry(
    mut stream: Tls,
    request: &Request,
    sshd: TcpStream,
    manner: Manner,
) -> io::Result<()> {
    let accept = accept_key(request.header("sec-websocket-key"));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    if manner.first > 0 {
        // Until the client has written all that it can.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for _ in 0..manner.first / PINGS {
        stream.write_all(&pings()).await?;
    }
    stream.flush().await?;
    sshd.set_nodelay(true)?;
    let (client_in, client_out) = tokio::io::split(stream);
    let (sshd_in, sshd_out) = sshd.into_split();
    let (pong, pongs) = mpsc::unbounded_channel();
    // The first direction that ends, ends both.
    tokio::select! {
        ended = up(client_in, sshd_out, &manner, pong) => ended,
        ended = down(sshd_in, client_out, &manner, pongs) => ended,
    }
}

async fn up(
    client: impl AsyncRead + Unpin,
    mut sshd: impl AsyncWrite + Unpin,
    manner: &Manner,
    pong: mpsc::UnboundedSender<Vec<u8>>,
) -> io::Result<()> {
    let mut client = tokio::io::BufReader::with_capacity(64 * 1024, client);
    let mut payload = Vec::new();
    loop {
        let (first, second) = (client.read_u8().await?, client.read_u8().await?);
        let length = match second & 0x7f {
            126 => u64::from(client.read_u16().await?),
            127 => client.read_u64().await?,
            short => u64::from(short),
        };
        assert!(second & 0x80 != 0, "a client masks what it sends");
        assert!(first & 0xf0 == 0x80, "whole messages without extensions are all that this client sends");
        let mut mask = [0; 4];
        client.read_exact(&mut mask).await?;
        payload.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        client.read_exact(&mut payload).await?;
        unmask(&mut payload, mask);
        match first & 0x0f {
            BINARY => sshd.write_all(payload.get(..manner.most).unwrap_or(&payload)).await?,
            PING => drop(pong.send(payload.clone())),
            PONG => drop(manner.pongs.fetch_add(1, Ordering::Relaxed)),
            CLOSE => return Ok(()),
            other => panic!("a frame of kind {other} carries no SSH"),
        }
    }
}

async fn down(
    mut sshd: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    manner: &Manner,
    mut pongs: mpsc::UnboundedReceiver<Vec<u8>>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut pings = tokio::time::interval(manner.ping);
    pings.tick().await;
    let mut frame = Vec::new();
    loop {
        frame.clear();
        tokio::select! {
            read = sshd.read(&mut chunk) => match read? {
                0 => return client.shutdown().await,
                count => put(&mut frame, BINARY, &chunk[..count]),
            },
            Some(ping) = pongs.recv() => put(&mut frame, PONG, &ping),
            _ = pings.tick() => put(&mut frame, PING, b"still there?"),
        }
        client.write_all(&frame).await?;
        client.flush().await?;
    }
}

/// As many of the longest pings as fit into a TLS record.
fn pings() -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..PINGS {
        put(&mut frames, PING, &[b'p'; 125]);
    }
    frames
}

/// RFC 6455, section 5.3; eight bytes at a time, so that the edge is not what a benchmark measures.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

fn put(frame: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    frame.push(0x80 | kind);
    if let Ok(short @ 0..=125) = u8::try_from(payload.len()) {
        frame.push(short);
    } else {
        frame.push(126);
        frame.extend_from_slice(&u16::try_from(payload.len()).expect("chunks are small").to_be_bytes());
    }
    frame.extend_from_slice(payload);
}

/// RFC 6455, section 4.2.2.
fn accept_key(key: &str) -> String {
    tungstenite::handshake::derive_accept_key(key.as_bytes())
}
