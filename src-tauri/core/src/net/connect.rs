//! A TCP connection to a host and port, and why there is none.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(super) const NO_NAMES: &str = "no name server answered";

/// Why there is no connection to a host and port.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("the name {host} does not resolve; the tunnel may be gone, or the name misspelt")]
    NameUnknown {
        /// The name.
        host: String,
    },
    /// This machine has no way out: no network, or no name server answers.
    #[error("this computer has no network connection to {host} ({cause}); check your own network")]
    OwnNetwork {
        /// The name or address.
        host: String,
        /// The system's reason.
        cause: String,
    },
    /// The machine is there, nothing listens on the port.
    #[error("{host} port {port} refuses connections; the tunnel is down or its port has changed")]
    Refused {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The way there is broken somewhere else.
    #[error("{host} port {port} cannot be reached: {cause}")]
    Unreachable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The system's reason.
        cause: io::Error,
    },
    /// Nothing answered at all.
    #[error("{host} port {port} did not answer within {} s; the machine or its tunnel is gone, or a firewall is in the way", after.as_secs())]
    TimedOut {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The limit.
        after: Duration,
    },
}

/// The time that an attempt may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    begun: Instant,
    end: Instant,
}

impl Span {
    /// The time from now to `end`.
    pub fn until(end: Instant) -> Self {
        Self { begun: Instant::now(), end }
    }

    /// What is left of it; see [`left`].
    pub fn left(&self) -> Duration {
        left(self.end)
    }

    /// Whether nothing is left of it.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// All of it, in whole seconds.
    pub fn limit(&self) -> Duration {
        let limit = self.end.saturating_duration_since(self.begun);
        Duration::from_secs(limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }
}

/// What is left until `end`, and never nothing, which a socket takes for no limit at all.
pub(crate) fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Resolves the name, notes in `resolved` that it has an address, and connects to the first of its addresses that takes
/// the connection. The name server keeps to no limit: whoever must not wait for it runs this on a thread of its own.
pub(super) fn connect(
    host: &str,
    port: u16,
    span: Span,
    resolved: &AtomicBool,
) -> Result<TcpStream, ConnectError> {
    let addresses: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|cause| unresolved(host.to_owned(), &cause))?.collect();
    resolved.store(true, Ordering::Relaxed);
    let mut last = ConnectError::NameUnknown { host: host.to_owned() };
    for (tried, address) in addresses.iter().enumerate() {
        // Every address gets its share of what is left, so that a dead one does not use up the others' time.
        let share = span.left() / u32::try_from(addresses.len() - tried).unwrap_or(1);
        last = match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                // Without it a key exchange waits for delayed acknowledgements; a failure costs only speed.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(cause) => unconnected(host.to_owned(), port, span, cause),
        };
    }
    Err(last)
}

/// What an address that was not reached means.
fn unconnected(host: String, port: u16, span: Span, cause: io::Error) -> ConnectError {
    match cause.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            ConnectError::TimedOut { host, port, after: span.limit() }
        }
        io::ErrorKind::ConnectionRefused => ConnectError::Refused { host, port },
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            ConnectError::OwnNetwork { host, cause: "no route out".to_owned() }
        }
        _ => ConnectError::Unreachable { host, port, cause },
    }
}

/// What a name that was not resolved means.
fn unresolved(host: String, cause: &io::Error) -> ConnectError {
    // The C library's EAI_AGAIN has no code of its own in io::Error; its text is never translated here.
    if cause.to_string().contains("Temporary failure") {
        ConnectError::OwnNetwork { host, cause: NO_NAMES.to_owned() }
    } else {
        ConnectError::NameUnknown { host }
    }
}
