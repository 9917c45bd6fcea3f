//! The validator types: the only way for a value from outside to reach an ssh file or an argument list.
//!
//! Each type is built by [`FromStr`] (or `TryFrom<String>`), accepts a deliberately small alphabet, and is
//! immutable afterwards. OpenSSH expands `%h` and `%r` into shell commands (`ProxyCommand`, `Match exec`), reads
//! a leading `-` as an option and a line break as the next directive; a value that passed here can do none of that.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

/// Why a value was refused. The text names the value's kind, shows it with control characters escaped and cut to
/// a bounded length, and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {shown} is not allowed: {rule}")]
pub struct InvalidName {
    kind: &'static str,
    shown: String,
    rule: &'static str,
}

impl InvalidName {
    pub(crate) fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        let mut shown: String = value.chars().take(60).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { kind, shown: format!("{shown:?}"), rule }
    }
}

/// A host name or IP address that leads to a runtime or a relay.
///
/// Allowed: `[A-Za-z0-9][A-Za-z0-9._-]{0,252}`, or anything [`IpAddr`] parses. Held in lower case, as OpenSSH
/// lowers a name before it looks it up in `known_hosts`. Numbers that resolvers take for an address in disguise
/// (`2130706433`, `0x7f.1`, `127.1`: POSIX `inet_addr`) are refused, since they would hide where they lead.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(String);

impl HostName {
    const RULE: &'static str = "a host name has letters, digits, dots, dashes and underscores, starts with a letter or digit, and is at most 253 long; or it is an IP address";
    const NUMBERS: &'static str = "resolvers read such numbers as an IP address; write the address with four decimal parts, such as 127.0.0.1";

    /// The name as it stands in files; IPv6 addresses have no brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is an address of the local machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        self.0 == "localhost" || self.0.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for HostName {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let bare = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self(ip.to_string()));
        }
        let refuse = || InvalidName::new("host name", value, Self::RULE);
        let bytes = value.as_bytes();
        let first_ok = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let rest_ok = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !first_ok || !rest_ok || bytes.len() > 253 {
            return Err(refuse());
        }
        if value.split('.').all(reads_as_number) {
            return Err(InvalidName::new("host name", value, Self::NUMBERS));
        }
        Ok(Self(value.to_ascii_lowercase()))
    }
}

/// Whether a resolver may take this part of a name for a number: decimal, octal or hexadecimal. An empty part, behind
/// a dot at the end, does not make a name of numbers.
fn reads_as_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => label.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// The user to log in as. Allowed: `[A-Za-z_][A-Za-z0-9._-]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    const RULE: &'static str = "a user name has letters, digits, dots, dashes and underscores, starts with a letter or underscore, and is at most 32 long";

    /// `root`, who one is on Colab.
    pub fn root() -> Self {
        Self("root".to_owned())
    }

    /// The name as it stands in files.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let bytes = value.as_bytes();
        let first_ok = bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        let rest_ok = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if first_ok && rest_ok && bytes.len() <= 32 {
            Ok(Self(value.to_owned()))
        } else {
            Err(InvalidName::new("user name", value, Self::RULE))
        }
    }
}

/// The name of a `Host` entry, chosen locally: `[a-z0-9][a-z0-9.-]{0,62}`.
///
/// Lower case because VS Code lowers the authority of a remote folder before it asks ssh.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias(String);

impl Alias {
    const RULE: &'static str = "an alias has lower-case letters, digits, dots and dashes, starts with a letter or digit, and is at most 63 long";

    /// The alias as it stands in files.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The alias in the place of a host name (a proxied entry's `HostName` is its own alias).
    pub fn to_host_name(&self) -> HostName {
        HostName(self.0.clone())
    }
}

impl FromStr for Alias {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let bytes = value.as_bytes();
        let lower = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first_ok = bytes.first().is_some_and(lower);
        let rest_ok = bytes.iter().all(|b| lower(b) || matches!(b, b'.' | b'-'));
        if first_ok && rest_ok && bytes.len() <= 63 {
            Ok(Self(value.to_owned()))
        } else {
            Err(InvalidName::new("alias", value, Self::RULE))
        }
    }
}

/// A TCP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port(NonZeroU16);

impl Port {
    /// Port 22.
    pub const SSH: Self = Self(NonZeroU16::MIN.saturating_add(21));

    /// The number.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

impl FromStr for Port {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        value
            .parse::<NonZeroU16>()
            .ok()
            .filter(|_| digits)
            .map(Self)
            .ok_or_else(|| InvalidName::new("port", value, "a port is a number from 1 to 65535"))
    }
}

impl TryFrom<u16> for Port {
    type Error = InvalidName;

    fn try_from(value: u16) -> Result<Self, InvalidName> {
        value.to_string().parse()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                value.parse()
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

text_like!(HostName, UserName, Alias);

#[cfg(feature = "serde")]
impl serde::Serialize for Port {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.get())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Port {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_take_names_and_addresses() {
        for (given, held) in [
            ("0.tcp.eu.ngrok.io", "0.tcp.eu.ngrok.io"),
            ("Relay-1.Example", "relay-1.example"),
            ("under_score", "under_score"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[2001:DB8::1]", "2001:db8::1"),
        ] {
            assert_eq!(given.parse::<HostName>().unwrap().as_str(), held, "{given}");
        }
    }

    #[test]
    fn nothing_that_ssh_or_a_shell_could_read_passes() {
        let too_long = "a".repeat(254);
        let hostile = [
            "",
            "-oProxyCommand=x",
            "-",
            ".",
            "a b",
            "a\tb",
            "a\nHost *",
            "a\r",
            "a\0b",
            "$(id)",
            "`id`",
            "a|b",
            "a&b",
            "a>b",
            "a;b",
            "a%h",
            "a'b",
            "a\"b",
            "a\\b",
            "a*",
            "!a",
            "a,b",
            "a#b",
            "a/b",
            "a:b",
            "a@b",
            "ä",
            &too_long,
        ];
        for value in hostile {
            assert!(value.parse::<HostName>().is_err(), "host {value:?}");
            assert!(value.parse::<UserName>().is_err(), "user {value:?}");
            assert!(value.parse::<Alias>().is_err(), "alias {value:?}");
            assert!(value.parse::<Port>().is_err(), "port {value:?}");
        }
        assert!("Colab".parse::<Alias>().is_err(), "upper case would not match what VS Code asks for");
        assert!(
            "0".parse::<Port>().is_err()
                && "65536".parse::<Port>().is_err()
                && "+22".parse::<Port>().is_err()
        );
        assert_eq!(Port::SSH.get(), 22);
    }

    #[test]
    fn addresses_in_disguise_are_refused() {
        for value in [
            "2130706433",
            "0x7f.1",
            "0X7F000001",
            "127.1",
            "127.0.0.010",
            "0x7f.0.0.1",
            "1.2.3.4.5",
            "999.1.1.1",
            "1.",
            "0x",
        ] {
            let error = value.parse::<HostName>().unwrap_err().to_string();
            assert!(error.contains(value) && error.contains("127.0.0.1"), "{error}");
        }
        for value in ["0xbeef.example", "1.example", "3com", "0xg", "127.0.0.1.nip.io", "gpu-0"] {
            assert!(value.parse::<HostName>().is_ok(), "{value:?} is a name");
        }
    }

    #[test]
    fn a_refusal_shows_the_value_escaped_and_bounded() {
        let text = format!("x\u{1b}[31m\n{}", "y".repeat(500)).parse::<HostName>().unwrap_err().to_string();
        assert!(text.contains("\\u{1b}") && !text.contains('\n') && text.len() < 400, "{text}");
    }
}
