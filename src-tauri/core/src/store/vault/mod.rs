//! The vault: passwords, session keys and tokens, which lie in the keyring of the operating system and nowhere
//! else. There is no fallback to a file.

mod bound;
mod memory;
mod name;
mod os;

use std::sync::Arc;
use std::time::Duration;

use moorline_model::next_step::NextStep;
use secrecy::SecretString;

pub use bound::{Found, Purpose, find, keep, name_for, purpose_in};
pub use memory::MemoryVault;
pub use moorline_model::secret_kind::SecretKind;
pub use name::{SecretName, Slot};
pub use os::OsVault;

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

/// Why the vault could not be used. No text of it ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring on this machine or in this login.
    #[error("{0}")]
    NoKeyring(&'static str),
    /// The keyring is there and locked, and was not unlocked in time.
    #[error("the keyring is locked; {}", os::UNLOCK)]
    Locked,
    /// The keyring did not answer.
    #[error("the keyring did not answer within {} s; {}", within.as_secs_f32().ceil(), os::UNLOCK)]
    TimedOut {
        /// How long was waited.
        within: Duration,
    },
    /// The keyring is open and refused.
    #[error("the keyring refused access; allow Moorline to use it and try again")]
    Denied,
    /// Anything else.
    #[error("the keyring failed: {0}; restart it, or log out and in, and try again")]
    Failed(String),
    /// What lies there under Moorline's name is not text.
    #[error("the keyring holds something for {0} that is not text; store it anew")]
    NotText(SecretName),
}

impl VaultError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        let Self::NotText(SecretName { session, kind, .. }) = self else { return None };
        Some(NextStep::StoreSecret { session: session.clone(), kind: *kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;

    struct Probe<T>(PhantomData<T>);

    /// Found only where the inherent constant below does not apply.
    trait Otherwise {
        const SERIALISES: bool = false;
    }

    impl<T> Otherwise for Probe<T> {}

    impl<T: serde::Serialize> Probe<T> {
        const SERIALISES: bool = true;
    }

    #[test]
    fn what_holds_a_secret_cannot_be_serialised() {
        const { assert!(Probe::<String>::SERIALISES, "the probe sees what can be") };
        const { assert!(!Probe::<SecretString>::SERIALISES) };
        const { assert!(!Probe::<MemoryVault>::SERIALISES) };
        const { assert!(!Probe::<OsVault>::SERIALISES) };
    }

    #[test]
    fn debug_output_and_errors_hold_no_secret() {
        let vault = Arc::new(MemoryVault::default());
        let name = SecretName::of("colab".parse().unwrap(), SecretKind::Password);
        let secret = SecretString::from("correct horse");
        vault.set(&name, &secret).unwrap();
        let shown = format!("{vault:?} {secret:?} {:?} {name:?} {:?}", vault.get(&name), OsVault::new());
        assert!(!shown.contains("horse"), "{shown}");
        assert!(shown.contains("colab") && shown.contains("REDACTED"), "{shown}");
    }

    #[test]
    fn sentences_say_what_to_do() {
        let said = VaultError::TimedOut { within: Duration::from_secs(10) }.to_string();
        assert!(said.starts_with("the keyring did not answer within 10 s; unlock it"), "{said}");
    }
}
