//! Windows: the Credential Manager.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;

use super::condition::Condition;

/// A credential's target name is `user.service`.
pub const SEARCH: (&str, &str) = ("pattern", r"\.moorline$");

pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

// Local: a secret does not roam to the other machines of a domain account.
pub fn modifiers(_label: &str) -> HashMap<&str, &str> {
    HashMap::from([("persistence", "Local")])
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as where the keyring can be asked")]
pub fn condition(_within: Duration) -> Option<Condition> {
    Some(Condition::Open)
}
