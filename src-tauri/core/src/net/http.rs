//! HTTPS to the services that Moorline asks: one client's settings, bounded answers, plain reasons.
//!
//! Proxies come from the environment and the system's settings, certificates from the system's store (on Linux also
//! `SSL_CERT_FILE`, as OpenSSL has it).

use std::sync::Once;
use std::time::Duration;

use moorline_model::text::shown;
use reqwest::{Client, ClientBuilder, Response};

use crate::net::dial::is_this_computer;

/// A client that follows no redirection, so that no key goes where an answer points, and speaks HTTPS alone.
///
/// # Errors
/// There is no certificate store on this computer.
pub(crate) fn client(limit: Duration) -> reqwest::Result<Client> {
    builder().connect_timeout(limit).timeout(limit).build()
}

/// What every client has in common; whoever adds to it bounds it in time. A host that a person names goes to
/// [`builder_to`] instead.
pub(crate) fn builder() -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .user_agent(concat!("moorline/", env!("CARGO_PKG_VERSION")))
}

/// As [`builder`], for requests to this one host: this very computer is never looked for behind a proxy, which is another
/// computer, and would read what is asked of this one in clear text.
pub(crate) fn builder_to(host: &str) -> ClientBuilder {
    if is_this_computer(host) { builder().no_proxy() } else { builder() }
}

/// The whole body, if it is no longer than `longest` bytes.
///
/// # Errors
/// The connection broke.
pub(crate) async fn body(mut answer: Response, longest: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > longest {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The innermost reason, fit for a message: the outer ones repeat the address.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shown(&cause.to_string(), 160)
}
