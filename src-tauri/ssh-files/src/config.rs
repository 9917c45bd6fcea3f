//! stub
use crate::names::{Alias, HostName, InvalidName, Port, UserName};

/// The private key that an entry logs in with: an absolute path, or one that starts with `~/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFile(String);

impl std::str::FromStr for IdentityFile {
    type Err = InvalidName;
    fn from_str(_: &str) -> Result<Self, InvalidName> {
        unimplemented!()
    }
}

/// A `ProxyCommand`, built from an argument list only; quoted for the shell that ssh runs it with, `%` doubled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyCommand(String);

impl ProxyCommand {
    /// stub
    pub fn from_argv<I: IntoIterator<Item = S>, S: AsRef<str>>(_argv: I) -> Result<Self, InvalidName> {
        unimplemented!()
    }
    /// The text as it stands in the config.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One `Host` entry of the managed block.
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
    /// `ProxyCommand`, for links that need one.
    pub proxy_command: Option<ProxyCommand>,
}

/// Line (1-based) of a literal `Host` pattern equal to `alias` outside the managed block, if there is one.
pub fn foreign_entry(_config: &[u8], _alias: &Alias) -> Option<usize> {
    unimplemented!()
}
