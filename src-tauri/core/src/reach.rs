//! Reaching a session's runtime over its link, and learning the key that answers there.

use std::time::Duration;

use moorline_ssh_files::{HostKey, HostName};

use crate::editors::{SearchEnv, find_program};
use crate::session::{Link, Session};
use crate::ssh::relay::{self, ChannelError};
use crate::ssh::{ProbeError, Route, probe};
use crate::tools::Tools;

/// What answered at a session's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The key that it has proven to hold.
    pub key: HostKey,
    /// Whether the way there proves that it is the person's own runtime.
    pub channel: bool,
    /// Why a relay that was declared the person's own proved nothing after all.
    pub channel_failed: Option<String>,
}

/// Why nothing usable answered.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The probe failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The link needs cloudflared.
    #[error(
        "cloudflared was not found, and the tunnel {0} is reached through it; install cloudflared and put it on PATH"
    )]
    NoCloudflared(HostName),
}

/// The byte stream to a session's sshd.
///
/// # Errors
/// A program that the link needs is not installed.
pub fn route(tools: &Tools, session: &Session) -> Result<Route, ReachError> {
    Ok(match &session.link {
        Link::Direct(place) | Link::Ngrok(place) => Route::Tcp(place.clone()),
        Link::Relay(link) => tools.ssh.relay_route(&link.relay, link.port),
        Link::Cloudflare(host) => Route::Argv(cloudflared_argv(tools, host)?),
    })
}

/// The argument list that carries SSH to a Cloudflare tunnel.
///
/// # Errors
/// cloudflared is not installed.
pub fn cloudflared_argv(tools: &Tools, host: &HostName) -> Result<Vec<String>, ReachError> {
    let search = SearchEnv::from_process(&tools.dirs.home, false);
    let program =
        find_program("cloudflared", &search).ok_or_else(|| ReachError::NoCloudflared(host.clone()))?;
    let program = program.to_string_lossy().into_owned();
    Ok(vec![program, "access".to_owned(), "ssh".to_owned(), "--hostname".to_owned(), host.to_string()])
}

/// Learns the key that answers at the session's endpoint. Nothing is sent but the key exchange.
///
/// # Errors
/// Says what is wrong along the way: name, network, tunnel, sshd, relay.
pub async fn reach(tools: &Tools, session: &Session, limit: Duration) -> Result<Seen, ReachError> {
    let route = route(tools, session)?;
    if let Link::Relay(link) = &session.link
        && link.mine_alone
    {
        let failed = match relay::channel_key(&tools.ssh, link, &route, limit).await {
            Ok(key) => return Ok(Seen { key, channel: true, channel_failed: None }),
            Err(ChannelError::Probe(error)) => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        let key = probe::host_key(&route, limit).await?;
        return Ok(Seen { key, channel: false, channel_failed: Some(failed) });
    }
    let key = probe::host_key(&route, limit).await?;
    Ok(Seen { key, channel: false, channel_failed: None })
}
