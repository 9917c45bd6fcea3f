//! Why something of Google's could not be had. Each is one sentence with the next step; none holds a token.

use std::path::PathBuf;

use moorline_model::colab_runtime::EndpointId;
use moorline_model::next_step::NextStep;

use crate::store::vault::VaultError;

/// How a person signs in with Google's own command line.
const SIGN_IN: &str = "run `colab sessions` (google-colab-cli) and sign in";

/// How a person signs in with gcloud, so that Colab may be asked.
const SIGN_IN_GCLOUD: &str = "run `gcloud auth application-default login --scopes=openid,https://www.googleapis.com/auth/cloud-platform,https://www.googleapis.com/auth/userinfo.email,https://www.googleapis.com/auth/colaboratory`";

/// What came between Moorline and Google's Colab.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoogleError {
    /// No sign-in was found on this computer.
    #[error("nobody is signed in to Google here; {SIGN_IN}, or {SIGN_IN_GCLOUD}")]
    SignedOut,
    /// A sign-in was found and cannot be used.
    #[error("the Google sign-in in {place} cannot be used: {why}; {SIGN_IN} again")]
    Unusable {
        /// The file, or the keyring.
        place: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Google takes the refresh token no more (`invalid_grant`).
    #[error("Google takes the sign-in in {place} no more (invalid_grant); {how}", how = sign_in_again(place))]
    Expired {
        /// The file, or the keyring.
        place: String,
    },
    /// The sign-in does not cover Colab.
    #[error("the Google sign-in in {place} does not cover Colab; {SIGN_IN_GCLOUD}")]
    ScopeMissing {
        /// The file, or the keyring.
        place: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {why}; check its permissions and try again")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// google-colab-cli's list of sessions holds something else.
    #[error(
        "google-colab-cli's list of sessions in {path} cannot be used: {why}; delete that file if `colab sessions` cannot read it either, and name the runtime by its id"
    )]
    NoList {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// 401.
    #[error("Google refuses the sign-in (401); {SIGN_IN} again")]
    Unauthorised,
    /// 403.
    #[error("Google's Colab refuses this account (403); open the notebook in a browser to see why")]
    Forbidden,
    /// 404.
    #[error("Google's Colab does not know {what} (404); it may have ended, look in the browser")]
    Missing {
        /// What was asked for.
        what: &'static str,
    },
    /// 429.
    #[error("Google's Colab was asked too often (429); wait a minute and try again")]
    TooOften,
    /// 5xx.
    #[error("Google's Colab does not work just now ({status}); try again in a few minutes")]
    Broken {
        /// The status.
        status: u16,
    },
    /// Another status.
    #[error(
        "Google's Colab answers with status {status}, which Moorline does not know; look for a newer Moorline"
    )]
    OtherStatus {
        /// The status.
        status: u16,
    },
    /// The answer is not what it was known to be.
    #[error(
        "what {host} answers makes no sense ({why}); a portal may be in between, or look for a newer Moorline"
    )]
    BadAnswer {
        /// Who answered.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// No connection.
    #[error("{host} cannot be reached ({why}); check your own network")]
    Network {
        /// The host.
        host: String,
        /// In a few words.
        why: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {seconds} s; check your own network")]
    TimedOut {
        /// The host.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The runtime is not among the account's any more.
    #[error(
        "Google does not list the runtime {runtime} any more, so it has ended; start one in the notebook, then choose it"
    )]
    Ended {
        /// The runtime.
        runtime: EndpointId,
    },
    /// The session has another link.
    #[error(
        "this session is reached over {kind}, not over Google's SSH; look at how your sessions are reached"
    )]
    OtherLink {
        /// The link's word.
        kind: &'static str,
    },
    /// The keyring did not give or take what it should.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl GoogleError {
    /// Whether trying again soon is of no use.
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::SignedOut
                | Self::Unusable { .. }
                | Self::Expired { .. }
                | Self::ScopeMissing { .. }
                | Self::Unauthorised
                | Self::Forbidden
        )
    }

    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Expired { place } if place == KEYRING => Some(NextStep::CopyGoogleSignIn),
            Self::Ended { .. } => Some(NextStep::ChooseRuntime),
            Self::OtherLink { .. } => Some(NextStep::LookAtStatus),
            Self::Vault(error) => error.next_step(),
            _ => None,
        }
    }

    /// Whether Google was not reached at all.
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Network { .. } | Self::TimedOut { .. })
    }
}

/// The way back in that fits where the sign-in came from.
fn sign_in_again(place: &str) -> String {
    if place.ends_with("application_default_credentials.json") {
        SIGN_IN_GCLOUD.to_owned()
    } else if place == KEYRING {
        format!("{SIGN_IN} again, then copy the sign-in into the keyring again")
    } else {
        format!("delete that file, then {SIGN_IN} again")
    }
}

/// What the keyring is called where a sign-in's place is named.
pub(super) const KEYRING: &str = "the keyring";
