use std::fs;
use std::path::Path;

use super::*;

/// A machine in a temporary folder.
pub(in crate::editors) struct Machine {
    pub(in crate::editors) root: tempfile::TempDir,
    pub(in crate::editors) search: SearchEnv,
}

impl Machine {
    pub(in crate::editors) fn new(os: Os) -> Self {
        let root = tempfile::tempdir().unwrap();
        let at = |place: &str| below(root.path(), place);
        let windows = os == Os::Windows;
        let search = SearchEnv {
            os,
            root: root.path().to_owned(),
            path: vec![at("path")],
            home: at("home/ada"),
            config_home: None,
            app_data: windows.then(|| at("home/ada/AppData/Roaming")),
            local_app_data: windows.then(|| at("home/ada/AppData/Local")),
            program_files: windows.then(|| at("Program Files")),
            terminal: None,
            has_display: true,
            on_tty: false,
        };
        Self { root, search }
    }

    /// Puts an empty program at `place` and names its full path.
    pub(in crate::editors) fn program(&self, place: &str) -> PathBuf {
        let path = below(self.root.path(), place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        set_mode(&path, 0o755);
        path
    }
}

/// Writes a program by another process. Written here, a fork of a test on another thread could hold it open for
/// writing just when it is run, which Linux refuses (`ETXTBSY`).
#[cfg(unix)]
pub(crate) fn write_script(path: &Path, text: &str) {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

const TABLE: &[(Os, Editor, &[&str])] = &[
    (
        Os::Linux,
        Editor::VsCode,
        &[
            "path/code",
            "usr/bin/code",
            "usr/local/bin/code",
            "snap/bin/code",
            "home/ada/.local/bin/code",
            "usr/share/code/bin/code",
            "var/lib/flatpak/exports/bin/com.visualstudio.code",
            "home/ada/.local/share/flatpak/exports/bin/com.visualstudio.code",
        ],
    ),
    (
        Os::Linux,
        Editor::VsCodeInsiders,
        &["usr/bin/code-insiders", "usr/share/code-insiders/bin/code-insiders"],
    ),
    (Os::Linux, Editor::VsCodium, &["snap/bin/codium", "var/lib/flatpak/exports/bin/com.vscodium.codium"]),
    (Os::Linux, Editor::Cursor, &["usr/bin/cursor", "usr/share/cursor/bin/cursor"]),
    (Os::Linux, Editor::Windsurf, &["usr/bin/windsurf", "usr/share/windsurf/bin/windsurf"]),
    (Os::Linux, Editor::Positron, &["usr/bin/positron", "usr/share/positron/bin/positron"]),
    (Os::Linux, Editor::Antigravity, &["usr/bin/antigravity", "usr/share/antigravity/bin/antigravity"]),
    (
        Os::Linux,
        Editor::Zed,
        &["home/ada/.local/bin/zed", "usr/bin/zeditor", "var/lib/flatpak/exports/bin/dev.zed.Zed"],
    ),
    (
        Os::Linux,
        Editor::PyCharm,
        &[
            "path/jetbrains-toolbox",
            "home/ada/.local/share/JetBrains/Toolbox/bin/jetbrains-toolbox",
            "home/ada/.local/share/JetBrains/Toolbox/jetbrains-toolbox",
            "opt/jetbrains-toolbox/jetbrains-toolbox",
            "opt/jetbrains-toolbox/bin/jetbrains-toolbox",
            "home/ada/.local/share/JetBrains/Toolbox/scripts/gateway",
            "usr/bin/jetbrains-gateway",
        ],
    ),
    (
        Os::Linux,
        Editor::Terminal,
        &["usr/bin/x-terminal-emulator", "usr/bin/gnome-terminal", "path/konsole", "usr/bin/xterm"],
    ),
    (
        Os::MacOs,
        Editor::VsCode,
        &[
            "usr/local/bin/code",
            "Applications/Visual Studio Code.app/Contents/Resources/app/bin/code",
            "home/ada/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code",
        ],
    ),
    (
        Os::MacOs,
        Editor::VsCodeInsiders,
        &["Applications/Visual Studio Code - Insiders.app/Contents/Resources/app/bin/code"],
    ),
    (
        Os::MacOs,
        Editor::VsCodium,
        &["Applications/VSCodium.app/Contents/Resources/app/bin/codium", "opt/homebrew/bin/codium"],
    ),
    (Os::MacOs, Editor::Cursor, &["Applications/Cursor.app/Contents/Resources/app/bin/cursor"]),
    (Os::MacOs, Editor::Windsurf, &["Applications/Windsurf.app/Contents/Resources/app/bin/windsurf"]),
    (Os::MacOs, Editor::Positron, &["Applications/Positron.app/Contents/Resources/app/bin/positron"]),
    (
        Os::MacOs,
        Editor::Antigravity,
        &["Applications/Antigravity.app/Contents/Resources/app/bin/antigravity"],
    ),
    (Os::MacOs, Editor::Zed, &["Applications/Zed.app/Contents/MacOS/cli", "usr/local/bin/zed"]),
    (
        Os::MacOs,
        Editor::PyCharm,
        &["Applications/JetBrains Toolbox.app/x", "home/ada/Applications/JetBrains Gateway.app/x"],
    ),
    (
        Os::Windows,
        Editor::VsCode,
        &[
            "home/ada/AppData/Local/Programs/Microsoft VS Code/Code.exe",
            "Program Files/Microsoft VS Code/Code.exe",
        ],
    ),
    (
        Os::Windows,
        Editor::VsCodeInsiders,
        &["home/ada/AppData/Local/Programs/Microsoft VS Code Insiders/Code - Insiders.exe"],
    ),
    (Os::Windows, Editor::VsCodium, &["home/ada/AppData/Local/Programs/VSCodium/VSCodium.exe"]),
    (Os::Windows, Editor::Cursor, &["home/ada/AppData/Local/Programs/cursor/Cursor.exe"]),
    (Os::Windows, Editor::Windsurf, &["home/ada/AppData/Local/Programs/Windsurf/Windsurf.exe"]),
    (Os::Windows, Editor::Positron, &["home/ada/AppData/Local/Programs/Positron/Positron.exe"]),
    (Os::Windows, Editor::Antigravity, &["home/ada/AppData/Local/Programs/Antigravity/Antigravity.exe"]),
    (Os::Windows, Editor::Zed, &["home/ada/AppData/Local/Programs/Zed/bin/zed.exe"]),
    (
        Os::Windows,
        Editor::PyCharm,
        &[
            "home/ada/AppData/Local/JetBrains/Toolbox/bin/jetbrains-toolbox.exe",
            "home/ada/AppData/Local/Programs/Gateway/bin/gateway64.exe",
        ],
    ),
    (
        Os::Windows,
        Editor::Terminal,
        &["path/wt.exe", "home/ada/AppData/Local/Microsoft/WindowsApps/wt.exe", "path/conhost.exe"],
    ),
];

#[test]
fn every_editor_is_found_in_every_place_its_installers_use() {
    for (os, editor, places) in TABLE {
        for place in *places {
            let machine = Machine::new(*os);
            assert_eq!(find(*editor, &machine.search), None, "{os:?} {editor}: nothing is installed yet");
            let program = machine.program(place);
            // An application bundle counts as a whole; the table puts a file into it.
            let wanted = place.strip_suffix("/x").map_or(program, |app| below(machine.root.path(), app));
            assert_eq!(find(*editor, &machine.search), Some(wanted), "{os:?} {editor} at {place}");
        }
    }
}

#[test]
fn path_comes_first_and_relative_entries_are_passed_over() {
    let mut machine = Machine::new(Os::Linux);
    machine.program("usr/bin/code");
    let own = machine.program("path/code");
    machine.search.path.insert(0, PathBuf::from("."));
    assert_eq!(find(Editor::VsCode, &machine.search), Some(own));
}

#[test]
fn the_other_program_called_zed_is_not_taken_for_the_editor() {
    let mut machine = Machine::new(Os::Linux);
    machine.program("usr/sbin/zed");
    machine.search.path.insert(0, below(machine.root.path(), "usr/sbin"));
    assert_eq!(find(Editor::Zed, &machine.search), None);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_run_is_no_program() {
    let machine = Machine::new(Os::Linux);
    let path = machine.program("usr/bin/code");
    set_mode(&path, 0o644);
    assert_eq!(find(Editor::VsCode, &machine.search), None);
}

#[test]
fn code_on_the_windows_path_leads_to_the_program_beside_its_script() {
    let mut machine = Machine::new(Os::Windows);
    machine.program("Tools/VS/bin/code.cmd");
    let exe = machine.program("Tools/VS/Code.exe");
    machine.search.path = vec![below(machine.root.path(), "Tools/VS/bin")];
    let found = find(Editor::VsCode, &machine.search).unwrap();
    assert_eq!(found, exe, "a .cmd file would need a shell");
}
