//! The note in an editor's settings that an alias is a Linux machine, on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moorline_model::editor::Editor;
use moorline_ssh_files::Alias;
use moorline_ssh_files::files::{Refusal, SshFilesError, edit_file};

use super::programs::SearchEnv;
use super::settings::{SettingsError, platform_setting, settings_file, without_platform_setting};
use crate::store::read_file;

/// The editor does not lock its settings, and Moorline's own processes are done in no time.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Why an editor's settings were left as they are.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// They are not understood.
    #[error("{path}: {source}")]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SettingsError,
    },
    /// They cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// They cannot be written.
    #[error(transparent)]
    Write(#[from] SshFilesError),
}

/// Spares the person the editor's question which platform `alias` is. Does nothing for editors that do not ask, and
/// where the editor has no settings yet: then it has never run, and a file made for it could be in its way.
///
/// # Errors
/// The settings cannot be edited; they stay as they are.
pub fn note_platform(editor: Editor, alias: &Alias, search: &SearchEnv) -> Result<(), PlatformError> {
    change(editor, search, |text| platform_setting(text, alias))
}

/// Takes that note out again.
///
/// # Errors
/// The settings cannot be edited; they stay as they are.
pub fn forget_platform(editor: Editor, alias: &Alias, search: &SearchEnv) -> Result<(), PlatformError> {
    change(editor, search, |text| without_platform_setting(text, alias))
}

fn change(
    editor: Editor,
    search: &SearchEnv,
    edit: impl Fn(&str) -> Result<Option<String>, SettingsError>,
) -> Result<(), PlatformError> {
    let Some(path) = settings_file(editor, search) else { return Ok(()) };
    let Some(text) = read(&path)? else { return Ok(()) };
    let unfit = |source| PlatformError::Settings { path: path.clone(), source };
    if edit(&text).map_err(unfit)?.is_none() {
        return Ok(());
    }
    edit_file(&path, LOCK_WAIT, |bytes| {
        let refuse = |reason: String| Refusal { line: None, reason };
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
        let edited = edit(text).map_err(|error| refuse(error.to_string()))?;
        Ok(edited.map_or_else(|| bytes.to_vec(), String::into_bytes))
    })?;
    Ok(())
}

fn read(path: &Path) -> Result<Option<String>, PlatformError> {
    read_file::read_text(path).map_err(|source| PlatformError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_comes_and_goes_and_leaves_the_file_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let mut search = SearchEnv::from_process(home.path(), false);
        search.config_home = Some(home.path().join("config"));
        search.app_data = Some(home.path().join("config"));
        let alias: Alias = "colab".parse().unwrap();
        let path = settings_file(Editor::VsCode, &search).unwrap();

        note_platform(Editor::VsCode, &alias, &search).unwrap();
        assert!(!path.exists(), "an editor that never ran gets no settings");

        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = "{\n  // mine\n  \"editor.fontSize\": 13,\n}\n";
        std::fs::write(&path, before).unwrap();
        note_platform(Editor::VsCode, &alias, &search).unwrap();
        let noted = std::fs::read_to_string(&path).unwrap();
        assert!(noted.contains("\"colab\": \"linux\"") && noted.contains("// mine"), "{noted}");
        forget_platform(Editor::VsCode, &alias, &search).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("colab"));

        std::fs::write(&path, "{ broken").unwrap();
        assert!(note_platform(Editor::VsCode, &alias, &search).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ broken", "what is not understood stays");
    }
}
