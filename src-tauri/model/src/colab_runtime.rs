//! What Google calls a runtime.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::next_step::NextStep;

/// The id of a runtime, such as `gpu-t4-s-kkb-usw1b1-36jsit0sm8axr`: ASCII letters, digits, `-` and `_`, starting with
/// a letter or digit, at most 128 bytes. It is part of addresses and of files, so nothing else is let in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(String);

/// A text that is no runtime's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a Colab runtime; choose one of yours")]
pub struct InvalidEndpointId(String);

impl InvalidEndpointId {
    /// What a person can do about it here.
    pub const NEXT_STEP: NextStep = NextStep::ChooseRuntime;
}

impl EndpointId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointId {
    type Err = InvalidEndpointId;

    fn from_str(value: &str) -> Result<Self, InvalidEndpointId> {
        let ok = value.len() <= 128
            && value.starts_with(|c: char| c.is_ascii_alphanumeric())
            && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if ok { Ok(Self(value.to_owned())) } else { Err(InvalidEndpointId(value.chars().take(60).collect())) }
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EndpointId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EndpointId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_stand_in_an_address_is_an_id() {
        for good in ["gpu-t4-s-kkb-usw1b1-36jsit0sm8axr", "m-s-kkb-use1b1-2lrd6bbi0umx6", "a_b"] {
            assert_eq!(good.parse::<EndpointId>().unwrap().as_str(), good);
        }
        let long = "x".repeat(129);
        for bad in ["", "-x", "a/b", "a b", "a?b", "a\nb", "ä", "..", long.as_str()] {
            assert!(bad.parse::<EndpointId>().is_err(), "{bad:?}");
        }
    }
}
