//! Why an `ssh` gave up, read from what it printed on standard error.

use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;
use moorline_model::text::shown;

/// Why an `ssh` that was started for a relay (or as a proxy) ended without doing its work.
///
/// OpenSSH has one exit status (255) for all of these, so its words are read; they are its own, untranslated ones
/// (it has no message catalogues). What is not recognised is kept in [`SshFailure::Other`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshFailure {
    /// No key of the host is in `known_hosts`.
    HostKeyUnknown,
    /// The host shows another key than `known_hosts` holds, or a revoked one.
    HostKeyChanged,
    /// No login method worked.
    PermissionDenied,
    /// The name does not resolve.
    NameUnknown,
    /// Nothing listens there.
    Refused,
    /// No way there: own network, routing or a firewall.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The other side hung up before the login.
    Closed,
    /// The relay works, but nothing listens on the port behind it: the runtime's tunnel is down.
    NothingBehind,
    /// Cloudflare's edge answers for the name, but not with a tunnel (cloudflared says this of every refusal).
    BadHandshake,
    /// The relay's sshd forbids forwarding (`AllowTcpForwarding`, `permitopen`).
    ForwardForbidden,
    /// The client's own configuration is broken: ssh's line about it.
    BadConfig(String),
    /// Anything else: the last line that was printed, escaped and bounded; empty if there was none.
    Other(String),
}

impl SshFailure {
    /// Reads what an `ssh` printed. Later lines win only where they are more exact.
    pub fn read(stderr: &str) -> Self {
        let lower = stderr.to_ascii_lowercase();
        let has = |words: &str| lower.contains(words);
        if has("remote host identification has changed") || has("revoked host key") {
            Self::HostKeyChanged
        } else if has("host key is known for") || has("host key verification failed") {
            Self::HostKeyUnknown
        } else if has("administratively prohibited") {
            Self::ForwardForbidden
        } else if has("open failed: connect failed") || has("stdio forwarding failed") {
            Self::NothingBehind
        } else if has("permission denied (") || has("too many authentication failures") {
            Self::PermissionDenied
        } else if has("bad configuration option") || has("bad owner or permissions") || has("terminating, ") {
            Self::BadConfig(last_line(stderr))
        } else if has("websocket: bad handshake") {
            Self::BadHandshake
        } else if has("could not resolve hostname") || has("no such host") {
            Self::NameUnknown
        } else if has("connection refused") {
            Self::Refused
        } else if has("no route to host") || has("network is unreachable") {
            Self::Unreachable
        } else if has("timed out") || has("i/o timeout") || has("timeout, server") {
            Self::TimedOut
        } else if has("connection closed by")
            || has("connection reset by")
            || has("kex_exchange_identification")
        {
            Self::Closed
        } else {
            Self::Other(last_line(stderr))
        }
    }

    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        (*self == Self::PermissionDenied)
            .then_some(NextStep::StoreSecret { session: None, kind: SecretKind::RelayPassword })
    }

    /// One sentence for a person. `host` is what they call the machine, `login` the command
    /// that they log in there with, such as `ssh -p 2222 me@relay`.
    pub fn sentence(&self, host: &str, login: &str) -> String {
        match self {
            Self::HostKeyUnknown => {
                format!("{host}'s key is not in your known_hosts; run `{login}` once and compare it")
            }
            Self::HostKeyChanged => format!(
                "{host} shows another key than your known_hosts holds; find out why before you log in there again"
            ),
            Self::PermissionDenied => {
                format!(
                    "{host} refused the login; check that `{login}` works without a password prompt, or store its password"
                )
            }
            Self::NameUnknown => {
                format!("the name {host} does not resolve; check its spelling and your network")
            }
            Self::Refused => format!("{host} refuses SSH connections; check its port and that its sshd runs"),
            Self::Unreachable => format!("there is no network route to {host}; check your network"),
            Self::TimedOut => format!("{host} did not answer in time; check your network and that it is up"),
            Self::Closed => format!("{host} hung up before the login; try again in a minute"),
            Self::NothingBehind => {
                format!("nothing listens on the port behind {host}; start the tunnel in the notebook again")
            }
            Self::BadHandshake => format!(
                "Cloudflare answers for {host}, but its tunnel does not: it is gone, sshd behind it is down, or it wants a login; look at the notebook"
            ),
            Self::ForwardForbidden => {
                format!("{host} forbids forwarding for this login; allow it in that machine's sshd_config")
            }
            Self::BadConfig(line) => format!("ssh cannot use your configuration: {line}"),
            Self::Other(line) if line.is_empty() => {
                format!("the way to {host} failed and nothing says why; try `{login}`")
            }
            Self::Other(line) => format!("the way to {host} failed: {line}"),
        }
    }
}

/// The last line with anything on it, fit for a message: control characters escaped, at most 200 characters.
pub(crate) fn last_line(text: &str) -> String {
    shown(text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssh_s_own_words_are_told_apart() {
        for (said, meant) in [
            ("ssh: Could not resolve hostname relay: Name or service not known\r\n", SshFailure::NameUnknown),
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", SshFailure::Refused),
            ("ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n", SshFailure::TimedOut),
            ("ssh: connect to host x port 22: No route to host\r\n", SshFailure::Unreachable),
            (
                "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\nHost key verification failed.\r\n",
                SshFailure::HostKeyUnknown,
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.\r\n",
                SshFailure::HostKeyChanged,
            ),
            ("me@relay: Permission denied (publickey,password).\r\n", SshFailure::PermissionDenied),
            (
                "channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\n",
                SshFailure::NothingBehind,
            ),
            (
                "channel 0: open failed: administratively prohibited: open failed\r\nstdio forwarding failed\r\n",
                SshFailure::ForwardForbidden,
            ),
            ("kex_exchange_identification: Connection closed by remote host\r\n", SshFailure::Closed),
            (
                "2021-09-12T17:13:10Z ERR failed to connect to origin error=\"websocket: bad handshake\" originURL=https://tension-interracial-it-delivered.trycloudflare.com\nwebsocket: bad handshake\n",
                SshFailure::BadHandshake,
            ),
            (
                "ERR failed to connect to origin error=\"dial tcp: lookup x.trycloudflare.com: no such host\"",
                SshFailure::NameUnknown,
            ),
            (
                "@ WARNING: REVOKED HOST KEY DETECTED! @\nHost key verification failed.\r\n",
                SshFailure::HostKeyChanged,
            ),
            ("", SshFailure::Other(String::new())),
        ] {
            assert_eq!(SshFailure::read(said), meant, "{said:?}");
        }
    }

    #[test]
    fn what_a_program_printed_is_shown_escaped_and_bounded() {
        let line = last_line(&format!("first\n\x1b[31mred {}\n\n", "x".repeat(500)));
        assert!(line.starts_with("\\u{1b}[31mred ") && line.chars().count() < 220, "{line}");
    }
}
