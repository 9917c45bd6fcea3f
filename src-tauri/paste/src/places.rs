//! Reading hosts and ports, and knowing the hosts of tunnel services.

use std::net::IpAddr;

use moorline_ssh_files::config::NGROK;
use moorline_ssh_files::{HostName, InvalidName, Place, Port, UserName};
use secrecy::SecretString;

use super::FoundLink;

/// Ports on which web servers, databases and name servers listen: a bare `host:port` with one of them is no SSH.
const OTHER_PORTS: [u16; 20] = [
    25, 53, 80, 443, 3000, 3306, 4040, 5000, 5432, 6006, 6379, 7844, 7860, 8000, 8008, 8080, 8443, 8501,
    8888, 27017,
];

/// Hosts that cells speak of and that are never a runtime.
const NEVER: [&str; 14] = [
    "github.com",
    "ssh.github.com",
    "gitlab.com",
    "bitbucket.org",
    "ssh.dev.azure.com",
    "huggingface.co",
    "hf.co",
    "ngrok.com",
    "dashboard.ngrok.com",
    "api.ngrok.com",
    "api.trycloudflare.com",
    "trycloudflare.com",
    "google.com",
    "colab.research.google.com",
];

/// Services that give a plain public host and port for a local one.
const PUBLIC: [&str; 11] = [
    "bore.pub",
    ".bore.pub",
    "serveo.net",
    ".serveo.net",
    ".pinggy.link",
    ".pinggy.online",
    ".pinggy.io",
    ".pinggy-free.link",
    "localhost.run",
    ".lhr.life",
    ".ply.gg",
];

/// Endings that make `name.ending:12` a place in a file rather than on the network.
const FILES: [&str; 24] = [
    "py", "rs", "go", "js", "ts", "c", "h", "cc", "cpp", "java", "rb", "sh", "php", "txt", "log", "json",
    "yml", "yaml", "toml", "md", "html", "ipynb", "so", "pyx",
];

/// In characters.
const LONGEST_URL: usize = 2048;
/// A line with more URLs than this is noise.
const MOST_IN_LINE: usize = 64;

/// Whether this is one of ngrok's TCP hosts, such as `0.tcp.eu.ngrok.io`.
pub fn is_ngrok_tcp(host: &HostName) -> bool {
    is_ngrok(host) && host.as_str().split('.').any(|label| label == "tcp")
}

/// Whether this is under one of ngrok's domains.
pub fn is_ngrok(host: &HostName) -> bool {
    NGROK.iter().any(|suffix| host.as_str().ends_with(suffix)) && !is_never(host)
}

/// Whether this is a Cloudflare quick tunnel.
pub fn is_quick_tunnel(host: &HostName) -> bool {
    host.as_str().ends_with(".trycloudflare.com") && !is_never(host)
}

/// Whether this is a service that makes local ports public.
pub fn is_public_service(host: &HostName) -> bool {
    let is_listed =
        |known: &&str| host.as_str() == *known || (known.starts_with('.') && host.as_str().ends_with(*known));
    PUBLIC.iter().any(is_listed)
}

/// Whether this is a well-known host that is never a runtime.
pub fn is_never(host: &HostName) -> bool {
    NEVER.contains(&host.as_str())
}

/// Whether nothing can be dialled there: an unspecified, broadcast, multicast or link-local address.
pub fn is_nowhere(host: &HostName) -> bool {
    match host.as_str().parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || ip.is_link_local()
        }
        Ok(IpAddr::V6(ip)) => ip.is_unspecified() || ip.is_multicast(),
        Err(_) => false,
    }
}

/// Whether a bare `host:port` with this port is more likely something else than SSH.
pub fn is_other_service(port: Port) -> bool {
    OTHER_PORTS.contains(&port.get())
}

/// Whether the host has the form of a public name or is an IPv4 address: a bare word is not enough.
pub fn looks_public(host: &HostName) -> bool {
    if host.as_str().parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let Some((rest, top)) = host.as_str().rsplit_once('.') else { return false };
    !rest.is_empty() && top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether the name ends like a file's, such as `train.py`.
pub fn is_file(host: &HostName) -> bool {
    host.as_str().rsplit_once('.').is_some_and(|(_, end)| FILES.contains(&end))
}

/// The link that a host and port stand for.
pub fn link_to(host: HostName, port: Port) -> FoundLink {
    if is_quick_tunnel(&host) {
        FoundLink::Cloudflare(host)
    } else if is_ngrok(&host) {
        FoundLink::Ngrok(Place { host, port })
    } else {
        FoundLink::Direct(Place { host, port })
    }
}

/// `[user[:password]@]host[:port]`, split but not yet believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// Before the `@`, without a password.
    pub user: Option<&'a str>,
    /// The password before the `@`.
    password: Option<&'a str>,
    /// The host, without brackets.
    pub host: &'a str,
    /// After the last `:`.
    pub port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    /// Splits; believes nothing.
    pub fn split(text: &'a str) -> Self {
        let (login, place) = match text.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, text),
        };
        let (user, password) = match login.and_then(|l| l.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (login, None),
        };
        let (host, port) = match place.strip_prefix('[').and_then(|p| p.split_once(']')) {
            Some((host, tail)) => (host, tail.strip_prefix(':')),
            None if place.matches(':').count() == 1 => {
                place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)))
            }
            None => (place, None),
        };
        Self { user, password, host, port: port.filter(|p| !p.is_empty()) }
    }

    /// The password, if one stood there.
    pub fn secret(&self) -> Option<SecretString> {
        self.password.filter(|p| !p.is_empty() && !is_placeholder(p)).map(SecretString::from)
    }

    /// The parts, each through its validator; the port is `default` when none stands there.
    pub fn check(
        &self,
        default: Option<Port>,
    ) -> Result<Option<(Option<UserName>, HostName, Port)>, InvalidName> {
        let user = self.user.filter(|u| !u.is_empty()).map(str::parse).transpose()?;
        let host = self.host.parse()?;
        let port = match self.port {
            Some(port) => Some(port.parse()?),
            None => default,
        };
        Ok(port.map(|port| (user, host, port)))
    }
}

/// Every text after `scheme` (`tcp://`, …) in a line, up to a blank or the quote that ends it; without what ends a
/// sentence.
pub fn after_scheme<'a>(line: &'a str, scheme: &'static str) -> impl Iterator<Item = &'a str> {
    line.match_indices(scheme).take(MOST_IN_LINE).map(move |(at, _)| {
        let tail = &line[at + scheme.len()..];
        // What is longer than any endpoint is cut, and then refused.
        let mut chars = tail.char_indices().take(LONGEST_URL).filter(|(at, c)| ends(tail, *at, *c));
        let longest = tail.char_indices().nth(LONGEST_URL).map_or(tail.len(), |(at, _)| at);
        let end = chars.next().map_or(longest, |(at, _)| at);
        tail[..end].trim_end_matches(['.', ',', ';', ':', ')', ']', '}'])
    })
}

/// A quote in the middle of a word ends nothing: cutting there would make a good value of a bad one.
fn ends(tail: &str, at: usize, c: char) -> bool {
    let next = || tail[at + c.len_utf8()..].chars().next();
    match c {
        '"' | '\'' | '`' | '<' | '>' => {
            next().is_none_or(|n| !n.is_alphanumeric() && !matches!(n, '$' | '('))
        }
        // `\n` of a text inside a text, after a port.
        '\\' => {
            tail[..at].ends_with(|d: char| d.is_ascii_digit())
                && matches!(next(), Some('n' | 'r' | 't' | '"'))
        }
        c => c.is_whitespace(),
    }
}

/// The authority of what stands after a scheme: up to the path, query or fragment.
pub fn authority_of(after: &str) -> &str {
    after.split(['/', '?', '#']).next().unwrap_or(after)
}

/// A value that stands for something to be filled in: `<host>`, `{port}`, `$HOST`, `YOUR_HOST`; or for a
/// password that was made unreadable.
pub fn is_placeholder(value: &str) -> bool {
    value.contains('{')
        || value.contains('<')
        || value.contains("••••••")
        || value.strip_prefix('$').is_some_and(|v| v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        || value.starts_with("YOUR_")
        || value.starts_with("PUT_")
        || value == "..."
}
