//! Secrets that say themselves what they were given for. Both stand in one item of the keyring, which is written at
//! once: no crash, and no other file, can part a secret from its purpose.
//!
//! Text of an item: `{"v":1,"for":{…},"secret":"…"}`.

use moorline_model::secret_kind::SecretKind;
use moorline_ssh_files::Alias;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::error::VaultError;
use super::name::{SecretName, Slot};
use super::place::Vault;

/// The form of an item that this version reads and writes.
const VERSION: u32 = 1;

/// What a secret is given for. A type of its own for each kind of secret, so that none opens another's.
pub trait Purpose: Serialize + DeserializeOwned {
    /// The kind of secret.
    const KIND: SecretKind;

    /// The session, unless the secret is an account's.
    fn session(&self) -> Option<&Alias>;

    /// A text that tells the session's purposes of this kind apart; `None` where there is only one.
    fn slot(&self) -> Option<String>;

    /// Whether a secret that was given for this may be used for `wanted`.
    fn covers(&self, wanted: &Self) -> bool;
}

/// What lies in the vault for a purpose.
#[derive(Debug)]
pub enum Found {
    /// A secret that was given for exactly that.
    Here(SecretString),
    /// A secret that was given for something else, or does not say for what. It is not shown.
    OfAnother,
    /// Nothing.
    None,
}

#[derive(Serialize)]
struct Written<'a, P> {
    v: u32,
    r#for: &'a P,
    secret: &'a str,
}

#[derive(Deserialize)]
struct Read<P> {
    v: u32,
    r#for: P,
    secret: Text,
}

/// Wiped when it is dropped.
#[derive(Deserialize)]
struct Text(String);

impl Drop for Text {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The item in which a secret for this purpose lies.
pub fn name_for<P: Purpose>(purpose: &P) -> SecretName {
    let name = match purpose.session() {
        Some(session) => SecretName::of(session.clone(), P::KIND),
        None => SecretName::account(P::KIND),
    };
    match purpose.slot() {
        Some(slot) => name.in_slot(Slot::of(&slot)),
        None => name,
    }
}

/// Stores the secret with its purpose. It replaces only one that was given for the same.
///
/// # Errors
/// The vault cannot be written.
pub fn keep<P: Purpose>(vault: &dyn Vault, purpose: &P, secret: &SecretString) -> Result<(), VaultError> {
    let item = Written { v: VERSION, r#for: purpose, secret: secret.expose_secret() };
    // With room for all of it: what a growing text leaves behind would not be wiped.
    let mut text = Zeroizing::new(Vec::with_capacity(1024 + 6 * secret.expose_secret().len()));
    let odd = |_| VaultError::Failed("what the secret is for cannot be written down".to_owned());
    serde_json::to_writer(&mut *text, &item).map_err(odd)?;
    let text =
        std::str::from_utf8(&text).map_err(|_| VaultError::Failed("the secret is not text".to_owned()))?;
    vault.set(&name_for(purpose), &SecretString::from(text))
}

/// The secret that was given for this purpose.
///
/// # Errors
/// The vault cannot be read.
pub fn find<P: Purpose>(vault: &dyn Vault, purpose: &P) -> Result<Found, VaultError> {
    Ok(match read::<P>(vault, &name_for(purpose))? {
        Item::Whole(item) if item.r#for.covers(purpose) => {
            Found::Here(SecretString::from(item.secret.0.as_str()))
        }
        Item::Whole(_) | Item::Odd => Found::OfAnother,
        Item::Missing => Found::None,
    })
}

/// What the secret of this name was given for; `None` if there is none, or it does not say.
///
/// # Errors
/// The vault cannot be read.
pub fn purpose_in<P: Purpose>(vault: &dyn Vault, name: &SecretName) -> Result<Option<P>, VaultError> {
    Ok(match read::<P>(vault, name)? {
        Item::Whole(item) => Some(item.r#for),
        Item::Odd | Item::Missing => None,
    })
}

enum Item<P> {
    Whole(Read<P>),
    /// It does not have this form.
    Odd,
    Missing,
}

fn read<P: Purpose>(vault: &dyn Vault, name: &SecretName) -> Result<Item<P>, VaultError> {
    let text = match vault.get(name) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Item::Missing),
        Err(VaultError::NotText(_)) => return Ok(Item::Odd),
        Err(error) => return Err(error),
    };
    Ok(match serde_json::from_str::<Read<P>>(text.expose_secret()) {
        Ok(item) if item.v == VERSION => Item::Whole(item),
        _ => Item::Odd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::vault::MemoryVault;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Door {
        session: Alias,
        host: String,
        side: u8,
    }

    impl Purpose for Door {
        const KIND: SecretKind = SecretKind::Password;

        fn session(&self) -> Option<&Alias> {
            Some(&self.session)
        }

        fn slot(&self) -> Option<String> {
            Some(self.host.clone())
        }

        fn covers(&self, wanted: &Self) -> bool {
            self == wanted
        }
    }

    fn door(host: &str, side: u8) -> Door {
        Door { session: "colab".parse().unwrap(), host: host.to_owned(), side }
    }

    fn opened(vault: &MemoryVault, door: &Door) -> Option<String> {
        match find(vault, door).unwrap() {
            Found::Here(secret) => Some(secret.expose_secret().to_owned()),
            Found::OfAnother | Found::None => None,
        }
    }

    #[test]
    fn a_secret_opens_for_what_it_was_given_for_and_for_nothing_else() {
        let vault = MemoryVault::default();
        let odd = "correct horse\n\"$(id)\" ünïcode\t ";
        keep(&vault, &door("a", 1), &odd.into()).unwrap();
        keep(&vault, &door("b", 1), &"other".into()).unwrap();
        assert_eq!(opened(&vault, &door("a", 1)).as_deref(), Some(odd), "byte for byte");
        assert_eq!(opened(&vault, &door("b", 1)).as_deref(), Some("other"), "each in its own slot");
        assert!(
            matches!(find(&vault, &door("a", 2)), Ok(Found::OfAnother)),
            "the slot alone does not open it"
        );
        assert!(matches!(find(&vault, &door("c", 1)), Ok(Found::None)));
        assert_eq!(purpose_in(&vault, &name_for(&door("a", 1))), Ok(Some(door("a", 1))));
    }

    #[test]
    fn what_does_not_say_its_purpose_opens_for_nobody() {
        let vault = MemoryVault::default();
        let right = r#"{"session":"colab","host":"a","side":1}"#;
        for text in [
            "hunter2",
            "",
            "{}",
            &format!(r#"{{"v":2,"for":{right},"secret":"hunter2"}}"#),
            &format!(r#"{{"for":{right},"secret":"hunter2"}}"#),
            r#"{"v":1,"for":{"session":"*","host":"a","side":1},"secret":"hunter2"}"#,
            r#"{"v":1,"for":{"session":"trainer","host":"a","side":1},"secret":"hunter2"}"#,
            r#"{"v":1,"secret":"hunter2"}"#,
        ] {
            vault.set(&name_for(&door("a", 1)), &text.into()).unwrap();
            assert!(matches!(find(&vault, &door("a", 1)), Ok(Found::OfAnother)), "{text}");
        }
        let whole = format!(r#"{{"v":1,"for":{right},"secret":"hunter2"}}"#);
        vault.set(&name_for(&door("a", 1)), &whole.into()).unwrap();
        assert_eq!(
            opened(&vault, &door("a", 1)).as_deref(),
            Some("hunter2"),
            "else this test could not fail"
        );
    }
}
