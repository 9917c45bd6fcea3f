//! What is remembered of a session besides the way to it. Losing it costs a click.

use crate::cell_options::CellOptions;
use crate::editor::Editor;
use crate::session::{NotebookUrl, RemotePath};

/// What is remembered of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Where its notebook is.
    pub notebook: Option<NotebookUrl>,
    /// The editor that was used last.
    pub last_editor: Option<Editor>,
    /// The folder that was opened last.
    pub last_folder: Option<RemotePath>,
    /// Whether the person paused it.
    pub paused: bool,
    /// What its setup cell does besides; only the person writes it.
    pub cell: CellOptions,
}
