//! The step with which a person goes on after something failed. Core says which; each face words it for itself: the
//! command line as a command, the window and notifications as a button. Its own text fits any face.

use std::fmt;

use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use crate::secret_kind::SecretKind;

/// What a person can do about it with Moorline. A session is `None` where whoever says so does not know which one it
/// is about, or where it is about all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum NextStep {
    /// Add a session with what a cell printed.
    Add {
        /// The session.
        session: Option<Alias>,
    },
    /// Choose one of the account's Colab runtimes for a session.
    ChooseRuntime,
    /// Copy the sign-in of Google's own command line into the keyring anew.
    CopyGoogleSignIn,
    /// Look at the sessions, and how they are.
    LookAtStatus,
    /// Make a session key.
    NewSessionKey {
        /// The session.
        session: Option<Alias>,
    },
    /// Say which folders the session's folder channel has.
    NameFolders {
        /// The session.
        session: Alias,
    },
    /// Repair the ssh files, and compare a key that is new.
    Repair {
        /// The session.
        session: Option<Alias>,
    },
    /// Stop the ngrok agents that former runtimes left behind.
    StopNgrokAgents {
        /// The session.
        session: Option<Alias>,
    },
    /// Store a secret, in the place of one that is there.
    StoreSecret {
        /// The session; `None` also for what belongs to an account.
        session: Option<Alias>,
        /// What it is for.
        kind: SecretKind,
    },
}

impl NextStep {
    /// The same step for this session, where none was named and the step is about one.
    #[must_use]
    pub fn of(mut self, name: &Alias) -> Self {
        if let Self::Add { session }
        | Self::NewSessionKey { session }
        | Self::Repair { session }
        | Self::StopNgrokAgents { session } = &mut self
        {
            session.get_or_insert_with(|| name.clone());
        }
        if let Self::StoreSecret { session, kind } = &mut self
            && SecretKind::OF_SESSION.contains(kind)
        {
            session.get_or_insert_with(|| name.clone());
        }
        self
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of =
            |session: &Option<Alias>| session.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
        match self {
            Self::Add { session: Some(name) } => write!(f, "add {name} with what its cell printed"),
            Self::Add { session: None } => {
                f.write_str("add a session with what your notebook's cell printed")
            }
            Self::ChooseRuntime => f.write_str("choose one of your Colab runtimes"),
            Self::CopyGoogleSignIn => f.write_str("copy the sign-in from google-colab-cli again"),
            Self::LookAtStatus => f.write_str("look at how your sessions are"),
            Self::NewSessionKey { session } => write!(f, "make a new session key{}", of(session)),
            Self::NameFolders { session } => write!(f, "name the two folders of {session}'s folder channel"),
            Self::Repair { session: Some(name) } => write!(f, "repair {name}"),
            Self::Repair { session: None } => f.write_str("repair your sessions"),
            Self::StopNgrokAgents { .. } => f.write_str("stop the ngrok agents that were left behind"),
            Self::StoreSecret { session, kind } => {
                write!(f, "store the {}{} again", kind.words(), of(session))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_said_in_words_and_of_the_session_where_it_is_known() {
        let colab: Alias = "colab".parse().unwrap();
        let store = |kind| NextStep::StoreSecret { session: None, kind };
        let token = store(SecretKind::ServiceToken);
        assert_eq!(token.to_string(), "store the Cloudflare service token again");
        assert_eq!(token.of(&colab).to_string(), "store the Cloudflare service token of colab again");
        let account = store(SecretKind::NgrokApiKey);
        assert_eq!(account.clone().of(&colab), account, "it belongs to no session");
        let other = NextStep::Repair { session: Some("other".parse().unwrap()) };
        assert_eq!(other.clone().of(&colab), other, "whoever named one knew it");
        assert_eq!(NextStep::Repair { session: None }.of(&colab).to_string(), "repair colab");
    }

    #[test]
    fn a_step_keeps_its_meaning_between_programs() {
        let step = NextStep::StoreSecret { session: None, kind: SecretKind::RelayPassword };
        let text = serde_json::to_string(&step).unwrap();
        assert_eq!(text, r#"{"step":"store-secret","session":null,"kind":"relay-password"}"#);
        assert_eq!(serde_json::from_str::<NextStep>(&text).unwrap(), step);
    }
}
