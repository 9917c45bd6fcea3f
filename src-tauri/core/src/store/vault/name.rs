//! What a secret is called.

use std::fmt;
use std::str::FromStr;

use moorline_model::secret_kind::{InvalidSecretName, SecretKind};
use moorline_ssh_files::Alias;
use sha2::{Digest, Sha256};

/// A secret's name: its kind, the session to which it belongs unless it is an account's, and its slot where there may be
/// several.
///
/// Text form: `colab/password#0f1e2d3c4b5a6978`, or `ngrok-api-key` for one that belongs to no session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// The session; `None` for what belongs to an account.
    pub session: Option<Alias>,
    /// What the secret is for.
    pub kind: SecretKind,
    /// Which of the session's secrets of this kind; `None` where there is one.
    pub slot: Option<Slot>,
}

/// A short digest of what a secret was given for. It keeps the old secret and the new one apart while a session changes,
/// and proves nothing: what counts stands in the item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(String);

impl Slot {
    /// Of a text that describes the purpose.
    pub fn of(purpose: &str) -> Self {
        let digest = Sha256::digest(purpose);
        let start = digest.iter().take(8).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
        Self(format!("{start:0width$x}", width = Self::DIGITS))
    }

    const DIGITS: usize = 16;

    fn read(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::DIGITS && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }
}

impl SecretName {
    /// A session's secret.
    pub fn of(session: Alias, kind: SecretKind) -> Self {
        Self { session: Some(session), kind, slot: None }
    }

    /// A secret that belongs to no session.
    pub fn account(kind: SecretKind) -> Self {
        Self { session: None, kind, slot: None }
    }

    /// The same in this slot.
    #[must_use]
    pub fn in_slot(self, slot: Slot) -> Self {
        Self { slot: Some(slot), ..self }
    }

    /// The same without its slot: what a person calls it.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self { slot: None, ..self.clone() }
    }

    /// How the person's keyring program shows it.
    pub(super) fn label(&self) -> String {
        match &self.session {
            Some(session) => format!("Moorline: {} of {session}", self.kind.words()),
            None => format!("Moorline: {}", self.kind.words()),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(session) = &self.session {
            write!(f, "{session}/")?;
        }
        write!(f, "{}", self.kind)?;
        match &self.slot {
            Some(Slot(digits)) => write!(f, "#{digits}"),
            None => Ok(()),
        }
    }
}

impl FromStr for SecretName {
    type Err = InvalidSecretName;

    fn from_str(value: &str) -> Result<Self, InvalidSecretName> {
        let refuse = || InvalidSecretName::new(value);
        let Some((session, rest)) = value.split_once('/') else { return Ok(Self::account(value.parse()?)) };
        let (kind, slot) = match rest.split_once('#') {
            Some((kind, slot)) => (kind, Some(Slot::read(slot).ok_or_else(refuse)?)),
            None => (rest, None),
        };
        Ok(Self {
            session: Some(session.parse().map_err(|_| refuse())?),
            kind: kind.parse().map_err(|_| refuse())?,
            slot,
        })
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
        let slotted = name.clone().in_slot(Slot::of("relay.example"));
        assert_eq!(slotted.to_string().parse(), Ok(slotted.clone()));
        assert_ne!(slotted, name.clone().in_slot(Slot::of("another.example")));
        assert_eq!((slotted.plain(), slotted.label()), (name.clone(), name.label()));
    }

    #[test]
    fn other_texts_are_refused_with_what_is_allowed() {
        for text in [
            "",
            "/",
            "Password",
            "colab/",
            "/password",
            "Colab/password",
            "a/b/password",
            "colab/passwort",
            "colab/password#",
            "colab/password#0f1e",
            "colab/password#0F1E2D3C4B5A6978",
            "password#0f1e2d3c4b5a6978",
        ] {
            let error = text.parse::<SecretName>().unwrap_err().to_string();
            assert!(error.contains("relay-password"), "{text}: {error}");
        }
    }
}
