//! macOS: the login keychain.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;

use super::condition::{Condition, SERVICE};

pub const SEARCH: (&str, &str) = ("service", SERVICE);

pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

// The keychain shows service and account, and takes no label.
pub fn modifiers(_label: &str) -> HashMap<&str, &str> {
    HashMap::new()
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as where the keyring can be asked")]
pub fn condition(_within: Duration) -> Option<Condition> {
    Some(Condition::Open)
}
