//! The sign-ins that a person already has: google-colab-cli's, gcloud's, or a copy of one in the keyring.

use std::fmt;
use std::path::PathBuf;

use moorline_model::secret_kind::SecretKind;
use moorline_ssh_files::Alias;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::GoogleError;
use crate::net::google::error::KEYRING;
use crate::store::dirs::Dirs;
use crate::store::read_file::{self, NotRead};
use crate::store::vault::{self, Found, Purpose, Vault, VaultError};

/// A program whose sign-in can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// google-colab-cli: `~/.config/colab-cli/token.json`.
    ColabCli,
    /// gcloud: Application Default Credentials.
    Gcloud,
}

impl Source {
    /// The file in which the program keeps its sign-in.
    pub fn file(self, dirs: &Dirs) -> PathBuf {
        let config = dirs.home.join(".config");
        match self {
            Self::ColabCli => config.join("colab-cli/token.json"),
            Self::Gcloud if cfg!(windows) => {
                dirs.home.join("AppData/Roaming/gcloud/application_default_credentials.json")
            }
            Self::Gcloud => config.join("gcloud/application_default_credentials.json"),
        }
    }
}

/// What a new access token is asked for with: an "authorized user" of OAuth 2. `Debug` shows where it lies, and
/// nothing of it.
#[derive(Clone)]
pub struct Credentials {
    /// The file, or the keyring.
    pub place: String,
    /// The id of the program that the person signed in to.
    client_id: String,
    client_secret: SecretString,
    refresh_token: SecretString,
}

/// Where an access token comes from (RFC 6749, section 6; Google's "Using OAuth 2.0 for Mobile & Desktop Apps"): the only
/// host that a sign-in is sent to.
pub(super) const OAUTH: &str = "oauth2.googleapis.com";

/// What a form's body is called, and how it is written.
const FORM: &str = "application/x-www-form-urlencoded";

/// For what a kept sign-in was given.
#[derive(Serialize, Deserialize)]
struct SignInFor {
    host: String,
}

impl SignInFor {
    fn google() -> Self {
        Self { host: OAUTH.to_owned() }
    }
}

impl Purpose for SignInFor {
    const KIND: SecretKind = SecretKind::GoogleRefreshToken;

    fn session(&self) -> Option<&Alias> {
        None
    }

    fn slot(&self) -> Option<String> {
        None
    }

    fn covers(&self, wanted: &Self) -> bool {
        self.host == wanted.host
    }
}

impl Credentials {
    /// Every sign-in that there is, in the order in which they are tried: the keyring's copy, google-colab-cli's,
    /// gcloud's. Read anew each time, so that signing in again counts at once. Blocks as the keyring does.
    ///
    /// # Errors
    /// There is none, and why the first one that was found cannot be used.
    pub fn all(dirs: &Dirs, vault: &dyn Vault) -> Result<Vec<Self>, GoogleError> {
        let mut found = Vec::new();
        let mut problem = None;
        let files = [Source::ColabCli, Source::Gcloud].map(|source| Self::of(dirs, source));
        for read in std::iter::once(kept(vault)).chain(files) {
            match read {
                Ok(credentials) => found.extend(credentials),
                Err(error) => drop(problem.get_or_insert(error)),
            }
        }
        if found.is_empty() { Err(problem.unwrap_or(GoogleError::SignedOut)) } else { Ok(found) }
    }

    /// The sign-in of one program; `None` where it has none.
    ///
    /// # Errors
    /// Its file cannot be read, or holds something else.
    pub fn of(dirs: &Dirs, source: Source) -> Result<Option<Self>, GoogleError> {
        let path = source.file(dirs);
        let place = path.display().to_string();
        let read = read_file::read_settled(&path, |text| Self::parse(text, place.clone()));
        read.map_err(|error| match error {
            NotRead::System(why) => GoogleError::Unreadable { path, why },
            NotRead::Empty => GoogleError::Unusable { place, why: "it is empty" },
            NotRead::Odd(why) => GoogleError::Unusable { place, why },
        })
    }

    /// Copies the sign-in into the keyring, where it stays when the program's own file is deleted.
    ///
    /// # Errors
    /// The keyring refuses.
    pub fn keep(&self, vault: &dyn Vault) -> Result<(), VaultError> {
        let text = serde_json::json!({
            "type": "authorized_user",
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose_secret(),
            "refresh_token": self.refresh_token.expose_secret(),
        });
        Self::keep_text(vault, &SecretString::from(text.to_string()))
    }

    /// Keeps a sign-in as a person gives it, as JSON.
    ///
    /// # Errors
    /// The keyring refuses.
    pub fn keep_text(vault: &dyn Vault, text: &SecretString) -> Result<(), VaultError> {
        vault::keep(vault, &SignInFor::google(), text)
    }

    /// The request for an access token: all that a sign-in is ever used for, and its only way out of here.
    pub(super) fn token_request(&self, web: &reqwest::Client) -> reqwest::RequestBuilder {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("refresh_token", self.refresh_token.expose_secret()),
        ];
        web.post(format!("https://{OAUTH}/token")).header(CONTENT_TYPE, FORM).body(encoded(&form))
    }

    /// Whether it is the same sign-in, wherever it lies.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
            && self.refresh_token.expose_secret() == other.refresh_token.expose_secret()
    }

    fn parse(text: &str, place: String) -> Result<Self, &'static str> {
        let mut file: AuthorizedUser = serde_json::from_str(text).map_err(|_| "it is no sign-in as JSON")?;
        if !matches!(file.kind.as_deref(), None | Some("authorized_user")) {
            return Err("it is not a person's sign-in (type authorized_user)");
        }
        let (Some(client_id), Some(client_secret), Some(refresh_token)) =
            (file.client_id.take(), file.client_secret.take(), file.refresh_token.take())
        else {
            return Err("client_id, client_secret or refresh_token is missing");
        };
        if client_id.is_empty() || refresh_token.is_empty() {
            return Err("client_id or refresh_token is empty");
        }
        Ok(Self {
            place,
            client_id,
            client_secret: client_secret.into(),
            refresh_token: refresh_token.into(),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The file's own token address is not read: a client secret goes to Google and nowhere else.
#[derive(Deserialize)]
struct AuthorizedUser {
    #[serde(rename = "type")]
    kind: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
}

impl Drop for AuthorizedUser {
    fn drop(&mut self) {
        self.client_secret.zeroize();
        self.refresh_token.zeroize();
    }
}

/// The copy in the keyring. A keyring that cannot be read is no reason to leave the files alone.
fn kept(vault: &dyn Vault) -> Result<Option<Credentials>, GoogleError> {
    let unusable = |why| GoogleError::Unusable { place: KEYRING.to_owned(), why };
    let text = match vault::find(vault, &SignInFor::google()) {
        Ok(Found::Here(text)) => text,
        Ok(Found::OfAnother) => return Err(unusable("it does not say that it was given for Google")),
        Ok(Found::None) => return Ok(None),
        Err(error) => {
            tracing::debug!(%error, "no sign-in can be read from the keyring");
            return Ok(None);
        }
    };
    Credentials::parse(text.expose_secret(), KEYRING.to_owned()).map(Some).map_err(unusable)
}

fn encoded(form: &[(&str, &str)]) -> String {
    let pairs =
        form.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}
