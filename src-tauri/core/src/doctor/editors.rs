//! Editors: which are there, and whether they read the config that Moorline writes.

use moorline_model::editor::Editor;

use super::check::Check;
use super::config::sentence;
use super::surroundings::Surroundings;

pub(super) fn programs(found: &Surroundings) -> Check {
    const ID: &str = "editors";
    const TITLE: &str = "Editors";
    let names: Vec<&str> = found.editors.iter().map(|(editor, _)| editor.display_name()).collect();
    if found.editors.iter().any(|(editor, _)| *editor != Editor::Terminal) {
        return Check::ok(ID, TITLE, format!("Found: {}.", names.join(", ")));
    }
    let detail = match names.first() {
        Some(_) => "No editor was found, only a terminal.",
        None => "Neither an editor nor a terminal program was found.",
    };
    let next = "If you use one, put its command on PATH (VS Code: Command Palette, \"Shell Command: Install 'code' command\")";
    Check::advice(ID, TITLE, detail, next)
}

/// Nothing while every editor reads `~/.ssh/config`.
pub(super) fn config_files(found: &Surroundings) -> Vec<Check> {
    const ID: &str = "editor-config-file";
    let of = |entry: &super::EditorConfigFile| {
        let name = entry.editor.display_name();
        let title = format!("ssh config of {name}");
        match &entry.reads {
            Ok(path) => {
                let path = found.shown(path);
                let detail = format!(
                    "{name} was told by remote.SSH.configFile to read {path} instead of ~/.ssh/config, so it does not see sessions."
                );
                let next = format!(
                    "In {name}'s settings, clear remote.SSH.configFile; or put `Include ~/.ssh/config` at the top of {path}"
                );
                Check::problem(ID, &title, detail, next)
            }
            Err(reason) => {
                let settings = found.shown(&entry.settings);
                let detail = format!("{settings}: {}", sentence(reason));
                Check::advice(ID, &title, detail, format!("Open {settings} in {name} and mend it"))
            }
        }
    };
    found.editor_config_files.iter().map(of).collect()
}
