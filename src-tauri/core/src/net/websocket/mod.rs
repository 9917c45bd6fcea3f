//! Carrying SSH over a WebSocket: to a Cloudflare tunnel, or to Colab's own SSH.
//!
//! One [`Carrier`] serves two uses. [`Carrier::pump`] carries a `ProxyCommand`'s standard streams with blocking threads
//! (one for each direction, one that answers pings) and starts no async runtime. [`Carrier::connect`] gives an async
//! stream, for the watcher, the host-key probe and the login. What neither does again is shared: dialling
//! ([`dial`](crate::net::dial), [`socks`](crate::net::socks)), TLS (`tls`), the upgrade (`edge`, `handshake`) and the
//! frames (`frames`). Every failure is a [`CarryError`].

mod access_token;
mod edge;
mod frames;
mod handshake;
mod pump;
mod single_slot;
mod stream;
mod tls;

use std::time::Duration;

use moorline_model::colab_runtime::EndpointId;
use moorline_ssh_files::HostName;
use secrecy::SecretString;

pub use crate::net::error::CarryError;
pub use access_token::ServiceToken;
pub use stream::Carried;

use crate::store::dirs::Dirs;
use edge::{Edge, Kind};
use single_slot::Single;

/// A way that can be opened, as often as it is needed. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Carrier {
    edge: Edge,
    single: Option<Single>,
}

/// The tunnel behind this host name, with the service token that the person gave for exactly this name, if any.
pub fn cloudflare(host: HostName, token: Option<ServiceToken>) -> Carrier {
    Carrier { edge: Edge { host, kind: Kind::Cloudflare { token } }, single: None }
}

/// A Colab runtime's own SSH: the host of its address and the token that came with it. It lets the key of
/// `public_key` in, one line as in a `.pub` file, for this one connection. It takes one connection at a time.
pub fn colab(host: HostName, token: SecretString, public_key: String) -> Carrier {
    Carrier { edge: Edge { host, kind: Kind::Colab { token, public_key } }, single: None }
}

impl Carrier {
    /// As it is, and noted for this computer's other programs while it is open: it leads to the one SSH slot of
    /// `runtime`.
    #[must_use]
    pub fn single(self, dirs: &Dirs, runtime: &EndpointId) -> Self {
        Self { single: Some(Single::of(dirs, runtime)), ..self }
    }

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
        pump::run(handshake::open(&self.edge, limit)?, limit)
    }

    /// Opens the way within `limit`. Within a tokio runtime. A single slot that will be free in a moment is waited for.
    ///
    /// # Errors
    /// The way cannot be opened.
    pub async fn connect(&self, limit: Duration) -> Result<Carried, CarryError> {
        let (opened, slot) = match &self.single {
            Some(single) => single.open(&self.edge, limit).await?,
            None => (handshake::open_apart(&self.edge, limit).await?, None),
        };
        Carried::new(opened, slot).map_err(|error| handshake::cut(&self.edge, &error))
    }
}
