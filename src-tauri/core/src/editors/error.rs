//! Why a session was not opened.

/// Why a session could not be opened. Each is one sentence with the next step in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditorError {
    /// The program is not in any of the places where its installers put it.
    #[error("{name} was not found; {install}, or put its program on PATH")]
    NotFound {
        /// Display name.
        name: &'static str,
        /// What to do about it.
        install: &'static str,
    },
    /// Neither Toolbox nor Gateway is there to take the link.
    #[error(
        "neither JetBrains Toolbox nor JetBrains Gateway was found; install Toolbox from https://www.jetbrains.com/toolbox-app/ and open this link: {link}"
    )]
    NoJetBrains {
        /// The link that Toolbox would have taken.
        link: String,
    },
    /// No terminal program was found.
    #[error("no terminal program was found; set TERMINAL to yours, or run this in any terminal: {command}")]
    NoTerminal {
        /// The command to type instead.
        command: String,
    },
    /// The folder cannot be passed to this terminal unharmed.
    #[error("the folder {folder:?} cannot be handed to Terminal; open the session without a folder")]
    Folder {
        /// The folder as given.
        folder: String,
    },
    /// Nothing can open links on this desktop.
    #[error("nothing here opens links (install xdg-utils); open this one by hand: {url}")]
    NoOpener {
        /// The link.
        url: String,
    },
    /// No program on this desktop takes the editor's links.
    #[error("nothing here takes {scheme}: links, so {name} cannot be reached; {install}")]
    NoTaker {
        /// Display name.
        name: &'static str,
        /// The links' scheme.
        scheme: String,
        /// What to do about it.
        install: &'static str,
    },
    /// The program could not be started at all.
    #[error("{program} could not be started: {reason}; check that it is installed and may be run")]
    NotStarted {
        /// The program as it was to be run.
        program: String,
        /// What the system said.
        reason: String,
    },
    /// The program ended at once with a failure.
    #[error("{program} ended at once with {status}; run it by hand to see why: {command}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status in words.
        status: String,
        /// The whole command, quoted for a terminal.
        command: String,
    },
}
