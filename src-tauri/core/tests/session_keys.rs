//! The session key and the host key that follows from it, with several writers at once.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's own steps may fail it")]

use std::time::Duration;
use std::{fs, thread};

use jiff::Timestamp;
use moorline_core::repoint::change::{Change, SettleError};
use moorline_core::repoint::session_key::{begin, renew};
use moorline_core::repoint::write::{keep_accepted, settle};
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::context::Tools;
use moorline_core::store::dirs::Dirs;
use moorline_core::store::pins_json::Pins;
use moorline_core::store::session_keys;
use moorline_core::store::vault::{MemoryVault, SecretName, Vault, VaultError};
use moorline_model::announcement::{Accepted, RuntimeId};
use moorline_model::session::{Link, Session};
use moorline_model::session_key::{KeyId, SessionKey};
use moorline_ssh_files::{Alias, HostKey};
use secrecy::SecretString;
use tempfile::TempDir;

/// A keyring that takes its time, so that two at once see the same.
#[derive(Default)]
struct Slow(MemoryVault);

impl Vault for Slow {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        let there = self.0.get(name);
        thread::sleep(Duration::from_millis(50));
        there
    }

    fn set(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        self.0.set(name, secret)
    }

    fn delete(&self, name: &SecretName) -> Result<bool, VaultError> {
        self.0.delete(name)
    }

    fn list(&self) -> Result<Vec<SecretName>, VaultError> {
        self.0.list()
    }
}

fn home() -> (Tools, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let dirs = Dirs::under(dir.path());
    Dirs::create_private(&dirs.ssh).unwrap();
    // No moorline-proxy is beside a test's own program.
    Dirs::create_private(dirs.proxy_program().parent().unwrap()).unwrap();
    fs::write(dirs.proxy_program(), "").unwrap();
    fs::write(dirs.ssh.join("config"), "").unwrap();
    let ssh = SystemSsh::find(Some(dir.path())).unwrap();
    (Tools { dirs, vault: Box::new(Slow::default()), ssh, askpass: None }, dir)
}

fn colab() -> Alias {
    "colab".parse().unwrap()
}

fn session() -> Session {
    let link = Link::Cloudflare("colab.invalid".parse().unwrap());
    let user = "root".parse().unwrap();
    Session { name: colab(), link, user, folder: None, identity_file: None }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What this gives when four do it at once.
fn at_once<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(&work)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn kept(tools: &Tools) -> SessionKey {
    session_keys::load(&*tools.vault, &colab()).unwrap().unwrap()
}

fn pinned(tools: &Tools) -> Vec<HostKey> {
    let pins = Pins::load(&tools.dirs.pins_file()).unwrap();
    pins.get(&colab()).unwrap().keys.iter().map(|pinned| pinned.key.clone()).collect()
}

#[test]
fn several_that_want_a_key_at_once_get_the_same() {
    let (tools, _dir) = home();
    let ids: Vec<KeyId> =
        at_once(|| session_keys::create(&tools.dirs, &*tools.vault, &colab()).unwrap().id());
    assert!(ids.iter().all(|id| *id == kept(&tools).id()), "{ids:?}");
}

#[test]
fn several_that_begin_a_session_at_once_agree_about_its_key() {
    let (tools, _dir) = home();
    let outcomes = at_once(|| block_on(begin(&tools, &session(), Timestamp::UNIX_EPOCH)));
    let (begun, late): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(begun.len(), 1);
    assert!(late.iter().all(|late| matches!(late, Err(SettleError::Overtaken(_)))), "{late:?}");
    assert_eq!(pinned(&tools), [kept(&tools).host_key()]);
}

#[test]
fn of_several_that_renew_a_key_at_once_one_does() {
    let (tools, _dir) = home();
    block_on(begin(&tools, &session(), Timestamp::UNIX_EPOCH)).unwrap();
    let was = kept(&tools).id();
    let outcomes = at_once(|| {
        let next = session_keys::next(&*tools.vault, &colab()).unwrap();
        block_on(renew(&tools, &colab(), Some(&was), &next, Timestamp::UNIX_EPOCH))
    });
    let (renewed, late): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert!(matches!(&renewed[..], [Ok(Some(_))]), "its host key followed: {renewed:?}");
    assert!(late.iter().all(|late| matches!(late, Err(SettleError::Overtaken(_)))), "{late:?}");
    assert_eq!(kept(&tools).generation(), 2);
    assert_eq!(pinned(&tools), [kept(&tools).host_key()]);
}

fn accepted(runtime: u8, born: i64, seq: u64) -> Accepted {
    let at = |second| Timestamp::from_second(1_795_000_000 + second).unwrap();
    let kid = "--OZ09tBwwt2".parse().unwrap();
    Accepted { kid, runtime: RuntimeId::of([runtime; 16]), born: at(born), seq, at: at(born + 60) }
}

#[test]
fn what_was_accepted_last_gives_way_to_what_is_newer_alone() {
    let (tools, _dir) = home();
    block_on(begin(&tools, &session(), Timestamp::UNIX_EPOCH)).unwrap();
    let last = || Pins::load(&tools.dirs.pins_file()).unwrap().get(&colab()).unwrap().accepted.clone();
    let change = |accepted| Change {
        was: Some(session()),
        accepted: Some(accepted),
        ..Change::of(session(), Timestamp::UNIX_EPOCH)
    };
    keep_accepted(&tools, &colab(), accepted(1, 10, 5)).unwrap();
    for late in [accepted(1, 10, 4), accepted(2, 9, 7)] {
        keep_accepted(&tools, &colab(), late.clone()).unwrap();
        assert_eq!(last(), Some(accepted(1, 10, 5)), "another process was faster with a newer one");
        let refused = block_on(settle(&tools, &change(late)));
        assert!(matches!(refused, Err(SettleError::Overtaken(_))), "{refused:?}");
        assert_eq!(last(), Some(accepted(1, 10, 5)));
    }
    for (next, why) in [
        (accepted(1, 10, 5), "pasting twice is no mistake"),
        (accepted(1, 10, 6), "a later one of the same runtime"),
        (accepted(2, 11, 1), "another runtime, born later"),
    ] {
        block_on(settle(&tools, &change(next.clone()))).unwrap();
        assert_eq!(last(), Some(next.clone()), "{why}");
        keep_accepted(&tools, &colab(), next.clone()).unwrap();
        assert_eq!(last(), Some(next), "{why}");
    }
    let renewed = Accepted { kid: "AAAAAAAAAAAA".parse().unwrap(), ..accepted(3, 1, 1) };
    keep_accepted(&tools, &colab(), renewed.clone()).unwrap();
    assert_eq!(last(), Some(renewed), "what came under another session key counts for nothing");
}
