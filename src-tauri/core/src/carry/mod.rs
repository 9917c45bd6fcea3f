//! Carrying SSH over a WebSocket: to a Cloudflare tunnel, or to Colab's own SSH.
//!
//! One [`Carrier`] serves two uses. [`Carrier::pump`] carries a `ProxyCommand`'s standard streams with two blocking
//! threads and starts no async runtime. [`Carrier::connect`] gives an async stream, for the watcher, the host-key probe
//! and the login. What neither does again is shared: dialling ([`dial`], [`socks`]), TLS ([`tls`]), the upgrade
//! ([`edge`], [`open`]) and the frames ([`frames`]). Every failure is a [`CarryError`].

mod dial;
mod edge;
mod error;
mod frames;
mod open;
mod outgoing;
mod pump;
mod socks;
mod stream;
mod tls;
mod token;

use std::time::Duration;

use moorline_ssh_files::HostName;
use secrecy::SecretString;

use edge::{Edge, Kind};

pub use error::CarryError;
pub use stream::Carried;
pub use token::ServiceToken;

/// A way that can be opened, as often as it is needed. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Carrier {
    edge: Edge,
}

/// The tunnel behind this host name, with the service token that the person gave for exactly this name, if any.
pub fn cloudflare(host: HostName, token: Option<ServiceToken>) -> Carrier {
    Carrier { edge: Edge { host, kind: Kind::Cloudflare { token } } }
}

/// A Colab runtime's own SSH: the host of its address and the token that came with it. It lets the key of
/// `public_key` in, one line as in a `.pub` file, for this one connection. It takes one connection at a time.
pub fn colab(host: HostName, token: SecretString, public_key: String) -> Carrier {
    Carrier { edge: Edge { host, kind: Kind::Colab { token, public_key } } }
}

impl Carrier {
    /// The host that is dialled.
    pub fn host(&self) -> &HostName {
        &self.edge.host
    }

    /// Opens the way within `limit`, and carries standard input there and what comes to standard output until either
    /// ends. Blocks; meant for a process that does nothing else, and ends with it.
    ///
    /// # Errors
    /// The way cannot be opened, or sshd says nothing within `limit`.
    pub fn pump(&self, limit: Duration) -> Result<(), CarryError> {
        pump::run(open::open(&self.edge, limit)?, limit)
    }

    /// Opens the way within `limit`. Within a tokio runtime.
    ///
    /// # Errors
    /// The way cannot be opened.
    pub async fn connect(&self, limit: Duration) -> Result<Carried, CarryError> {
        let (edge, host) = (self.edge.clone(), self.edge.host.clone());
        let opening = tokio::task::spawn_blocking(move || open::open(&edge, limit));
        let cut = |reason: String| CarryError::Cut { host: host.clone(), reason };
        let opened = opening.await.map_err(|error| cut(error.to_string()))??;
        Carried::new(opened).map_err(|error| cut(error.to_string()))
    }
}
