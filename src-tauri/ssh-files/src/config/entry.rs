//! One entry of our block, and why a config cannot be edited.

use crate::config::quote::{IdentityFile, ProxyCommand};
use crate::names::{Alias, HostName, Port, UserName};

/// One `Host` entry of the managed block.
///
/// A direct entry names the endpoint in `host_name` and `port`. A proxied one carries its own alias as `host_name`,
/// no port, and a `proxy_command`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    /// The literal pattern of the entry, also its `HostKeyAlias`.
    pub alias: Alias,
    /// `HostName`; a proxied entry carries its own alias here.
    pub host_name: HostName,
    /// `Port`; absent for proxied entries.
    pub port: Option<Port>,
    /// `User`.
    pub user: UserName,
    /// `IdentityFile`.
    pub identity_file: IdentityFile,
    /// `UserKnownHostsFile`: where the runtime's key is pinned. The same rules hold for its path.
    pub known_hosts_file: IdentityFile,
    /// `ProxyCommand`, for links that need one.
    pub proxy_command: Option<ProxyCommand>,
}

/// Why a configuration is not edited. Each text says what to do; [`ConfigError::line`] says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file starts with a UTF-8 byte-order mark, which OpenSSH takes for a part of the first keyword.
    #[error("the file starts with a byte-order mark, which ssh cannot read; save it as UTF-8 without BOM")]
    ByteOrderMark,
    /// The file is UTF-16.
    #[error("the file is UTF-16, which ssh cannot read; save it as UTF-8 without BOM")]
    Utf16,
    /// A NUL byte, at which OpenSSH stops reading the line.
    #[error("there is a NUL byte, at which ssh stops reading the line; remove it")]
    Nul {
        /// Line of the byte, from 1.
        line: usize,
    },
    /// Lines end with CR alone, so that OpenSSH reads the whole file as one line.
    #[error("the lines end with CR alone, so ssh reads them as one line; save the file with LF line ends")]
    CrOnly,
    /// A begin marker without an end marker.
    #[error(
        "Moorline's block begins here and never ends; put `# <<< moorline <<<` on a line of its own after its last entry, or delete this line"
    )]
    Unclosed {
        /// Line of the begin marker, from 1.
        line: usize,
    },
    /// An end marker without a begin marker.
    #[error("Moorline's block ends here but begins nowhere; delete this line")]
    Unopened {
        /// Line of the end marker, from 1.
        line: usize,
    },
    /// A second begin marker.
    #[error(
        "a second block of Moorline begins here; delete one of the two, from its `>>> moorline >>>` line to its `<<< moorline <<<` line"
    )]
    Duplicate {
        /// Line of the second begin marker, from 1.
        line: usize,
    },
}

impl ConfigError {
    /// The line (from 1) where the trouble stands, where there is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::ByteOrderMark | Self::Utf16 | Self::CrOnly => Some(1),
            Self::Nul { line }
            | Self::Unclosed { line }
            | Self::Unopened { line }
            | Self::Duplicate { line } => Some(*line),
        }
    }
}
