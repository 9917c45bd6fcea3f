use std::sync::atomic::{AtomicU32, Ordering};

use moorline_model::secret_kind::SecretKind;

use super::*;

const PLENTY: Duration = Duration::from_secs(20);

fn open_mock() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = keyring_core::mock::Store::new()?;
    Ok(store)
}

fn vault(condition: fn(Duration) -> Option<Condition>, bound: Duration) -> OsVault {
    OsVault::reached_by(Keyring { open: open_mock, condition }, bound)
}

fn broken() -> Error {
    Error::PlatformFailure("no such session".into())
}

/// Work that hangs until the sender is dropped.
fn hanging() -> (mpsc::Sender<()>, impl Fn(&CredentialStore) -> keyring_core::Result<()> + Send) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let hang = move |_: &CredentialStore| {
        let _ended = lock(&released).recv();
        Ok(())
    };
    (release, hang)
}

#[test]
fn a_crash_in_the_client_is_an_error_and_no_hang() {
    let vault = vault(|_| Some(Condition::Open), PLENTY);
    let crashed = vault.call(|_| -> keyring_core::Result<()> { panic!("nested runtime") });
    assert_eq!(crashed, Err(VaultError::Failed("its client crashed".to_owned())));
    assert!(lock(&vault.store).is_none(), "what crashed is not used again");
    assert_eq!(vault.call(|_| Ok(7)), Ok(7), "the next call works");
}

#[test]
fn a_call_that_hangs_is_given_up_with_its_connection_and_its_cause_is_named() {
    let within = Duration::from_millis(20);
    for (condition, expected) in [
        ((|_| Some(Condition::Locked)) as fn(Duration) -> _, VaultError::Locked),
        (|_| Some(Condition::Open), VaultError::TimedOut { within }),
        (|_| None, VaultError::TimedOut { within }),
        (|_| Some(Condition::Absent("gone")), VaultError::NoKeyring("gone")),
    ] {
        let vault = vault(condition, within);
        let (release, hang) = hanging();
        assert_eq!(vault.call(hang), Err(expected));
        assert!(lock(&vault.store).is_none(), "the hanging call holds it");
        drop(release);
    }
}

#[test]
fn hanging_calls_do_not_pile_up_and_end_when_the_keyring_does() {
    let mut vault = vault(|_| Some(Condition::Locked), Duration::from_millis(5));
    let mut releases = Vec::new();
    for _ in 0..HANGING {
        let (release, hang) = hanging();
        releases.push(release);
        assert_eq!(vault.call(hang), Err(VaultError::Locked));
    }
    vault.set_bound(PLENTY);
    let refused = vault.call(|_| -> keyring_core::Result<()> { panic!("must not be tried") });
    assert_eq!(refused, Err(VaultError::Locked));
    drop(releases);
    for thread in std::mem::take(&mut *lock(&vault.hanging)) {
        thread.join().unwrap();
    }
    assert_eq!(vault.call(|_| Ok(())), Ok(()));
}

#[test]
fn a_broken_connection_is_replaced_once() {
    let slot = Mutex::new(None);
    let calls = AtomicU32::new(0);
    let fail = |_: &CredentialStore| {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(broken())
    };
    assert!(with_store(&slot, open_mock, &fail).is_err());
    assert_eq!(calls.swap(0, Ordering::Relaxed), 1, "a new connection that fails is not made again");
    assert!(with_store(&slot, open_mock, &fail).is_err());
    assert_eq!(calls.swap(0, Ordering::Relaxed), 2, "an old one is, once");
    let heal = |_: &CredentialStore| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Err(broken()),
        _ => Ok(()),
    };
    assert!(with_store(&slot, open_mock, &heal).is_ok());
    let locked = |_: &CredentialStore| Err::<(), _>(Error::NoStorageAccess("locked".into()));
    assert!(matches!(with_store(&slot, open_mock, &locked), Err(Error::NoStorageAccess(_))));
}

#[test]
fn causes_are_told_apart_by_what_the_keyring_says() {
    let denied = || Error::NoStorageAccess("dismissed".into());
    for (error, condition, expected) in [
        (denied(), Some(Condition::Locked), VaultError::Locked),
        (denied(), Some(Condition::Open), VaultError::Denied),
        (broken(), Some(Condition::Locked), VaultError::Locked),
        (broken(), Some(Condition::Absent("none")), VaultError::NoKeyring("none")),
        (broken(), None, VaultError::Failed("no such session".to_owned())),
    ] {
        assert_eq!(explain(error, condition), expected);
    }
}

#[test]
fn no_error_shows_what_was_read() {
    for error in [
        Error::BadEncoding(b"correct horse".to_vec()),
        Error::BadDataFormat(b"correct horse".to_vec(), "odd".into()),
    ] {
        let error = explain(error, None);
        let said = format!("{error} {error:?}");
        assert!(!said.contains("horse") && !said.contains("99, 111"), "{said}");
    }
    let name = SecretName::account(SecretKind::ServiceToken);
    let error = as_text(&name, b"\xffhorse").unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(!said.contains("horse") && said.contains("service-token"), "{said}");
}
