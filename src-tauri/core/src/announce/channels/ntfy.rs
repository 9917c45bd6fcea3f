//! A topic on an ntfy server: a stream of JSON lines (ntfy's documentation, "Subscribe via API").
//!
//! The topic's name comes from the session key, and is as secret as a door without a lock can be: it stands in the
//! request's path and nowhere else, neither in a log nor in an error.

use std::time::Duration;

use futures_util::future::BoxFuture;
use moorline_model::channel_settings::Server;
use moorline_model::random::random as jitter;
use moorline_model::session_key::Topic;
use moorline_ssh_files::Alias;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use super::channel::{Channel, Ear, Heard, Post};
use crate::net::http;

/// A server sends a sign of life every 45 s (ntfy's default; every minute at most).
const SILENT: Duration = Duration::from_secs(130);

const CONNECT: Duration = Duration::from_secs(15);

/// A server says `open` at once. One that takes the request and says nothing (a captive portal, a proxy whose other end
/// is gone) would leave this channel deaf for ever.
const HEAD: Duration = Duration::from_secs(30);

/// A message has at most 4 KiB; JSON may double that, and more is noise.
const LONGEST_LINE: usize = 16 * 1024;

/// A stream that stood this long was a good one.
const PROVEN: Duration = Duration::from_secs(60);

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// After "too many requests": at first, and at most.
const LIMITED: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));

/// One topic.
pub(super) struct Ntfy {
    session: Alias,
    server: Server,
    topic: Topic,
    /// How long an answer's head may take, with all that comes before it.
    head: Duration,
    /// The last message that was handed on: the stream goes on after it.
    since: Option<String>,
}

/// How a stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody listens any more.
    Unheard,
    /// It broke, or could not be opened.
    Broken,
    /// The server wants to be left alone, for at least this long.
    Limited(Duration),
}

/// One line of the stream. `event` is `open`, `keepalive`, `message` or `poll_request`.
#[derive(Deserialize)]
struct Line {
    id: String,
    event: String,
    #[serde(default)]
    message: String,
}

impl Ntfy {
    pub(super) fn new(post: &Post) -> Self {
        let (session, server) = (post.session.name.clone(), post.settings.ntfy_server.clone());
        Self { session, server, topic: post.topic.clone(), head: HEAD, since: None }
    }

    async fn run(mut self, ear: Ear) {
        let session = self.session.clone();
        let client = match client(&self.server) {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(%session, error = %error.without_url(), "no ntfy server can be asked");
                return ear.closed().await;
            }
        };
        let mut waits = Waits::default();
        loop {
            let began = Instant::now();
            let end = tokio::select! {
                end = self.stream(&client, &ear) => end,
                () = ear.closed() => End::Unheard,
            };
            let wait = match end {
                End::Unheard => return,
                other => waits.next(other, began.elapsed(), jitter()),
            };
            tracing::debug!(%session, ?end, ?wait, "the ntfy stream ended");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = ear.closed() => return,
            }
        }
    }

    async fn stream(&mut self, client: &Client, ear: &Ear) -> End {
        // Without `since` a server tells only what comes from now on; what came meanwhile would be lost.
        let since = self.since.as_deref().unwrap_or("all");
        let url = format!("{}/{}/json?since={since}", self.server, self.topic.expose());
        let mut answer = match tokio::time::timeout(self.head, client.get(url).send()).await {
            Ok(Ok(answer)) => answer,
            Err(_) => {
                tracing::info!(session = %self.session, "the ntfy server takes the request and says nothing");
                return End::Broken;
            }
            Ok(Err(error)) => {
                tracing::debug!(error = %error.without_url(), "the ntfy server cannot be reached");
                return End::Broken;
            }
        };
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return End::Limited(retry_after(&answer));
        }
        if !answer.status().is_success() {
            tracing::info!(session = %self.session, status = %answer.status(), "the ntfy server refuses");
            return End::Broken;
        }
        let mut lines = Lines::default();
        loop {
            let Ok(Ok(Some(chunk))) = tokio::time::timeout(SILENT, answer.chunk()).await else {
                return End::Broken;
            };
            // A server may also send nothing but pieces without a line's end.
            ear.pause().await;
            for line in lines.feed(&chunk) {
                let line = serde_json::from_slice::<Line>(&line).ok().filter(|line| line.event == "message");
                let Some(line) = line else {
                    ear.pause().await;
                    continue;
                };
                if !ear.hear(Heard::line(line.message.trim())).await {
                    return End::Unheard;
                }
                self.since = Some(line.id).filter(|id| is_id(id)).or(self.since.take());
            }
        }
    }
}

impl Channel for Ntfy {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear))
    }
}

/// How long to wait before the next try.
#[derive(Debug, Default)]
struct Waits {
    tries: u32,
    limited: u32,
}

impl Waits {
    /// `jitter` is from 0 to 1.
    fn next(&mut self, end: End, stood: Duration, jitter: f64) -> Duration {
        if stood >= PROVEN {
            *self = Self::default();
        }
        let (wait, longest) = match end {
            End::Limited(asked) => {
                self.limited += 1;
                (LIMITED.0.saturating_mul(1 << (self.limited - 1).min(10)).max(asked), LIMITED.1)
            }
            End::Broken | End::Unheard => {
                self.tries += 1;
                (FIRST_WAIT.saturating_mul(1 << (self.tries - 1).min(10)), LONGEST_WAIT)
            }
        };
        let wait = wait.min(longest);
        // What the server asks for is the least; else half of each wait is certain.
        if matches!(end, End::Limited(_)) {
            wait + wait.mul_f64(0.25 * jitter)
        } else {
            wait.mul_f64(0.5 + jitter / 2.0)
        }
    }
}

/// Cuts a stream into lines. A line that is too long is left out.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
    /// Until the next line end everything belongs to a line that is too long.
    skipping: bool,
}

impl Lines {
    fn feed(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            self.add(line);
            let line = std::mem::take(&mut self.begun);
            if !std::mem::take(&mut self.skipping) {
                whole.push(line);
            }
        }
        self.add(bytes);
        whole
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.skipping || self.begun.len() + bytes.len() > LONGEST_LINE {
            self.skipping = true;
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }
}

fn client(server: &Server) -> reqwest::Result<Client> {
    // A server of one's own may speak plain HTTP on this computer; the settings allow it nowhere else.
    http::builder_to(server.host()).https_only(false).connect_timeout(CONNECT).build()
}

/// The id of a message goes back to the server as part of an address.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn retry_after(answer: &Response) -> Duration {
    let header = answer.headers().get(reqwest::header::RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;
    use moorline_model::channel_settings::ChannelKind;
    use moorline_model::session_key::SessionKey;

    #[tokio::test]
    async fn a_server_that_takes_the_request_and_says_nothing_is_asked_again() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ntfy = Ntfy {
            session: "colab".parse().unwrap(),
            server: format!("http://{}", silent.local_addr().unwrap()).parse().unwrap(),
            topic: SessionKey::random(1).unwrap().topic(),
            head: Duration::from_millis(300),
            since: None,
        };
        let (to, _heard) = mpsc::channel(1);
        let listening = tokio::spawn(ntfy.run(Ear::new(ChannelKind::Ntfy, to)));
        let mut held = Vec::new();
        for nth in 1..=2 {
            let accepted = tokio::time::timeout(Duration::from_secs(60), silent.accept()).await;
            let (mut asking, _) = accepted.unwrap_or_else(|_| panic!("it asks {nth} times")).unwrap();
            let mut request = [0; 4];
            asking.read_exact(&mut request).await.unwrap();
            assert_eq!(&request, b"GET ");
            // Open, and silent, for as long as this test lasts.
            held.push(asking);
        }
        listening.abort();
    }

    #[tokio::test]
    async fn a_flood_is_read_at_a_pace() {
        let flood = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ntfy = Ntfy {
            session: "colab".parse().unwrap(),
            server: format!("http://{}", flood.local_addr().unwrap()).parse().unwrap(),
            topic: SessionKey::random(1).unwrap().topic(),
            head: HEAD,
            since: None,
        };
        tokio::spawn(async move {
            let (mut asking, _) = flood.accept().await.unwrap();
            asking.read_exact(&mut [0; 4]).await.unwrap();
            asking.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mixed = "{\"id\":\"a\",\"event\":\"message\",\"message\":\"ml1.x\"}\n{}\n".repeat(100);
            while asking.write_all(mixed.as_bytes()).await.is_ok() {}
        });
        let (to, mut heard) = mpsc::channel(16);
        let listening = tokio::spawn(ntfy.run(Ear::new(ChannelKind::Ntfy, to)));
        let (mut lines, mut began) = (0, None);
        while began.is_none_or(|began: Instant| began.elapsed() < Duration::from_secs(2)) {
            heard.recv().await.unwrap();
            began.get_or_insert_with(Instant::now);
            lines += 1;
        }
        // With a second of delay by other programs: 500 at once, and 500 a second.
        assert!((100..=2000).contains(&lines), "{lines} lines in two seconds");
        listening.abort();
    }

    #[test]
    fn lines_come_whole_however_the_stream_is_cut() {
        let stream = b"{\"a\":1}\n\n{\"b\":2}\nrest";
        for size in 1..=stream.len() {
            let mut lines = Lines::default();
            let whole: Vec<Vec<u8>> = stream.chunks(size).flat_map(|chunk| lines.feed(chunk)).collect();
            assert_eq!(
                whole,
                [b"{\"a\":1}".to_vec(), Vec::new(), b"{\"b\":2}".to_vec()],
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_the_next_is_read() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            assert!(lines.feed(&[b'x'; 1000]).is_empty());
        }
        assert!(lines.begun.capacity() <= 2 * LONGEST_LINE);
        assert_eq!(lines.feed(b"x\nnext\n"), [b"next".to_vec()]);
    }

    #[test]
    fn a_server_is_asked_ever_more_slowly_and_as_slowly_as_it_wants() {
        let mut waits = Waits::default();
        let none = Duration::ZERO;
        let broken: Vec<u64> = (0..8).map(|_| waits.next(End::Broken, none, 1.0).as_secs()).collect();
        assert_eq!(broken, [1, 2, 4, 8, 16, 32, 60, 60]);
        let limited: Vec<u64> = (0..7).map(|_| waits.next(End::Limited(none), none, 0.0).as_secs()).collect();
        assert_eq!(limited, [15, 30, 60, 120, 240, 480, 600]);
        assert_eq!(waits.next(End::Broken, PROVEN, 0.0), FIRST_WAIT / 2, "a good stream resets it");
        let asked = Duration::from_secs(90);
        assert!(waits.next(End::Limited(asked), none, 0.0) >= asked);
        let forever = End::Limited(Duration::from_secs(u64::MAX));
        assert!(waits.next(forever, none, 1.0) <= LIMITED.1.mul_f64(1.25), "no server switches it off");
    }

    #[test]
    fn no_id_can_change_the_address() {
        assert!(is_id("xE73Iyuabi"));
        for bad in ["", "a&poll=1", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
