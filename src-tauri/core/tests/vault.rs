//! The vault against a real gnome-keyring on a private D-Bus session, with a throw-away home.
//!
//! Each test runs itself again inside `dbus-run-session`, since the bus is found through the environment.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "vault/keyring.rs"]
mod keyring;

use std::time::{Duration, Instant};

use moorline_core::store::vault::{OsVault, SecretName, Vault, VaultError};
use moorline_model::secret_kind::SecretKind;
use secrecy::{ExposeSecret, SecretString};

use keyring::{Bus, in_session};

/// Far more than an open keyring needs, so that a slow machine fails no test.
const PLENTY: Duration = Duration::from_secs(60);
/// What a call may take beyond its bound: the diagnosis, and a slow machine.
const SLACK: Duration = Duration::from_secs(10);

fn name(session: &str, kind: SecretKind) -> SecretName {
    SecretName::of(session.parse().unwrap(), kind)
}

fn text(found: Result<Option<SecretString>, VaultError>) -> Option<String> {
    found.unwrap().map(|secret| secret.expose_secret().to_owned())
}

#[test]
fn secrets_are_kept_listed_replaced_and_removed() {
    in_session("secrets_are_kept_listed_replaced_and_removed", |bus| {
        let _daemon = bus.start_unlocked();
        let vault = OsVault::with_bound(PLENTY);
        let (password, relay) =
            (name("colab", SecretKind::Password), name("colab", SecretKind::RelayPassword));
        let other = name("gpu.box", SecretKind::Password);
        let account = SecretName::account(SecretKind::NgrokApiKey);
        assert_eq!(text(vault.get(&password)), None, "a missing entry is no error");
        assert_eq!(vault.delete(&password), Ok(false));
        assert_eq!(vault.list(), Ok(vec![]));
        for (name, secret) in [(&password, "old"), (&relay, "r"), (&other, "o"), (&account, "a")] {
            vault.set(name, &secret.into()).unwrap();
        }
        let odd = "correct horse\n\"$(id)\" ünïcode\t ";
        vault.set(&password, &odd.into()).unwrap();
        assert_eq!(text(vault.get(&password)).as_deref(), Some(odd), "replaced, byte for byte");
        assert_eq!(text(vault.get(&relay)).as_deref(), Some("r"), "its neighbours are untouched");
        assert_eq!(text(vault.get(&name("other", SecretKind::Password))), None);
        let mut all = vec![password.clone(), relay, other, account];
        all.sort();
        assert_eq!(vault.list().unwrap(), all);
        assert_eq!((vault.delete(&password), vault.delete(&password)), (Ok(true), Ok(false)));
        assert_eq!(vault.list().unwrap().len(), 3);
        let another = OsVault::with_bound(PLENTY);
        assert_eq!(another.list(), vault.list(), "it lies in the keyring and not in us");
    });
}

#[test]
fn a_person_sees_what_an_entry_is_and_no_file_shows_the_secret() {
    in_session("a_person_sees_what_an_entry_is_and_no_file_shows_the_secret", |bus| {
        let _daemon = bus.start_unlocked();
        let vault = OsVault::with_bound(PLENTY);
        vault.set(&name("colab", SecretKind::Password), &"plainly-visible".into()).unwrap();
        assert_eq!(
            bus.labels(&[("service", "moorline"), ("username", "colab/password")]),
            ["Moorline: login password of colab"]
        );
        assert!(bus.files_below_home().any(|bytes| !bytes.is_empty()), "the keyring's file is there");
        let shown = |bytes: &[u8]| bytes.windows(15).any(|part| part == b"plainly-visible");
        assert!(!bus.files_below_home().any(|bytes| shown(&bytes)), "nothing on disk shows it");
    });
}

#[test]
fn a_restarted_keyring_is_found_again() {
    in_session("a_restarted_keyring_is_found_again", |bus| {
        let vault = OsVault::with_bound(PLENTY);
        let name = name("colab", SecretKind::SessionKey);
        let daemon = bus.start_unlocked();
        vault.set(&name, &"kept".into()).unwrap();
        assert_eq!(text(vault.get(&name)).as_deref(), Some("kept"));
        daemon.kill();
        let daemon = bus.start_unlocked();
        assert_eq!(text(vault.get(&name)).as_deref(), Some("kept"), "read over a new connection");
        daemon.kill();
        let daemon = bus.start_unlocked();
        vault.set(&name, &"new".into()).unwrap();
        daemon.kill();
        let _daemon = bus.start_unlocked();
        assert_eq!(vault.list(), Ok(vec![name.clone()]));
        assert_eq!(text(vault.get(&name)).as_deref(), Some("new"));
    });
}

#[test]
fn a_replaced_keyring_is_found_again() {
    in_session("a_replaced_keyring_is_found_again", |bus| {
        let vault = OsVault::with_bound(PLENTY);
        let name = name("colab", SecretKind::SessionKey);
        let mut daemon = bus.start_unlocked();
        vault.set(&name, &"kept".into()).unwrap();
        for _ in 0..3 {
            daemon = bus.replace(daemon);
            assert_eq!(text(vault.get(&name)).as_deref(), Some("kept"));
        }
    });
}

#[test]
fn a_locked_keyring_is_said_and_nothing_is_lost() {
    in_session("a_locked_keyring_is_said_and_nothing_is_lost", |bus| {
        let daemon = bus.start_unlocked();
        let vault = OsVault::with_bound(PLENTY);
        let name = name("colab", SecretKind::Password);
        vault.set(&name, &"kept".into()).unwrap();
        bus.lock();
        for call in [
            vault.get(&name).map(drop),
            vault.set(&name, &"other".into()),
            vault.delete(&name).map(drop),
            vault.list().map(drop),
        ] {
            assert_eq!(call, Err(VaultError::Locked), "no dialog can be shown here, which is no refusal");
        }
        assert!(VaultError::Locked.to_string().contains("unlock it"));
        daemon.kill();
        let _daemon = bus.start_unlocked();
        assert_eq!(text(vault.get(&name)).as_deref(), Some("kept"));
    });
}

#[test]
fn an_unlock_dialog_that_nobody_answers_holds_nobody_up() {
    in_session("an_unlock_dialog_that_nobody_answers_holds_nobody_up", |bus| {
        let _daemon = bus.start_unlocked();
        let bound = Duration::from_millis(300);
        let mut vault = OsVault::with_bound(PLENTY);
        let name = name("colab", SecretKind::Password);
        vault.set(&name, &"kept".into()).unwrap();
        vault.set_bound(bound);
        bus.prompt_for_ever();
        bus.lock();
        for _ in 0..6 {
            let since = Instant::now();
            assert_eq!(vault.get(&name).map(drop), Err(VaultError::Locked));
            assert!(since.elapsed() < bound + SLACK, "{:?}", since.elapsed());
        }
    });
}

#[test]
fn a_keyring_that_hangs_is_given_up_and_used_again_when_it_wakes() {
    in_session("a_keyring_that_hangs_is_given_up_and_used_again_when_it_wakes", |bus| {
        let daemon = bus.start_unlocked();
        let name = name("colab", SecretKind::Password);
        let mut vault = OsVault::with_bound(PLENTY);
        vault.set(&name, &"kept".into()).unwrap();
        daemon.freeze();
        let within = Duration::from_millis(300);
        vault.set_bound(within);
        let since = Instant::now();
        let error = vault.get(&name).map(drop).unwrap_err();
        assert_eq!(error, VaultError::TimedOut { within });
        assert!(since.elapsed() < within + SLACK, "{:?}", since.elapsed());
        daemon.thaw();
        vault.set_bound(PLENTY);
        assert_eq!(text(vault.get(&name)).as_deref(), Some("kept"));
    });
}

#[test]
fn without_a_keyring_the_sentence_says_what_to_install() {
    in_session("without_a_keyring_the_sentence_says_what_to_install", |_bus| {
        let vault = OsVault::with_bound(PLENTY);
        let name = name("colab", SecretKind::Password);
        let error = vault.set(&name, &"kept".into()).unwrap_err();
        assert!(matches!(error, VaultError::NoKeyring(_)), "{error:?}");
        assert!(error.to_string().contains("gnome-keyring"), "{error}");
        assert!(matches!(vault.get(&name), Err(VaultError::NoKeyring(_))));
    });
}

#[test]
fn async_code_that_calls_it_outright_gets_its_answer() {
    in_session("async_code_that_calls_it_outright_gets_its_answer", |bus| {
        let _daemon = bus.start_unlocked();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let vault = OsVault::with_bound(PLENTY);
            assert_eq!(vault.list(), Ok(vec![]), "D-Bus would panic on this very thread");
        });
    });
}

#[test]
fn many_threads_share_one_vault() {
    in_session("many_threads_share_one_vault", |bus: &Bus| {
        let _daemon = bus.start_unlocked();
        let vault = OsVault::with_bound(PLENTY);
        std::thread::scope(|scope| {
            for n in 0..8 {
                let vault = &vault;
                scope.spawn(move || {
                    let name = name(&format!("s{n}"), SecretKind::Password);
                    vault.set(&name, &n.to_string().into()).unwrap();
                    assert_eq!(text(vault.get(&name)), Some(n.to_string()));
                });
            }
        });
        assert_eq!(vault.list().unwrap().len(), 8);
    });
}
