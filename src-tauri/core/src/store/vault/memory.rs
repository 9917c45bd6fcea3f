//! A vault that forgets: for tests and the practice runtime.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;

use super::error::VaultError;
use super::name::SecretName;
use super::place::Vault;

/// Secrets in memory, gone with the process.
#[derive(Default)]
pub struct MemoryVault {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    secrets: BTreeMap<SecretName, SecretString>,
    failure: Option<VaultError>,
    /// How many more writes work; `None` for all.
    writes_left: Option<usize>,
}

impl MemoryVault {
    /// Makes every call from now on fail in this way, or work again: plays a keyring that is locked or gone.
    pub fn fail_with(&self, failure: Option<VaultError>) {
        self.lock().failure = failure;
    }

    /// Makes every write fail after so many more; reading goes on. Plays a crash, or a keyring that goes away.
    pub fn fail_after_writes(&self, writes: usize) {
        self.lock().writes_left = Some(writes);
    }

    /// Lets every call work again.
    pub fn stop_failing(&self) {
        let mut inner = self.lock();
        (inner.failure, inner.writes_left) = (None, None);
    }

    fn writing(&self) -> Result<MutexGuard<'_, Inner>, VaultError> {
        let mut inner = self.working()?;
        match &mut inner.writes_left {
            Some(0) => return Err(VaultError::Failed("it went away".to_owned())),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<MutexGuard<'_, Inner>, VaultError> {
        let inner = self.lock();
        match &inner.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(inner),
        }
    }
}

impl Vault for MemoryVault {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        Ok(self.working()?.secrets.get(name).cloned())
    }

    fn set(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        self.writing()?.secrets.insert(name.clone(), secret.clone());
        Ok(())
    }

    fn delete(&self, name: &SecretName) -> Result<bool, VaultError> {
        Ok(self.writing()?.secrets.remove(name).is_some())
    }

    fn list(&self) -> Result<Vec<SecretName>, VaultError> {
        Ok(self.working()?.secrets.keys().cloned().collect())
    }

    fn is_locked(&self) -> bool {
        self.lock().failure == Some(VaultError::Locked)
    }
}

impl fmt::Debug for MemoryVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVault").field("secrets", &self.lock().secrets).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorline_model::secret_kind::SecretKind;
    use secrecy::ExposeSecret;

    #[test]
    fn it_keeps_lists_and_forgets() {
        let vault = MemoryVault::default();
        let name = SecretName::of("colab".parse().unwrap(), SecretKind::Password);
        assert!(vault.get(&name).unwrap().is_none());
        for text in ["one", "two"] {
            vault.set(&name, &text.into()).unwrap();
            assert_eq!(vault.get(&name).unwrap().unwrap().expose_secret(), text);
        }
        assert_eq!(vault.list().unwrap(), std::slice::from_ref(&name));
        vault.fail_with(Some(VaultError::Locked));
        assert_eq!(vault.delete(&name), Err(VaultError::Locked));
        vault.fail_with(None);
        assert_eq!((vault.delete(&name), vault.delete(&name)), (Ok(true), Ok(false)));
    }
}
