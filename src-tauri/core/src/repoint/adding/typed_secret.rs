//! A secret on its way from a person to whoever runs a conversation.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a person typed or pasted. It can be serialised, unlike every other secret here, because it crosses the agent's
/// socket once, from a face to the agent. No answer, view or event has a field of this type.
#[derive(Debug, Clone)]
pub struct TypedSecret(SecretString);

impl TypedSecret {
    /// Takes what was typed.
    pub fn new(text: SecretString) -> Self {
        Self(text)
    }

    /// The secret.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The text itself, for those who read it.
    pub fn text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for TypedSecret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl Serialize for TypedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for TypedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::from(text)))
    }
}

#[cfg(feature = "typescript")]
impl ts_rs::TS for TypedSecret {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &ts_rs::Config) -> String {
        "string".to_owned()
    }

    fn inline(_: &ts_rs::Config) -> String {
        "string".to_owned()
    }
}
