//! What any place for secrets can do.

use std::sync::Arc;

use secrecy::SecretString;

use super::error::VaultError;
use super::name::SecretName;

/// A place for secrets. Calls block, for a bounded time: in async code, make them in `spawn_blocking`.
pub trait Vault: Send + Sync {
    /// The secret, or `None` where there is none.
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError>;

    /// Stores the secret, replacing an older one.
    fn set(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError>;

    /// Removes the secret; `false` where there was none.
    fn delete(&self, name: &SecretName) -> Result<bool, VaultError>;

    /// The names of all secrets that Moorline stored, sorted.
    fn list(&self) -> Result<Vec<SecretName>, VaultError>;

    /// Whether it is locked. Asks nobody to unlock it, other than the calls above.
    fn is_locked(&self) -> bool {
        false
    }
}

impl<V: Vault + ?Sized> Vault for Arc<V> {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        (**self).get(name)
    }

    fn set(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        (**self).set(name, secret)
    }

    fn delete(&self, name: &SecretName) -> Result<bool, VaultError> {
        (**self).delete(name)
    }

    fn list(&self) -> Result<Vec<SecretName>, VaultError> {
        (**self).list()
    }

    fn is_locked(&self) -> bool {
        (**self).is_locked()
    }
}
