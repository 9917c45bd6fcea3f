//! What a secret is called.

use std::fmt;
use std::str::FromStr;

use moorline_ssh_files::Alias;
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

/// A secret's name: its kind, and the session to which it belongs unless it is an account's.
///
/// Text form: `colab/password`, or `ngrok-api-key` for one that belongs to no session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// The session; `None` for what belongs to an account.
    pub session: Option<Alias>,
    /// What the secret is for.
    pub kind: SecretKind,
}

/// A text that names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no secret: it is [SESSION/]KIND, where KIND is password, relay-password, session-key, \
     ngrok-api-key, service-token, google-refresh-token or runtime-token"
)]
pub struct InvalidSecretName(String);

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
    pub(crate) fn words(self) -> &'static str {
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

impl SecretName {
    /// A session's secret.
    pub fn of(session: Alias, kind: SecretKind) -> Self {
        Self { session: Some(session), kind }
    }

    /// A secret that belongs to no session.
    pub fn account(kind: SecretKind) -> Self {
        Self { session: None, kind }
    }

    /// How the person's keyring program shows it.
    pub(super) fn label(&self) -> String {
        match &self.session {
            Some(session) => format!("Moorline: {} of {session}", self.kind.words()),
            None => format!("Moorline: {}", self.kind.words()),
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

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(session) = &self.session {
            write!(f, "{session}/")?;
        }
        write!(f, "{}", self.kind)
    }
}

impl FromStr for SecretName {
    type Err = InvalidSecretName;

    fn from_str(value: &str) -> Result<Self, InvalidSecretName> {
        let refuse = |_| InvalidSecretName::new(value);
        match value.split_once('/') {
            Some((session, kind)) => Ok(Self {
                session: Some(session.parse().map_err(|_| InvalidSecretName::new(value))?),
                kind: kind.parse().map_err(refuse)?,
            }),
            None => Ok(Self::account(value.parse()?)),
        }
    }
}

impl InvalidSecretName {
    fn new(value: &str) -> Self {
        Self(value.chars().take(60).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_from_their_text() {
        for kind in SecretKind::ALL {
            for name in [SecretName::account(kind), SecretName::of("gpu.box-2".parse().unwrap(), kind)] {
                assert_eq!(name.to_string().parse(), Ok(name));
            }
        }
        let name = SecretName::of("colab".parse().unwrap(), SecretKind::RelayPassword);
        assert_eq!(name.to_string(), "colab/relay-password");
        assert_eq!(name.label(), "Moorline: relay password of colab");
    }

    #[test]
    fn other_texts_are_refused_with_what_is_allowed() {
        for text in
            ["", "/", "Password", "colab/", "/password", "Colab/password", "a/b/password", "colab/passwort"]
        {
            let error = text.parse::<SecretName>().unwrap_err().to_string();
            assert!(error.contains("relay-password"), "{text}: {error}");
        }
    }
}
