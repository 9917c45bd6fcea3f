//! The own SSH client: a key exchange over a route, up to the point where the server's key is proven.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moorline_model::text::shown;
use moorline_ssh_files::{HostKey, KeyAlgorithm};
use russh::client::{self, Handle};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Preferred, SshId, cipher};
use tokio::io::BufReader;
use tokio::sync::watch;
use tokio::time::Instant;

use super::activity_stream::{Watch, Watched};
use super::failure::SshFailure;
use super::probe_error::ProbeError;
use super::route::{ProxyArgv, Route, Said};

/// How long a server may say nothing before it is asked for a sign of life.
pub const PING_EVERY: Duration = Duration::from_secs(5);

/// Decides whether to go on once the server has proven that it holds its key.
pub(super) enum Accept {
    /// Learn the key, then hang up. Of several keys the server shows one of these types if it can.
    Nothing(Vec<KeyAlgorithm>),
    /// Learn the key of this type, then hang up.
    NothingBut(KeyAlgorithm),
    /// Go on only if the key is one of these.
    OneOf(Vec<HostKey>),
}

/// What a key exchange came to.
pub(super) enum Exchange {
    /// The key was not accepted and the connection is gone; nothing but the key exchange took place.
    Stopped(HostKey),
    /// The key was accepted.
    Ready(Connection),
}

/// A connection whose server has proven an accepted key; nobody is logged in yet. Dropping it cuts the stream.
pub(super) struct Connection {
    pub(super) handle: Handle<Gate>,
    /// The key that it has proven.
    pub(super) key: HostKey,
    /// Its sender is dropped when the connection has ended.
    pub(super) stands: watch::Receiver<()>,
    /// What comes over it, and the way to cut it.
    pub(super) watch: Watch,
}

/// Checks the server's key, and remembers it.
pub(super) struct Gate {
    accept: Accept,
    seen: Arc<Mutex<Option<Presented>>>,
    _standing: watch::Sender<()>,
}

enum Presented {
    Key(HostKey),
    Unusable(String),
}

impl client::Handler for Gate {
    type Error = russh::Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let presented = match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => match usable(key) {
                Some(key) => Presented::Key(key),
                None => Presented::Unusable(format!("a host key of type {}", key.algorithm())),
            },
            PublicKeyOrCertificate::Certificate(_) => Presented::Unusable("a host certificate".to_owned()),
        };
        let accepted = match (&self.accept, &presented) {
            (Accept::OneOf(keys), Presented::Key(key)) => keys.contains(key),
            _ => false,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
        Ok(accepted)
    }
}

impl Purpose {
    /// In bytes.
    fn read_ahead(self) -> usize {
        match self {
            Self::Talk => 4 * 1024,
            Self::Stand => 1024,
            Self::Carry => 256 * 1024,
        }
    }

    fn tune(self, config: client::Config) -> client::Config {
        match self {
            Self::Talk => config,
            // russh's own keepalives: what is asked of it through its queues stays in memory, slot by slot. Whether
            // they are answered in time is judged by whoever watches the stream.
            Self::Stand => {
                client::Config { keepalive_interval: Some(PING_EVERY), keepalive_max: 0, ..config }
            }
            Self::Carry => client::Config {
                // Twice OpenSSH's own, so that the connections inside are held up by their own windows alone.
                window_size: 4 * 1024 * 1024,
                // A reader that falls behind is buffered for with a limit in bytes, not in messages.
                channel_buffer_size: 1024,
                keepalive_interval: Some(Duration::from_secs(15)),
                keepalive_max: 3,
                preferred: Preferred { cipher: Cow::Owned(ciphers()), ..config.preferred },
                ..config
            },
        }
    }
}

/// russh's order, but AES-GCM goes first where the processor has instructions for it.
fn ciphers() -> Vec<cipher::Name> {
    let mut order = Preferred::DEFAULT.cipher.into_owned();
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    let quick = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let quick = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    let quick = false;
    if quick {
        order.sort_by_key(|name| *name != cipher::AES_256_GCM);
    }
    order
}

fn usable(key: &PublicKey) -> Option<HostKey> {
    let blob = key.to_bytes().ok()?;
    HostKey::from_blob(&blob).ok()
}

/// What a connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A few small messages.
    Talk,
    /// The same for hours, with a keepalive whenever nothing came for [`PING_EVERY`].
    Stand,
    /// Other people's connections, as fast as they come.
    Carry,
}

/// Opens `route` and runs the key exchange, all of it before `end`.
pub(super) async fn exchange(route: &Route, accept: Accept, end: Instant) -> Result<Exchange, ProbeError> {
    exchange_for(Purpose::Talk, route, accept, end).await
}

/// As [`exchange`], for this purpose.
pub(super) async fn exchange_for(
    purpose: Purpose,
    route: &Route,
    accept: Accept,
    end: Instant,
) -> Result<Exchange, ProbeError> {
    let started = Instant::now();
    let limit = end.saturating_duration_since(started);
    let wire = route.open(limit).await?;
    let said = wire.said();
    // russh reads each packet in two steps; one read of the stream serves many of them.
    let (stream, watch) = Watched::new(BufReader::with_capacity(purpose.read_ahead(), wire));
    let seen = Arc::new(Mutex::new(None));
    let config = Arc::new(purpose.tune(config(&accept)));
    let (standing, stands) = watch::channel(());
    let gate = Gate { accept, seen: Arc::clone(&seen), _standing: standing };
    let outcome = tokio::time::timeout_at(end, client::connect_stream(config, stream, gate)).await;
    let presented = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (outcome, presented) {
        (Ok(Ok(handle)), Some(Presented::Key(key))) => {
            Ok(Exchange::Ready(Connection { handle, key, stands, watch }))
        }
        (_, Some(Presented::Key(key))) => Ok(Exchange::Stopped(key)),
        (_, Some(Presented::Unusable(what))) => {
            Err(ProbeError::KeyExchange { reason: format!("it shows {what}, which Moorline cannot pin") })
        }
        (Ok(Ok(_)), None) => Err(ProbeError::KeyExchange { reason: "it showed no host key".to_owned() }),
        (Ok(Err(cause)), None) => Err(explain(route, &watch.head(), said, Some(&cause), limit).await),
        (Err(_), None) => Err(explain(route, &watch.head(), said, None, limit).await),
    }
}

/// Tells why no host key came. `cause` is absent when time ran out.
async fn explain(
    route: &Route,
    head: &[u8],
    said: Option<Said>,
    cause: Option<&russh::Error>,
    limit: Duration,
) -> ProbeError {
    if let Some(line) = first_line_of_another_protocol(head) {
        return ProbeError::NotSsh { said: line };
    }
    if !head.is_empty() {
        let reason = match cause {
            Some(russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_)) => {
                "it hung up in the middle of it".to_owned()
            }
            Some(russh::Error::NoCommonAlgo { kind, theirs, .. }) => {
                let theirs = shown(&theirs.join(", "), 120);
                format!("it offers only {theirs} for {kind:?}, which Moorline does not speak")
            }
            Some(other) => shown(&other.to_string(), 160),
            None => format!("it did not finish within {} s", limit.as_secs()),
        };
        return ProbeError::KeyExchange { reason };
    }
    // A proxy prints its reason at about the time it closes its output; wait for it, but not for long.
    let printed = match (said, cause) {
        (Some(said), Some(_)) => said.at_end(Duration::from_millis(500)).await,
        (Some(said), None) => said.so_far(),
        (None, _) => String::new(),
    };
    let failure = SshFailure::read(&printed);
    match (route, cause) {
        (Route::Program(ProxyArgv { argv, .. }), _) if failure != SshFailure::Other(String::new()) => {
            ProbeError::Proxy { host: argv.last().cloned().unwrap_or_default(), failure }
        }
        (_, Some(_)) => ProbeError::ClosedAtOnce,
        (_, None) => ProbeError::Silent { after: limit },
    }
}

/// The first line, if these bytes are not the beginning of an SSH server's greeting (RFC 4253 section 4.2 lets
/// other lines precede it).
fn first_line_of_another_protocol(head: &[u8]) -> Option<String> {
    let greets = |line: &[u8]| {
        let known = line.len().min(4);
        known > 0 && line.get(..known) == b"SSH-".get(..known)
    };
    if head.is_empty() || head.split(|b| *b == b'\n').any(greets) {
        return None;
    }
    let first = head.split(|b| *b == b'\n').next().unwrap_or_default();
    Some(shown(String::from_utf8_lossy(first).trim_end(), 80))
}

fn config(accept: &Accept) -> client::Config {
    let mut order = algorithms();
    match accept {
        // The wanted types go first, or a server with several keys would show one of the others.
        Accept::Nothing(first) => order.sort_by_key(|a| !first.iter().any(|held| same_type(*held, a))),
        Accept::OneOf(keys) => order.sort_by_key(|a| !keys.iter().any(|key| same_type(key.algorithm(), a))),
        Accept::NothingBut(only) => order.retain(|a| same_type(*only, a)),
    }
    let preferred = Preferred { key: Cow::Owned(order), ..Preferred::default() };
    let id = concat!("SSH-2.0-Moorline_", env!("CARGO_PKG_VERSION"));
    client::Config { client_id: SshId::Standard(Cow::Borrowed(id)), preferred, ..client::Config::default() }
}

/// The host key algorithms of [`HostKey`], best first; RSA only with SHA-2 signatures.
fn algorithms() -> Vec<Algorithm> {
    vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ]
}

fn same_type(held: KeyAlgorithm, offered: &Algorithm) -> bool {
    match offered {
        Algorithm::Rsa { .. } => held == KeyAlgorithm::Rsa,
        other => other.as_str() == held.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_told_from_other_protocols() {
        for ssh in [&b""[..], b"SSH-2.0-x\r\n", b"SS", b"Welcome\r\nSSH-2.0-x\r\n", b"SSH-1.5-old\n"] {
            assert_eq!(first_line_of_another_protocol(ssh), None, "{ssh:?}");
        }
        assert_eq!(
            first_line_of_another_protocol(b"HTTP/1.1 400 Bad Request\r\nServer: SSH-x"),
            Some("HTTP/1.1 400 Bad Request".to_owned())
        );
        assert_eq!(first_line_of_another_protocol(b"\x16\x03\x01"), Some("\\u{16}\\u{3}\\u{1}".to_owned()));
    }
}
