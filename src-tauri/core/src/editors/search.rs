//! The program that opens a session in an editor, wherever its installer put it.

use std::path::PathBuf;

use moorline_model::editor::Editor;

use super::programs::{Os, SearchEnv, below, find_program, is_program};
use super::{jetbrains, terminal, vscode};

/// The program that would open a session in `editor`, if it is installed: for `PyCharm` the Toolbox or Gateway that
/// takes the link, for the terminal the first one that the person has.
pub fn find(editor: Editor, search: &SearchEnv) -> Option<PathBuf> {
    match editor {
        Editor::PyCharm => jetbrains::find(search).map(|(_, path)| path),
        Editor::Terminal => terminal::find(search),
        Editor::Zed => find_zed(search),
        _ => vscode::find(editor, search),
    }
}

fn find_zed(search: &SearchEnv) -> Option<PathBuf> {
    match search.os {
        // Distributions that already had a `zed` ship the editor as `zeditor`. OpenZFS's event daemon is the other
        // `zed`; it lives in an sbin folder, which root has on PATH.
        Os::Linux => {
            let mut search = search.clone();
            search.path.retain(|folder| !folder.ends_with("sbin"));
            ["zed", "zeditor", "zedit", "dev.zed.Zed"].iter().find_map(|name| find_program(name, &search))
        }
        Os::MacOs => find_program("zed", search).or_else(|| {
            let apps = search.mac_app("Zed.app");
            apps.into_iter().map(|app| below(&app, "Contents/MacOS/cli")).find(|path| is_program(path))
        }),
        Os::Windows => find_program("zed", search).or_else(|| {
            let bases = [search.local_app_data.as_ref().map(|base| base.join("Programs")), None];
            let bases = bases.into_iter().chain([search.program_files.clone()]).flatten();
            bases
                .flat_map(|base| [below(&base, "Zed/bin/zed.exe"), below(&base, "Zed/Zed.exe")])
                .find(|path| is_program(path))
        }),
    }
}

#[cfg(test)]
pub(super) mod tests;
