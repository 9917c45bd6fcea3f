//! Reaching a session's runtime over its link, and learning the key that answers there.

use std::time::Duration;

use moorline_model::colab_runtime::EndpointId;
use moorline_model::next_step::NextStep;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Evidence;
use moorline_ssh_files::{Alias, HostKey, HostName, KeyAlgorithm};
use tokio::time::Instant;

use crate::editors::{SearchEnv, find_program};
use crate::net::error::CarryError;
use crate::net::google::{self, GoogleError, RuntimeAccess};
use crate::net::websocket::{self, Carrier, ServiceToken};
use crate::ssh::context::Tools;
use crate::ssh::relay::{self, ChannelError};
use crate::ssh::route::RouteError;
use crate::ssh::{
    Identity, IdentityError, LoginKey, LoginKeyError, ProbeError, Prompts, Route, SshFailure, SystemSsh,
    kept_secrets, probe,
};
use crate::store::colab_slot::{Holder, holder};
use crate::store::dirs::Dirs;
use crate::store::hub_place::HubPlace;
use crate::store::pins_json::{Pins, PinsError, runs_our_proxy};
use crate::store::vault::Vault;

/// How long Google may take to give the way to a runtime where nobody waits who gives up before.
pub const GOOGLE: Duration = Duration::from_secs(15);

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

/// The keys that a runtime with several is asked for first, so that it shows one that can be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// What the person named.
    pub named: Evidence,
    /// What is pinned.
    pub pinned: Vec<HostKey>,
}

/// Why nothing usable answered.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The probe failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The edge that carries the link.
    #[error(transparent)]
    Carry(#[from] Box<CarryError>),
    /// What is known of the session cannot be read.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// Google does not give the way to the runtime.
    #[error(transparent)]
    Google(#[from] GoogleError),
    /// This desktop's login key cannot be had.
    #[error(transparent)]
    LoginKey(#[from] LoginKeyError),
    /// The person's own key cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl ReachError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Probe(error) => error.next_step(),
            Self::Carry(error) => error.next_step(),
            Self::Google(error) => error.next_step(),
            Self::Pins(_) | Self::LoginKey(_) | Self::Identity(_) => None,
        }
    }

    /// Whether the relay wants something for the login that only a person, or the vault, could give.
    pub fn wants_login(&self) -> bool {
        matches!(self, Self::Probe(ProbeError::Proxy { failure: SshFailure::PermissionDenied, .. }))
    }
}

/// The person's `ssh` as it is to be used for a session's relay: with the relay's password at hand if the vault holds one
/// for this very relay, and else without any prompt.
///
/// A vault that cannot be read gives no password; the relay then says that it wants one. Blocks for a bounded time.
pub fn relay_ssh(tools: &Tools, session: &Session) -> SystemSsh {
    let ssh = tools.ssh.clone();
    let (Link::Relay(link), Some(program)) = (&session.link, &tools.askpass) else { return ssh };
    match kept_secrets::relay_password(tools, session) {
        Ok(Some(_)) => {
            let prompts = Prompts::Askpass {
                program: program.clone(),
                session: session.name.clone(),
                relay: link.relay.clone(),
            };
            SystemSsh { prompts, ..ssh }
        }
        Ok(None) => ssh,
        Err(error) => {
            tracing::debug!(%error, session = %session.name, "no relay password could be looked up");
            ssh
        }
    }
}

/// The byte stream to a session's sshd; through a relay with this `ssh` (see [`relay_ssh`]). Where the session's hub has
/// the one slot of its runtime, through the hub. May block for as long as the vault takes.
///
/// # Errors
/// The link needs a secret that cannot be read.
pub fn route(tools: &Tools, ssh: &SystemSsh, session: &Session) -> Result<Route, ReachError> {
    Ok(match &session.link {
        Link::Direct(place) | Link::Ngrok(place) => {
            // As ssh gets there: its own dialling knows of no proxy, and ours does.
            let pins = Pins::load(&tools.dirs.pins_file())?;
            let ours = pins.get(&session.name).is_some_and(|pin| runs_our_proxy(session, pin));
            if ours { Route::Proxied(place.clone()) } else { Route::Tcp(place.clone()) }
        }
        Link::Relay(link) => ssh.relay_route(&link.relay, link.port),
        Link::Cloudflare(host) => {
            Route::Carry(Box::new(cloudflare(&tools.dirs, &*tools.vault, &session.name, host)?))
        }
        Link::Colab(link) => match through_hub(tools, session, &link.runtime) {
            Some(argv) => argv.into(),
            None => Route::Carry(Box::new(colab(tools, session, GOOGLE)?)),
        },
    })
}

/// The way to a Cloudflare tunnel: with the service token that the person gave for exactly this host name, and without
/// a look into the vault where they gave none. Blocks for as long as the vault takes.
///
/// # Errors
/// A token was given and cannot be read.
pub fn cloudflare(
    dirs: &Dirs,
    vault: &dyn Vault,
    session: &Alias,
    host: &HostName,
) -> Result<Carrier, ReachError> {
    let pins = Pins::load(&dirs.pins_file())?;
    if !pins.get(session).is_some_and(|known| known.service_token_kept) {
        return Ok(websocket::cloudflare(host.clone(), None));
    }
    let kept = kept_secrets::service_token_for(vault, session, host);
    let kept = kept.map_err(|cause| Box::new(CarryError::Vault { host: host.clone(), cause }))?;
    let token = kept
        .map(|text| ServiceToken::read(&text).ok_or_else(|| Box::new(CarryError::BadToken(host.clone()))));
    Ok(websocket::cloudflare(host.clone(), token.transpose()?))
}

/// The way to a Colab runtime's own SSH, for the key with which the session logs in. Asks Google where no fresh token is
/// kept, within `limit`; the keyring has a bound of its own. Blocks; in async code, call it from `spawn_blocking`.
///
/// # Errors
/// Google does not give the way, or the login key cannot be read.
pub fn colab(tools: &Tools, session: &Session, limit: Duration) -> Result<Carrier, ReachError> {
    colab_with(tools, session, google::access(&tools.dirs, &*tools.vault, session, limit)?)
}

/// As [`colab`], with a token that Google gives now: the runtime refused the kept one (401).
///
/// # Errors
/// As for [`colab`].
pub fn colab_anew(tools: &Tools, session: &Session, limit: Duration) -> Result<Carrier, ReachError> {
    colab_with(tools, session, google::renewed(&tools.dirs, &*tools.vault, session, limit)?)
}

fn colab_with(tools: &Tools, session: &Session, access: RuntimeAccess) -> Result<Carrier, ReachError> {
    let carrier = websocket::colab(access.host, access.token, public_line(tools, session)?);
    Ok(match &session.link {
        Link::Colab(link) => carrier.single(&tools.dirs, &link.runtime),
        _ => carrier,
    })
}

/// What leads through the session's hub, if that one has the runtime's slot just now.
fn through_hub(tools: &Tools, session: &Session, runtime: &EndpointId) -> Option<Vec<String>> {
    let Holder::Here(process) = holder(&tools.dirs, runtime) else { return None };
    let proxy = tools.dirs.proxy_program();
    let is_hub = HubPlace::of(&tools.dirs, &session.name).process() == Some(process) && proxy.exists();
    is_hub.then(|| vec![proxy.to_string_lossy().into_owned(), session.name.to_string()])
}

/// The public half of the key with which the session logs in.
fn public_line(tools: &Tools, session: &Session) -> Result<String, ReachError> {
    match &session.identity_file {
        Some(file) => Ok(Identity::named(file, &tools.dirs.home)?.public_line()),
        None => Ok(LoginKey::ensure(&tools.dirs.login_key())?.public_line()),
    }
}

/// cloudflared's argument list for a tunnel, if it is installed: it logs in to Cloudflare Access through the browser,
/// and remembers that.
pub fn cloudflared_argv(dirs: &Dirs, host: &HostName) -> Option<Vec<String>> {
    let search = SearchEnv::from_process(&dirs.home, false);
    let program = find_program("cloudflared", &search)?.to_string_lossy().into_owned();
    Some(vec![program, "access".to_owned(), "ssh".to_owned(), "--hostname".to_owned(), host.to_string()])
}

/// Learns the key that answers at the session's endpoint, all of it within `limit`. Nothing is sent but key
/// exchanges.
///
/// A runtime has a key of each type and shows one at a time. If the person named keys and the first one shown is not
/// among them, it is asked for its others: the one that was named is given, or else the first.
///
/// # Errors
/// Says what is wrong along the way: name, network, tunnel, sshd, relay.
pub async fn reach(
    tools: &Tools,
    ssh: &SystemSsh,
    session: &Session,
    expected: &Expected,
    limit: Duration,
) -> Result<Seen, ReachError> {
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let mut route = route(tools, ssh, session)?;
    let mut first = first_key(ssh, session, &route, &expected.types(), limit).await;
    if let Some(argv) = first.as_ref().err().and_then(|error| login_in_browser(tools, error)) {
        route = argv.into();
        first = first_key(ssh, session, &route, &expected.types(), limit).await;
    }
    let seen = first?;
    if !expected.named.names_a_key() || expected.named.names(&seen.key) {
        return Ok(seen);
    }
    Ok(match named_key(&route, &expected.named, seen.key.algorithm(), left()).await {
        Some(key) => Seen { key, channel: false, channel_failed: seen.channel_failed },
        None => seen,
    })
}

/// Where Access wants a person in front of a browser, which cloudflared finds if it is installed.
fn login_in_browser(tools: &Tools, error: &ReachError) -> Option<Vec<String>> {
    match error {
        ReachError::Probe(ProbeError::Route(RouteError::Carry(error))) => match &**error {
            CarryError::WantsLogin(host) => cloudflared_argv(&tools.dirs, host),
            _ => None,
        },
        _ => None,
    }
}

/// The key behind `route` that is one of the `named` ones, if the server has such a key of another type than
/// `shown`. Asks for one type after the other, until `limit` has passed.
pub async fn named_key(
    route: &Route,
    named: &Evidence,
    shown: KeyAlgorithm,
    limit: Duration,
) -> Option<HostKey> {
    let end = Instant::now() + limit;
    for algorithm in KeyAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != shown) {
        // A fingerprint does not tell its type; a whole key does.
        if named.fingerprints.is_empty() && named.keys.iter().all(|key| key.algorithm() != algorithm) {
            continue;
        }
        let left = end.saturating_duration_since(Instant::now());
        match probe::host_key_of(route, algorithm, left).await {
            Ok(key) if named.names(&key) => return Some(key),
            Ok(_) | Err(ProbeError::KeyExchange { .. }) => {}
            Err(_) => return None,
        }
    }
    None
}

impl Expected {
    fn types(&self) -> Vec<KeyAlgorithm> {
        self.named.keys.iter().chain(&self.pinned).map(HostKey::algorithm).collect()
    }
}

async fn first_key(
    ssh: &SystemSsh,
    session: &Session,
    route: &Route,
    types: &[KeyAlgorithm],
    limit: Duration,
) -> Result<Seen, ReachError> {
    let end = Instant::now() + limit;
    let mut channel_failed = None;
    if let Link::Relay(link) = &session.link
        && link.mine_alone
    {
        match relay::channel_key(ssh, link, route, types, limit).await {
            Ok(key) => return Ok(Seen { key, channel: true, channel_failed: None }),
            Err(ChannelError::Probe(error)) => return Err(error.into()),
            Err(error) => channel_failed = Some(error.to_string()),
        }
    }
    let left = end.saturating_duration_since(Instant::now());
    let key = probe::host_key_preferring(route, types, left).await?;
    // Google gave host and token in one answer, and the host proved its name: what speaks SSH inside is that runtime.
    // Through the hub it is what was pinned before.
    let channel = matches!((&session.link, route), (Link::Colab(_), Route::Carry(_)));
    Ok(Seen { key, channel, channel_failed })
}
