//! Opening a session in the person's editor or terminal: finding programs, planning exactly what is started,
//! and starting it detached with a clean environment.
//!
//! Planning is pure: [`launch_plan`] turns an editor, an alias and a folder into an argument list or a link, which
//! `--dry-run` prints and [`start`] carries out. There is never a shell on this side, and nothing that a runtime
//! announced chooses a program or a scheme: only [`Editor`], [`Alias`](crate::ssh_files::Alias) and
//! [`RemotePath`](crate::session::RemotePath) go in.

mod environment;
mod jetbrains;
mod launch;
mod link;
mod platform;
mod search;
mod settings;
mod start;
mod taker;
mod terminal;
mod vscode;

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use environment::clean_env;
pub use launch::{Launch, LaunchOptions, launch_plan};
pub(crate) use link::encode_path;
pub use link::opener_argv;
pub use platform::{PlatformError, forget_platform, note_platform};
#[cfg(test)]
#[cfg(unix)]
pub(crate) use search::tests::write_script;
pub use search::{Os, SearchEnv, find, find_program};
pub use settings::{
    SettingsError, config_file_setting, platform_setting, settings_file, without_platform_setting,
};
pub use start::{Started, start};

/// A program that a session can be opened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Editor {
    /// Visual Studio Code.
    VsCode,
    /// Visual Studio Code Insiders.
    VsCodeInsiders,
    /// `VSCodium`.
    VsCodium,
    /// Cursor.
    Cursor,
    /// Windsurf.
    Windsurf,
    /// Positron.
    Positron,
    /// Antigravity.
    Antigravity,
    /// Zed.
    Zed,
    /// `PyCharm`, through `JetBrains` Toolbox or Gateway.
    PyCharm,
    /// The person's own terminal.
    Terminal,
}

impl Editor {
    /// Every editor, in the order in which menus and lists show them.
    pub const ALL: [Self; 10] = [
        Self::VsCode,
        Self::VsCodeInsiders,
        Self::VsCodium,
        Self::Cursor,
        Self::Windsurf,
        Self::Positron,
        Self::Antigravity,
        Self::Zed,
        Self::PyCharm,
        Self::Terminal,
    ];

    /// The word for it on the command line and in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VsCode => "vscode",
            Self::VsCodeInsiders => "code-insiders",
            Self::VsCodium => "codium",
            Self::Cursor => "cursor",
            Self::Windsurf => "windsurf",
            Self::Positron => "positron",
            Self::Antigravity => "antigravity",
            Self::Zed => "zed",
            Self::PyCharm => "pycharm",
            Self::Terminal => "terminal",
        }
    }

    /// Its name as people read it.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::VsCode => "VS Code",
            Self::VsCodeInsiders => "VS Code Insiders",
            Self::VsCodium => "VSCodium",
            Self::Cursor => "Cursor",
            Self::Windsurf => "Windsurf",
            Self::Positron => "Positron",
            Self::Antigravity => "Antigravity",
            Self::Zed => "Zed",
            Self::PyCharm => "PyCharm",
            Self::Terminal => "Terminal",
        }
    }
}

impl fmt::Display for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Editor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Editor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A word that names no known editor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no editor that Moorline knows; use one of vscode, code-insiders, codium, cursor, windsurf, positron, antigravity, zed, pycharm, terminal"
)]
pub struct UnknownEditor(String);

impl FromStr for Editor {
    type Err = UnknownEditor;

    /// Takes the words of [`Editor::as_str`], and `code` for VS Code.
    fn from_str(value: &str) -> Result<Self, UnknownEditor> {
        if value == "code" {
            return Ok(Self::VsCode);
        }
        Self::ALL
            .into_iter()
            .find(|editor| editor.as_str() == value)
            .ok_or_else(|| UnknownEditor(value.chars().take(40).collect()))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_editor() {
        for editor in Editor::ALL {
            assert_eq!(editor.as_str().parse(), Ok(editor), "{editor}");
        }
        assert_eq!("code".parse(), Ok(Editor::VsCode));
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_list() {
        let text = "emacs".parse::<Editor>().unwrap_err().to_string();
        for editor in Editor::ALL {
            assert!(text.contains(editor.as_str()), "{text} lacks {editor}");
        }
    }
}
