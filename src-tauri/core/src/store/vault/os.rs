//! The keyring of the operating system: the Secret Service, the Keychain, the Credential Manager.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::error::VaultError;
use super::name::SecretName;
use super::place::Vault;
use condition::{Condition, SERVICE};

#[cfg_attr(target_os = "macos", path = "os/keychain.rs")]
#[cfg_attr(windows, path = "os/credential_manager.rs")]
#[cfg_attr(all(unix, not(target_os = "macos")), path = "os/secret_service.rs")]
mod platform;

mod condition;

const BOUND: Duration = Duration::from_secs(10);
/// How long finding out why a call failed may take on top.
const DIAGNOSIS_BOUND: Duration = Duration::from_secs(1);
/// Calls that the keyring left hanging, before the next one is tried only when the keyring proves to be open.
const HANGING: usize = 4;

/// How the operating system's keyring is reached.
#[derive(Clone, Copy)]
struct Keyring {
    open: fn() -> keyring_core::Result<Arc<CredentialStore>>,
    condition: fn(Duration) -> Option<Condition>,
}

/// The person's keyring.
///
/// Nothing is opened before the first call. Each call runs in a thread of its own, because a locked keyring can
/// hang for as long as its unlock dialog stands, and because the D-Bus client panics on a thread that drives
/// async tasks. A connection that broke, as when the keyring was restarted, is made anew once per call.
pub struct OsVault {
    keyring: Keyring,
    bound: Duration,
    store: Arc<Mutex<Option<Arc<CredentialStore>>>>,
    hanging: Mutex<Vec<JoinHandle<()>>>,
}

impl OsVault {
    /// The keyring, with at most ten seconds for it to answer.
    pub fn new() -> Self {
        Self::with_bound(BOUND)
    }

    /// The keyring, with another time for it to answer. A call may take a second longer, to find out what is
    /// wrong.
    pub fn with_bound(bound: Duration) -> Self {
        Self::reached_by(Keyring { open: platform::open, condition: platform::condition }, bound)
    }

    /// Sets the time for the keyring to answer, from the next call on.
    pub fn set_bound(&mut self, bound: Duration) {
        self.bound = bound;
    }

    fn reached_by(keyring: Keyring, bound: Duration) -> Self {
        Self { keyring, bound, store: Arc::default(), hanging: Mutex::default() }
    }

    fn call<T: Send + 'static>(
        &self,
        work: impl Fn(&CredentialStore) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        self.refuse_to_pile_up()?;
        let (answer, answered) = mpsc::sync_channel(1);
        let (store, open) = (Arc::clone(&self.store), self.keyring.open);
        let thread = thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Nobody listens any more when the call was given up.
                let _given_up = answer.send(with_store(&store, open, &work));
            })
            .map_err(|error| VaultError::Failed(format!("cannot start a thread ({error})")))?;
        match answered.recv_timeout(self.bound) {
            Ok(result) => result.map_err(|error| explain(error, self.diagnose())),
            Err(RecvTimeoutError::Disconnected) => {
                self.disconnect();
                Err(VaultError::Failed("its client crashed".to_owned()))
            }
            Err(RecvTimeoutError::Timeout) => {
                // The hanging call holds the connection's own lock: the next call needs another connection.
                self.disconnect();
                lock(&self.hanging).push(thread);
                Err(self.overdue())
            }
        }
    }

    /// Gives up the connection. Its end waits for D-Bus too, so that is left to a thread.
    fn disconnect(&self) {
        let Some(store) = lock(&self.store).take() else { return };
        if let Err(error) = thread::Builder::new().name("keyring-end".to_owned()).spawn(|| drop(store)) {
            tracing::warn!(%error, "cannot start a thread to end the keyring's connection");
        }
    }

    fn refuse_to_pile_up(&self) -> Result<(), VaultError> {
        let mut hanging = lock(&self.hanging);
        hanging.retain(|thread| !thread.is_finished());
        let many = hanging.len() >= HANGING;
        drop(hanging);
        if many && self.diagnose() != Some(Condition::Open) { Err(self.overdue()) } else { Ok(()) }
    }

    /// Asks the keyring about itself; `None` when it does not answer that either.
    fn diagnose(&self) -> Option<Condition> {
        let (answer, answered) = mpsc::sync_channel(1);
        let ask = self.keyring.condition;
        let spawned = thread::Builder::new().name("keyring-diagnosis".to_owned()).spawn(move || {
            let _given_up = answer.send(ask(DIAGNOSIS_BOUND));
        });
        spawned.ok()?;
        answered.recv_timeout(DIAGNOSIS_BOUND).ok().flatten()
    }

    fn overdue(&self) -> VaultError {
        match self.diagnose() {
            Some(Condition::Locked) => VaultError::Locked,
            Some(Condition::Absent(sentence)) => VaultError::NoKeyring(sentence),
            Some(Condition::Open) | None => VaultError::TimedOut { within: self.bound },
        }
    }
}

impl Drop for OsVault {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Default for OsVault {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for OsVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OsVault").field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl Vault for OsVault {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        let wanted = name.clone();
        let found = self.call(move |store| match entry(store, &wanted)?.get_secret() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(Error::Ambiguous(several)) => {
                several.first().map(|one| one.get_secret().map(Zeroizing::new)).transpose()
            }
            Err(error) => Err(error),
        })?;
        let Some(bytes) = found else { return Ok(None) };
        as_text(name, &bytes).map(Some)
    }

    fn set(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        let (name, secret) = (name.clone(), secret.clone());
        self.call(move |store| {
            let bytes = secret.expose_secret().as_bytes();
            match entry(store, &name)?.set_secret(bytes) {
                // The same name in two collections: an old value must not come back from either.
                Err(Error::Ambiguous(several)) => several.iter().try_for_each(|one| one.set_secret(bytes)),
                other => other,
            }
        })
    }

    fn delete(&self, name: &SecretName) -> Result<bool, VaultError> {
        let name = name.clone();
        self.call(move |store| match entry(store, &name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(Error::Ambiguous(several)) => {
                several.iter().try_for_each(Entry::delete_credential).map(|()| true)
            }
            Err(error) => Err(error),
        })
    }

    fn list(&self) -> Result<Vec<SecretName>, VaultError> {
        self.call(|store| {
            let found = store.search(&HashMap::from([platform::SEARCH]))?;
            let mut names: Vec<SecretName> = found
                .iter()
                .filter_map(Entry::get_specifiers)
                .filter(|(service, _)| service == SERVICE)
                // A newer version may know more kinds.
                .filter_map(|(_, user)| user.parse().ok())
                .collect();
            names.sort();
            names.dedup();
            Ok(names)
        })
    }

    fn is_locked(&self) -> bool {
        self.diagnose() == Some(Condition::Locked)
    }
}

fn entry(store: &CredentialStore, name: &SecretName) -> keyring_core::Result<Entry> {
    let label = name.label();
    store.build(SERVICE, &name.to_string(), Some(&platform::modifiers(&label)))
}

/// Runs `work` with the store that is there, and once more with a new one when that one's connection is broken.
fn with_store<T>(
    slot: &Mutex<Option<Arc<CredentialStore>>>,
    open: fn() -> keyring_core::Result<Arc<CredentialStore>>,
    work: &impl Fn(&CredentialStore) -> keyring_core::Result<T>,
) -> keyring_core::Result<T> {
    let kept = lock(slot).clone();
    if let Some(store) = kept {
        match work(store.as_ref()) {
            Err(Error::PlatformFailure(error)) => {
                tracing::debug!(%error, "the keyring's connection is broken; making a new one");
            }
            result => return result,
        }
    }
    let store = open()?;
    *lock(slot) = Some(Arc::clone(&store));
    work(store.as_ref())
}

/// Turns the store's error into ours. Some of the store's hold what was read, so only known texts are taken.
fn explain(error: Error, condition: Option<Condition>) -> VaultError {
    match (error, condition) {
        (_, Some(Condition::Absent(sentence))) => VaultError::NoKeyring(sentence),
        (Error::NoStorageAccess(_) | Error::PlatformFailure(_), Some(Condition::Locked)) => {
            VaultError::Locked
        }
        (Error::NoStorageAccess(_), _) => VaultError::Denied,
        (Error::PlatformFailure(error), _) => VaultError::Failed(error.to_string()),
        (Error::TooLong(_, most), _) => VaultError::Failed(format!("it takes at most {most} characters")),
        (Error::Invalid(what, why), _) => VaultError::Failed(format!("{what} is invalid, {why}")),
        _ => VaultError::Failed("it gave an answer that Moorline does not understand".to_owned()),
    }
}

fn as_text(name: &SecretName, bytes: &[u8]) -> Result<SecretString, VaultError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(_) => Err(VaultError::NotText(name.clone())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
