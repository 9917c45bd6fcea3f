//! A server that hangs up in the middle of a login has refused nothing: a person is told so, and not to look for a key.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use moorline_core::ssh::{LoginError, LoginKey, Route, install_login_key, key_login_works};
use moorline_ssh_files::{HostKey, Place, UserName};
use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, Config, Handler, PublicKeyOffer, run_stream};
use secrecy::SecretString;

use support::{LIMIT, block_on};

/// Answers no login.
struct Rude;

impl Handler for Rude {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Err(russh::Error::Disconnect)
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        Err(russh::Error::Disconnect)
    }
}

/// Where it is served, and the key that it shows.
fn serve() -> (Route, HostKey) {
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let shown = key.public_key().to_openssh().unwrap().parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = Place {
        host: "127.0.0.1".parse().unwrap(),
        port: listener.local_addr().unwrap().port().try_into().unwrap(),
    };
    std::thread::spawn(move || {
        let config = Arc::new(Config { keys: vec![key], ..Config::default() });
        for visitor in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            block_on(async move {
                visitor.set_nonblocking(true).unwrap();
                let stream = tokio::net::TcpStream::from_std(visitor).unwrap();
                if let Ok(session) = run_stream(config, stream, Rude).await {
                    drop(session.await);
                }
            });
        }
    });
    (Route::Tcp(place), shown)
}

#[test]
fn a_server_that_hangs_up_during_the_login_has_not_refused_it() {
    let home = tempfile::tempdir().unwrap();
    let key = LoginKey::ensure(&home.path().join(".ssh/moorline_ed25519")).unwrap();
    let ((route, shown), root) = (serve(), UserName::root());
    let by_key = block_on(key_login_works(&route, std::slice::from_ref(&shown), &root, &key, LIMIT));
    assert!(matches!(by_key, Err(LoginError::Broken { .. })), "{by_key:?}");
    let password = SecretString::from("unused");
    let by_password = block_on(install_login_key(&route, &[shown], &root, &password, &key, LIMIT));
    assert!(matches!(by_password, Err(LoginError::Broken { .. })), "{by_password:?}");
}
