//! Finding what opens the way to a session's runtime: kept from before, or asked of Google.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use moorline_model::clock;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{Link, Session};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::client::Client;
use super::credentials::Credentials;
use super::error::GoogleError;
use super::runtime_access::RuntimeAccess;
use crate::store::dirs::Dirs;
use crate::store::vault::{SecretName, Vault};

/// The way to a session's runtime: the kept one while it is fresh, else one that Google gives now, before `limit` has
/// passed. A runtime is never made. Blocks for so long and for as long as the keyring does, and may be called from any
/// thread; in async code, from `spawn_blocking`.
///
/// # Errors
/// The session has another link, nobody is signed in, Google cannot be asked, or the runtime has ended.
pub fn access(
    dirs: &Dirs,
    vault: &dyn Vault,
    session: &Session,
    limit: Duration,
) -> Result<RuntimeAccess, GoogleError> {
    let begun = Instant::now();
    match kept(vault, session, clock::now())? {
        Some(access) => Ok(access),
        None => renewed(dirs, vault, session, limit.saturating_sub(begun.elapsed())),
    }
}

/// As [`access`], but what is kept does not count: the runtime refused it (401).
///
/// # Errors
/// As [`access`].
pub fn renewed(
    dirs: &Dirs,
    vault: &dyn Vault,
    session: &Session,
    limit: Duration,
) -> Result<RuntimeAccess, GoogleError> {
    let runtime = runtime_of(session)?;
    let begun = Instant::now();
    let client = Client::new(Credentials::all(dirs, vault)?)?;
    let left = limit.saturating_sub(begun.elapsed());
    let seconds = limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX);
    let late = |_| GoogleError::TimedOut { host: "Google".to_owned(), seconds };
    let listed = blocking(|| async {
        // Each request has a limit of its own, and there are up to four of them.
        tokio::time::timeout(left, client.assignments()).await.map_err(late)?
    })?;
    let found = listed.into_iter().find(|assignment| assignment.endpoint == *runtime);
    let access = found.ok_or_else(|| GoogleError::Ended { runtime: runtime.clone() })?.access;
    if let Err(error) = keep(vault, session, &access) {
        tracing::debug!(%error, "the runtime's token is not kept");
    }
    Ok(access)
}

/// The kept way, while it is fresh and leads to the runtime that the session follows. A keyring that cannot be read
/// keeps nothing.
///
/// # Errors
/// The session has another link.
pub fn kept(
    vault: &dyn Vault,
    session: &Session,
    now: Timestamp,
) -> Result<Option<RuntimeAccess>, GoogleError> {
    let runtime = runtime_of(session)?;
    let text = match vault.get(&name(session)) {
        Ok(text) => text,
        Err(error) => {
            tracing::debug!(%error, "no kept runtime token");
            None
        }
    };
    let kept = text.and_then(|text| serde_json::from_str::<Kept>(text.expose_secret()).ok());
    let Some(kept) = kept.filter(|kept| kept.runtime == runtime.as_str()) else { return Ok(None) };
    let Ok(host) = kept.host.parse() else { return Ok(None) };
    let token = SecretString::from(kept.token.clone());
    Ok(Some(RuntimeAccess { host, token, expires: kept.expires }).filter(|access| access.is_fresh(now)))
}

/// Keeps the way to a session's runtime for `moorline-proxy`. Blocks as the keyring does.
///
/// # Errors
/// The session has another link, or the keyring refuses.
pub fn keep(vault: &dyn Vault, session: &Session, access: &RuntimeAccess) -> Result<(), GoogleError> {
    let kept = Kept {
        runtime: runtime_of(session)?.to_string(),
        host: access.host.to_string(),
        token: access.token.expose_secret().to_owned(),
        expires: access.expires,
    };
    let bad =
        |_| GoogleError::BadAnswer { host: kept.host.clone(), why: "a token that is no text".to_owned() };
    let text = SecretString::from(serde_json::to_string(&kept).map_err(bad)?);
    Ok(vault.set(&name(session), &text)?)
}

/// What lies in the keyring.
#[derive(Serialize, Deserialize)]
struct Kept {
    runtime: String,
    host: String,
    token: String,
    expires: Timestamp,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

fn name(session: &Session) -> SecretName {
    SecretName::of(session.name.clone(), SecretKind::RuntimeToken)
}

fn runtime_of(session: &Session) -> Result<&EndpointId, GoogleError> {
    match &session.link {
        Link::Colab(link) => Ok(&link.runtime),
        other => Err(GoogleError::OtherLink { kind: other.kind() }),
    }
}

/// Runs what has to wait for the network, on a thread of its own: the caller's may already belong to a runtime.
pub(super) fn blocking<T: Send, F: Future<Output = Result<T, GoogleError>>>(
    ask: impl FnOnce() -> F + Send,
) -> Result<T, GoogleError> {
    let no_thread = |why: String| GoogleError::Network { host: "Google".to_owned(), why };
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| no_thread(error.to_string()))?.block_on(ask())
        });
        asking.join().unwrap_or_else(|_| Err(no_thread("the request broke off".to_owned())))
    })
}
