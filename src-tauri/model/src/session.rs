//! Sessions and how their runtimes are reached.

use std::fmt;
use std::str::FromStr;

use moorline_ssh_files::{Alias, HostName, IdentityFile, InvalidName, Place, Port, UserName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::colab_runtime::EndpointId;

/// What a person follows; outlives its runtimes. Its name is also the ssh alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Name and ssh alias.
    pub name: Alias,
    /// How the runtime is reached.
    pub link: Link,
    /// The user on the runtime.
    pub user: UserName,
    /// The folder that editors open, absolute on the runtime.
    pub folder: Option<RemotePath>,
    /// The person's own key to log in with, instead of the one that Moorline makes.
    pub identity_file: Option<IdentityFile>,
}

/// How a runtime is reached, and where it now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A plain host and port: bore, frp, a relay that listens publicly, any VM.
    Direct(Place),
    /// An ngrok TCP endpoint.
    Ngrok(Place),
    /// A Cloudflare quick or named tunnel, by its host name.
    Cloudflare(HostName),
    /// Reverse SSH: the runtime's sshd listens on a port of the relay's loopback.
    Relay(RelayLink),
    /// Google's own SSH over a WebSocket.
    Colab(ColabLink),
}

impl Link {
    /// The link's word in config files, output and docs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::Ngrok(_) => "ngrok",
            Self::Cloudflare(_) => "cloudflare",
            Self::Relay(_) => "relay",
            Self::Colab(_) => "colab",
        }
    }

    /// Kind and endpoint in one text, to tell whether something was given for this very link.
    pub fn described(&self) -> String {
        format!("{} {self}", self.kind())
    }

    /// Whether it leads to a name that is never found (RFC 2606): no runtime has been there yet.
    pub fn leads_nowhere(&self) -> bool {
        let host = match self {
            Self::Direct(place) | Self::Ngrok(place) => &place.host,
            Self::Cloudflare(host) => host,
            Self::Relay(_) | Self::Colab(_) => return false,
        };
        host.as_str().ends_with(".invalid")
    }

    /// Whether ssh runs `moorline-proxy` to get there.
    pub fn runs_moorline(&self) -> bool {
        matches!(self, Self::Cloudflare(_) | Self::Colab(_))
    }

    /// The host and port that ssh itself dials; `None` for links that need a `ProxyCommand`.
    pub fn dialled(&self) -> Option<&Place> {
        match self {
            Self::Direct(place) | Self::Ngrok(place) => Some(place),
            Self::Cloudflare(_) | Self::Relay(_) | Self::Colab(_) => None,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(place) | Self::Ngrok(place) => write!(f, "{}:{}", place.host, place.port),
            Self::Cloudflare(host) => write!(f, "{host}"),
            Self::Relay(link) => write!(f, "port {} of {}", link.port, link.relay),
            Self::Colab(link) => write!(f, "{}", link.runtime),
        }
    }
}

/// A runtime of the person's Google account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColabLink {
    /// Which of the account's runtimes.
    pub runtime: EndpointId,
}

/// A reverse tunnel that ends on a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLink {
    /// The machine that holds the port.
    pub relay: RelayTarget,
    /// The port on the relay's `127.0.0.1`.
    pub port: Port,
    /// Whether the person said that this relay is theirs alone, so that a key seen there (with the uid check)
    /// has trust `channel`.
    pub mine_alone: bool,
}

/// How the person's own `ssh` reaches the relay: `[user@]host[:port]`, where the host may be an alias of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTarget {
    /// The user, unless the person's config says it.
    pub user: Option<UserName>,
    /// Host name or alias.
    pub host: HostName,
    /// The relay's SSH port, unless the person's config says it.
    pub port: Option<Port>,
}

impl fmt::Display for RelayTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.as_str().contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

impl FromStr for RelayTarget {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let (user, place) = match value.rsplit_once('@') {
            Some((user, place)) => (Some(user.parse()?), place),
            None => (None, value),
        };
        let bracketed = place.strip_prefix('[').and_then(|p| p.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, "")) => (host, None),
            Some((host, tail)) => (host, Some(tail.strip_prefix(':').unwrap_or(tail))),
            None if place.matches(':').count() == 1 => {
                let (host, port) = place.split_once(':').unwrap_or((place, ""));
                (host, Some(port))
            }
            None => (place, None),
        };
        Ok(Self { user, host: host.parse()?, port: port.map(str::parse).transpose()? })
    }
}

impl Serialize for RelayTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RelayTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// An absolute folder on the runtime: starts with `/`, no control characters, at most 1024 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePath(String);

/// A folder that is not absolute, too long, or holds control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a folder on the runtime: give an absolute path such as /content")]
pub struct InvalidRemotePath(String);

impl RemotePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RemotePath {
    type Err = InvalidRemotePath;

    fn from_str(value: &str) -> Result<Self, InvalidRemotePath> {
        let ok = value.starts_with('/') && value.len() <= 1024 && !value.chars().any(char::is_control);
        if ok { Ok(Self(value.to_owned())) } else { Err(InvalidRemotePath(value.chars().take(80).collect())) }
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RemotePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RemotePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The address of a notebook: `https`, printable ASCII that a browser's command line takes as one address, without
/// a user name in front of the host, at most 2048 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotebookUrl(String);

/// Not the address of a notebook. What was given is not repeated: it may hold a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no notebook's address: copy the whole https://… from the browser's address bar")]
pub struct InvalidNotebookUrl;

impl NotebookUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NotebookUrl {
    type Err = InvalidNotebookUrl;

    fn from_str(value: &str) -> Result<Self, InvalidNotebookUrl> {
        let rest = value.strip_prefix("https://").ok_or(InvalidNotebookUrl)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, port) = rest[..end].split_once(':').unwrap_or((&rest[..end], "443"));
        let odd = |c: char| {
            !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        };
        let named = host.parse::<HostName>().is_ok() && port.parse::<Port>().is_ok();
        if named && value.len() <= 2048 && !value.contains(odd) {
            Ok(Self(value.to_owned()))
        } else {
            Err(InvalidNotebookUrl)
        }
    }
}

impl fmt::Display for NotebookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_has_an_https_address_and_nothing_that_a_command_line_could_misread() {
        for good in [
            "https://colab.research.google.com/drive/1AbC_d-E#scrollTo=x",
            "https://colab.research.google.com/github/a/b/blob/main/n.ipynb?authuser=1",
            "https://jupyter.example.org:8888/lab/tree/n%20b.ipynb",
        ] {
            assert_eq!(good.parse::<NotebookUrl>().map(|url| url.to_string()), Ok(good.to_owned()));
        }
        let long = format!("https://h.example/{}", "x".repeat(2048));
        for bad in [
            "http://colab.research.google.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "-version",
            "https://",
            "https:///path",
            "https://user:word@h.example/",
            "https://h.example/a b",
            "https://h.example/\u{202e}",
            "https://h.example/\"x",
            "https://h.example:0x/",
            long.as_str(),
        ] {
            assert_eq!(bad.parse::<NotebookUrl>(), Err(InvalidNotebookUrl), "{bad}");
        }
    }
}
