//! The programs in which a session can be opened.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// A word that names no known editor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no editor that Moorline knows; use one of vscode, code-insiders, codium, cursor, windsurf, positron, antigravity, zed, pycharm, terminal"
)]
pub struct UnknownEditor(String);

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
