//! The vault: passwords, session keys and tokens, which lie in the keyring of the operating system and nowhere
//! else. There is no fallback to a file.

mod bound;
mod error;
mod memory;
mod name;
mod os;
mod place;

pub use bound::{Found, Purpose, find, keep, name_for, purpose_in};
pub use error::VaultError;
pub use memory::MemoryVault;
pub use moorline_model::secret_kind::SecretKind;
pub use name::{SecretName, Slot};
pub use os::OsVault;
pub use place::Vault;

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;
    use std::sync::Arc;
    use std::time::Duration;

    use secrecy::SecretString;

    use super::*;

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
