//! What opens the way to one runtime: its host and its proxy token, which lives about an hour.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use moorline_ssh_files::HostName;
use secrecy::SecretString;

/// A token that ends sooner than this counts as ended, as Google's own clients have it.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The way to a runtime's own web server. The token belongs to this host, and is sent to no other.
#[derive(Clone)]
pub struct RuntimeAccess {
    /// The host of the runtime's address; its port is 443.
    pub host: HostName,
    /// What opens it: `colab-runtime-proxy-token` of the SSH address, `X-Colab-Runtime-Proxy-Token` elsewhere.
    pub token: SecretString,
    /// When the token ends.
    pub expires: Timestamp,
}

impl RuntimeAccess {
    /// Whether the token will do for what is begun now.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires.duration_since(now) > MARGIN
    }
}

impl fmt::Debug for RuntimeAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, expires, .. } = self;
        f.debug_struct("RuntimeAccess").field("host", host).field("expires", expires).finish_non_exhaustive()
    }
}
