//! The kinds of secret that the vault holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretKind {
    /// The login password of a runtime, as a cell printed it; used once, to install the login key.
    Password,
    /// The password of the relay, for the person's own `ssh` to it.
    RelayPassword,
    /// The 32 random bytes of a session, as base64, from which its other keys are derived.
    SessionKey,
    /// The API key of an ngrok account; not the authtoken, which belongs to the runtime.
    NgrokApiKey,
    /// The client id and secret of a Cloudflare Access service token.
    ServiceToken,
    /// The refresh token of a Google account, with the id and secret of the program that it was given to.
    GoogleRefreshToken,
    /// The token that opens a Colab runtime for about an hour, with the runtime and host that it is for. Moorline
    /// stores and renews it by itself.
    RuntimeToken,
}

impl SecretKind {
    /// Those that belong to one session.
    pub const OF_SESSION: [Self; 5] =
        [Self::Password, Self::RelayPassword, Self::SessionKey, Self::ServiceToken, Self::RuntimeToken];

    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Password,
        Self::RelayPassword,
        Self::SessionKey,
        Self::NgrokApiKey,
        Self::ServiceToken,
        Self::GoogleRefreshToken,
        Self::RuntimeToken,
    ];

    /// The word in names and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::RelayPassword => "relay-password",
            Self::SessionKey => "session-key",
            Self::NgrokApiKey => "ngrok-api-key",
            Self::ServiceToken => "service-token",
            Self::GoogleRefreshToken => "google-refresh-token",
            Self::RuntimeToken => "runtime-token",
        }
    }

    /// The words for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Password => "login password",
            Self::RelayPassword => "relay password",
            Self::SessionKey => "session key",
            Self::NgrokApiKey => "ngrok API key",
            Self::ServiceToken => "Cloudflare service token",
            Self::GoogleRefreshToken => "Google refresh token",
            Self::RuntimeToken => "runtime token",
        }
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SecretKind {
    type Err = InvalidSecretName;

    fn from_str(value: &str) -> Result<Self, InvalidSecretName> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == value);
        known.ok_or_else(|| InvalidSecretName::new(value))
    }
}

/// A text that names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no secret: it is [SESSION/]KIND, where KIND is password, relay-password, session-key, \
     ngrok-api-key, service-token, google-refresh-token or runtime-token"
)]
pub struct InvalidSecretName(String);

impl InvalidSecretName {
    /// About this value, of which at most 60 characters are kept.
    pub fn new(value: &str) -> Self {
        Self(value.chars().take(60).collect())
    }
}
