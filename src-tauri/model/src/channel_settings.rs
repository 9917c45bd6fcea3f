//! What a person sets of a session's channels in `config.toml`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use moorline_ssh_files::{HostName, Port};
use serde::{Deserialize, Serialize};

/// How announcements come by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// A topic on an ntfy server.
    Ntfy,
    /// A file on the session's relay.
    Relay,
    /// The metadata of the account's ngrok endpoints.
    Ngrok,
    /// A folder that something else keeps in step (Drive, Syncthing, Dropbox).
    Folder,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Ntfy, Self::Relay, Self::Ngrok, Self::Folder];

    /// The word in `config.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Relay => "relay",
            Self::Ngrok => "ngrok",
            Self::Folder => "folder",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl ChannelSettings {
    /// Whether the folder channel is wanted and nobody said which folder. Then there is no such channel: one that is
    /// missing is no reason to leave the others, and all other sessions, alone.
    pub fn lacks_folder(&self) -> bool {
        self.channels.contains(&ChannelKind::Folder) && self.folder.is_none()
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A session's channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Which are listened to.
    pub channels: Vec<ChannelKind>,
    /// The ntfy server.
    pub ntfy_server: Server,
    /// The folder in which announcements appear, absolute.
    pub folder: Option<PathBuf>,
}

/// An ntfy server: `https://host[:port]`; `http` is taken on this computer alone, since the topic's name would be
/// read by whoever carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server(String);

/// Not the address of an ntfy server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an ntfy server is given as https://host or https://host:port, without a path (http:// only on this computer)"
)]
pub struct InvalidServer;

impl Server {
    /// Its host, without brackets.
    pub fn host(&self) -> &str {
        let place = self.0.split_once("://").map_or("", |(_, place)| place);
        match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => place.split_once(':').map_or(place, |(host, _)| host),
        }
    }
}

impl Default for Server {
    /// The public server.
    fn default() -> Self {
        Self("https://ntfy.sh".to_owned())
    }
}

impl FromStr for Server {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(InvalidServer),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if host.contains(':') && !host.starts_with('[') {
            return Err(InvalidServer);
        }
        let host: HostName = host.parse().map_err(|_| InvalidServer)?;
        let port: Option<Port> = port.map(str::parse).transpose().map_err(|_| InvalidServer)?;
        if !secure && !host.is_loopback() {
            return Err(InvalidServer);
        }
        let scheme = if secure { "https" } else { "http" };
        let host = if host.as_str().contains(':') { format!("[{host}]") } else { host.as_str().to_owned() };
        Ok(Self(match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_knows_its_host() {
        for (given, host) in [
            ("https://ntfy.sh", "ntfy.sh"),
            ("https://ntfy.example:8443", "ntfy.example"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("http://localhost", "localhost"),
            ("http://[::1]", "::1"),
            ("http://[::1]:8080", "::1"),
        ] {
            assert_eq!(given.parse::<Server>().unwrap().host(), host);
        }
    }

    #[test]
    fn a_server_is_https_or_on_this_computer() {
        assert_eq!(Server::default().to_string(), "https://ntfy.sh");
        for (given, shown) in [
            ("https://ntfy.example", "https://ntfy.example"),
            ("https://ntfy.example:8443/", "https://ntfy.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(given.parse::<Server>().unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "ntfy.sh",
            "http://ntfy.sh",
            "ftp://ntfy.sh",
            "https://",
            "https://a/b",
            "https://user@a",
            "https://a:0",
            "https://a?x",
            "https://a:1:2",
            "https://-a",
            "https://::1",
        ] {
            assert_eq!(bad.parse::<Server>(), Err(InvalidServer), "{bad}");
        }
    }

    #[test]
    fn every_kind_has_its_word() {
        for kind in ChannelKind::ALL {
            assert_eq!(ChannelKind::of_word(kind.word()), Some(kind));
        }
        assert_eq!(ChannelKind::of_word("Ntfy"), None);
    }
}
