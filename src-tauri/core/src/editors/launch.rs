//! What is started to open a session, and a person's choices for it.

use std::ffi::OsString;

use moorline_ssh_files::UserName;

/// How a session is opened; carried out by [`start`](super::start).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A program with its arguments, started detached.
    Argv(Vec<OsString>),
    /// A link for the desktop's opener.
    Url(String),
    /// A program that takes over the caller's own terminal.
    InPlace(Vec<OsString>),
}

/// A person's choices for opening a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaunchOptions {
    /// In a terminal: attach to the tmux session `main` on the runtime, making it if need be.
    pub tmux: bool,
    /// The user on the runtime, for links that show one.
    pub user: Option<UserName>,
}
