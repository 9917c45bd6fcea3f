//! Why a vault could not be used.

use std::time::Duration;

use moorline_model::next_step::NextStep;

use super::name::SecretName;

/// How a person unlocks the keyring of their system.
const UNLOCK: &str = if cfg!(target_os = "macos") {
    "unlock the login keychain in Keychain Access and try again"
} else if cfg!(windows) {
    "log in to Windows anew and try again"
} else {
    "unlock it (in Passwords and Keys, KWalletManager or KeePassXC, or by logging in anew) and try again"
};

/// Why the vault could not be used. No text of it ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring on this machine or in this login.
    #[error("{0}")]
    NoKeyring(&'static str),
    /// The keyring is there and locked, and was not unlocked in time.
    #[error("the keyring is locked; {}", UNLOCK)]
    Locked,
    /// The keyring did not answer.
    #[error("the keyring did not answer within {} s; {}", within.as_secs_f32().ceil(), UNLOCK)]
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
