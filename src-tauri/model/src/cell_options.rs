//! What a person wants from a runtime besides a way in: `[session.NAME.cell]` of `config.toml`.

use std::fmt;
use std::str::FromStr;

use moorline_ssh_files::Port;

use crate::session::{NotebookUrl, RemotePath};

/// Options of a session's setup cell.
///
/// ```toml
/// [session.colab.cell]
/// git = "https://github.com/me/project.git"   # cloned once; a token stands in the secrets as GIT_TOKEN
/// drive = true                                # mount Google Drive at /content/drive
/// setup = ["apt-get install -y zsh", "pip install -q einops"]   # run by bash once a runtime
/// folder = "/content/drive/MyDrive/moorline"  # where the folder channel's folder is on the runtime
/// sshd_port = 2222                            # where sshd listens on the runtime; else any free port
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellOptions {
    /// A repository to clone.
    pub git: Option<GitAddress>,
    /// Whether Google Drive is mounted.
    pub drive: bool,
    /// The person's own set-up, line by line.
    pub setup: Vec<SetupLine>,
    /// The announcements' folder as the runtime sees it.
    pub folder: Option<RemotePath>,
    /// The port of the cell's sshd.
    pub sshd_port: Option<Port>,
}

/// A repository's address: `https`, without a user name or token in it, with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitAddress(String);

/// Not the address of a repository. What was given is not repeated: it may hold a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no repository's https:// address without a user name or token in it; the token belongs into the notebook's secrets as GIT_TOKEN"
)]
pub struct InvalidGitAddress;

/// One line of shell: no control characters but tabs, at most 1000 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupLine(String);

/// A text that is no single line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a set-up line is one line of at most 1000 bytes without control characters; give several as several texts"
)]
pub struct InvalidSetupLine;

impl GitAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GitAddress {
    type Err = InvalidGitAddress;

    fn from_str(value: &str) -> Result<Self, InvalidGitAddress> {
        // The rules for an address that goes on a command line are those of a notebook's.
        let url: NotebookUrl = value.parse().map_err(|_| InvalidGitAddress)?;
        let path = url.as_str().splitn(4, '/').nth(3).unwrap_or_default();
        let named = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = named.strip_suffix(".git").unwrap_or(named);
        let odd = name.is_empty() || name.starts_with(['-', '.']);
        if odd || path.contains(['?', '#']) { Err(InvalidGitAddress) } else { Ok(Self(value.to_owned())) }
    }
}

impl SetupLine {
    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SetupLine {
    type Err = InvalidSetupLine;

    fn from_str(value: &str) -> Result<Self, InvalidSetupLine> {
        let plain = value.chars().all(|c| c == '\t' || !c.is_control());
        if plain && value.len() <= 1000 { Ok(Self(value.to_owned())) } else { Err(InvalidSetupLine) }
    }
}

impl fmt::Display for SetupLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
