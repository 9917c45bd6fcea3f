//! Doubts: what a person should look at before a reading is used.

use std::fmt;

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{HostName, InvalidName, Port, UserName};

/// A way that stands in the text, as shown to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The way, for example `0.tcp.eu.ngrok.io:15873`.
    pub shown: String,
    /// Its line, from 1.
    pub line: usize,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", self.shown, self.line)
    }
}

/// Why a reading may not be what the person means. [`fmt::Display`] is one sentence with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The text is longer than the limit; nothing of it was read.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Nothing in the text says where to connect.
    NothingFound,
    /// A password, and nothing that says where it leads.
    OnlyPassword,
    /// Several ways, none better than the others; none was taken.
    SeveralLinks(Vec<Candidate>),
    /// The same tool printed several ways; the last one was taken.
    NewestTaken {
        /// The one taken.
        taken: Candidate,
        /// The last of those before it.
        older: Candidate,
    },
    /// A weaker finding says something else than the one taken.
    Overruled {
        /// The one taken.
        taken: Candidate,
        /// The other.
        other: Candidate,
    },
    /// Only a bare host and port, without a word on what it is.
    BareEndpoint(Candidate),
    /// Only a bare host name, which can be no more than a Cloudflare tunnel.
    BareHost(Candidate),
    /// A port of `127.0.0.1`, without a word on whose.
    WhichRelay {
        /// The port.
        port: Port,
        /// The line.
        line: usize,
    },
    /// A reverse tunnel that everybody can reach.
    PublicListener {
        /// The relay.
        relay: RelayTarget,
        /// The port.
        port: Port,
        /// The line.
        line: usize,
    },
    /// A reverse tunnel whose port the relay chose, which the text does not tell.
    PortNotTold {
        /// The relay.
        relay: RelayTarget,
        /// The line.
        line: usize,
    },
    /// A jump over one machine to another that is not that machine's loopback.
    JumpElsewhere {
        /// The machine jumped over.
        relay: RelayTarget,
        /// Where the jump ends.
        host: HostName,
        /// The line.
        line: usize,
    },
    /// A value that looked like one to take, but is not allowed.
    Refused {
        /// Which value and why, escaped and bounded.
        reason: String,
        /// The line.
        line: usize,
    },
    /// Several users; none was taken.
    SeveralUsers(Vec<UserName>),
    /// Several passwords for the same user; the last one was taken.
    SeveralPasswords {
        /// The lines.
        lines: Vec<usize>,
    },
    /// A password, but for another user than the one who logs in.
    PasswordOfOther {
        /// Whose it is.
        user: UserName,
        /// The line.
        line: usize,
    },
    /// A key line or fingerprint that does not say whose it is.
    KeyOfWhom {
        /// The line.
        line: usize,
    },
    /// A key line that names another host.
    KeyOfOther {
        /// The name it gives.
        host: HostName,
        /// The line.
        line: usize,
    },
    /// A known-hosts line that must never be pinned: a wildcard, a marker or a hashed name.
    KeyLineUnfit {
        /// The line.
        line: usize,
    },
    /// A key or fingerprint that an unknown server sent.
    SentByServer {
        /// The line.
        line: usize,
    },
}

impl Doubt {
    pub(super) fn refused(line: usize, reason: &InvalidName) -> Self {
        // A letter of another script would look like the right one.
        let visible =
            |c: char| if c.is_ascii() || c == '…' { c.to_string() } else { c.escape_unicode().to_string() };
        Self::Refused { reason: reason.to_string().chars().map(visible).collect(), line }
    }

    /// Takes a found password out of the one text that may quote the paste, also where the quote cuts it short.
    pub(super) fn redact(&mut self, secret: &str) {
        let Self::Refused { reason, .. } = self else { return };
        let begin: String = secret.chars().take(12).collect();
        if !begin.is_empty()
            && (reason.contains(&begin) || reason.contains(&begin.escape_debug().to_string()))
        {
            "a value there is not allowed, and is not shown since it looks like the password"
                .clone_into(reason);
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the text has {bytes} bytes, more than 256 KiB; paste only what the cell printed last")
            }
            Self::NothingFound => f.write_str(
                "nothing in the text says where to connect; paste what the cell printed, or give a host and port such as `0.tcp.eu.ngrok.io:15873`",
            ),
            Self::OnlyPassword => f.write_str(
                "there is a password, and nothing says where it leads; paste the cell too, or give a host and port such as `0.tcp.eu.ngrok.io:15873`",
            ),
            Self::SeveralLinks(found) => {
                write!(f, "{} endpoints: ", found.len())?;
                for (i, candidate) in found.iter().enumerate() {
                    write!(f, "{}{candidate}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("; paste only the newer")
            }
            Self::NewestTaken { taken, older } => {
                write!(f, "the text holds {older} and then {taken}; the last one was taken, paste only what the cell printed last if that is wrong")
            }
            Self::Overruled { taken, other } => {
                write!(f, "{other} says something else than {taken}, which was taken as the surer; check it in the notebook if the connection fails")
            }
            Self::BareEndpoint(found) => {
                write!(f, "{found} is only a bare host and port; check that it is the runtime's SSH endpoint")
            }
            Self::BareHost(found) => write!(
                f,
                "{found} is only a bare host name and was taken for a Cloudflare tunnel; give a port too if it is something else"
            ),
            Self::WhichRelay { port, line } => write!(
                f,
                "line {line} leads to port {port} of this very machine: which machine holds this port? Give it as `user@relay`"
            ),
            Self::PublicListener { relay, port, line } => write!(
                f,
                "line {line} makes {relay} listen on port {port} for everybody; give the tunnel's end as 127.0.0.1:{port} if only you should reach it"
            ),
            Self::PortNotTold { relay, line } => write!(
                f,
                "line {line} lets {relay} choose the port and the text does not tell it; paste the line `Allocated port …` too"
            ),
            Self::JumpElsewhere { relay, host, line } => write!(
                f,
                "line {line} jumps over {relay} to {host}, which is not a port of {relay} itself; open a reverse tunnel to 127.0.0.1 of {relay} instead"
            ),
            Self::Refused { reason, line } => write!(f, "line {line} was left out: {reason}; correct it and paste again"),
            Self::SeveralUsers(users) => {
                f.write_str("several users: ")?;
                for (i, user) in users.iter().enumerate() {
                    write!(f, "{}{user}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("; say which one with `user@host`")
            }
            Self::SeveralPasswords { lines } => write!(
                f,
                "several passwords for one user (lines {}); the last one was taken",
                lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            Self::PasswordOfOther { user, line } => write!(
                f,
                "the password on line {line} is for {user}, who is not the one to log in as; it was left out"
            ),
            Self::KeyOfWhom { line } => write!(
                f,
                "line {line} holds a key without saying whose; run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` in the notebook and paste what it prints"
            ),
            Self::KeyOfOther { host, line } => {
                write!(f, "the key on line {line} belongs to {host}, not to this runtime; it was left out")
            }
            Self::KeyLineUnfit { line } => write!(
                f,
                "the known_hosts line {line} holds a wildcard, a marker or a hashed name and was left out; paste the plain key line of the runtime"
            ),
            Self::SentByServer { line } => write!(
                f,
                "the key on line {line} is what an unknown server sent, which proves nothing; compare it with what the notebook prints"
            ),
        }
    }
}
