//! VS Code and its forks, which all take the same flags and the same kind of link.

use std::ffi::OsString;
use std::path::PathBuf;

use moorline_model::editor::Editor;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;

use super::launch::Launch;
use super::link::encode_path;
use super::programs::{Os, SearchEnv, below, find_program, is_program};

/// What sets one member of the family apart.
pub(super) struct Member {
    /// The command-line program.
    cli: &'static str,
    /// The scheme of its links.
    scheme: &'static str,
    /// The application bundle on macOS.
    mac_app: &'static str,
    /// The installation folder and the program in it on Windows.
    windows: (&'static str, &'static str),
    /// The flatpak's id, which is also its program's name.
    flatpak: Option<&'static str>,
    /// The folder of its settings.
    pub(super) settings: &'static str,
}

/// The member's particulars; `None` for what is not of this family.
pub(super) fn member(editor: Editor) -> Option<Member> {
    let member = |cli, scheme, mac_app, windows, flatpak, settings| {
        Some(Member { cli, scheme, mac_app, windows, flatpak, settings })
    };
    match editor {
        Editor::VsCode => member(
            "code",
            "vscode",
            "Visual Studio Code.app",
            ("Microsoft VS Code", "Code.exe"),
            Some("com.visualstudio.code"),
            "Code",
        ),
        Editor::VsCodeInsiders => member(
            "code-insiders",
            "vscode-insiders",
            "Visual Studio Code - Insiders.app",
            ("Microsoft VS Code Insiders", "Code - Insiders.exe"),
            Some("com.visualstudio.code.insiders"),
            "Code - Insiders",
        ),
        Editor::VsCodium => member(
            "codium",
            "vscodium",
            "VSCodium.app",
            ("VSCodium", "VSCodium.exe"),
            Some("com.vscodium.codium"),
            "VSCodium",
        ),
        Editor::Cursor => member("cursor", "cursor", "Cursor.app", ("cursor", "Cursor.exe"), None, "Cursor"),
        Editor::Windsurf => {
            member("windsurf", "windsurf", "Windsurf.app", ("Windsurf", "Windsurf.exe"), None, "Windsurf")
        }
        Editor::Positron => {
            member("positron", "positron", "Positron.app", ("Positron", "Positron.exe"), None, "Positron")
        }
        Editor::Antigravity => member(
            "antigravity",
            "antigravity",
            "Antigravity.app",
            ("Antigravity", "Antigravity.exe"),
            None,
            "Antigravity",
        ),
        Editor::Zed | Editor::PyCharm | Editor::Terminal => None,
    }
}

/// The scheme of the member's links.
pub(super) fn scheme(editor: Editor) -> Option<&'static str> {
    Some(member(editor)?.scheme)
}

/// The member's program.
pub(super) fn find(editor: Editor, search: &SearchEnv) -> Option<PathBuf> {
    let member = member(editor)?;
    match search.os {
        Os::Linux => find_program(member.cli, search)
            .or_else(|| member.flatpak.and_then(|id| find_program(id, search)))
            .or_else(|| {
                let own = search.place("usr/share").join(member.cli).join("bin").join(member.cli);
                is_program(&own).then_some(own)
            }),
        Os::MacOs => find_program(member.cli, search).or_else(|| {
            search
                .mac_app(member.mac_app)
                .into_iter()
                .map(|app| below(&app, "Contents/Resources/app/bin"))
                // Some bundles keep the program under the name `code`.
                .flat_map(|bin| [bin.join(member.cli), bin.join("code")])
                .find(|path| is_program(path))
        }),
        // Only the .exe: what lies on PATH is a .cmd file, which cannot be run without a shell.
        Os::Windows => {
            let (folder, exe) = member.windows;
            let script = format!("{}.cmd", member.cli);
            let beside = search
                .path
                .iter()
                .filter(|bin| bin.is_absolute() && bin.join(&script).is_file())
                .filter_map(|bin| Some(bin.parent()?.join(exe)));
            let installed = [search.local_app_data.as_ref().map(|base| base.join("Programs"))]
                .into_iter()
                .chain([search.program_files.clone()])
                .flatten()
                .map(|base| base.join(folder).join(exe));
            beside.chain(installed).find(|path| is_program(path))
        }
    }
}

/// The command when the program is there, else the link that asks the running or installed editor (and that asks
/// the person for confirmation).
///
/// The authority `ssh-remote+ALIAS` is what the Remote - SSH extension resolves; VS Code lowers it, which an [`Alias`]
/// already is.
pub(super) fn plan(
    editor: Editor,
    alias: &Alias,
    folder: Option<&RemotePath>,
    search: &SearchEnv,
) -> Option<Launch> {
    let member = member(editor)?;
    let path = folder.map(|folder| encode_path(folder.as_str())).unwrap_or_default();
    let Some(program) = find(editor, search) else {
        return Some(Launch::Url(format!(
            "{}://vscode-remote/ssh-remote+{alias}{path}?windowId=_blank",
            member.scheme
        )));
    };
    let mut argv: Vec<OsString> = vec![program.into()];
    if folder.is_some() {
        argv.push(format!("--folder-uri=vscode-remote://ssh-remote+{alias}{path}").into());
    } else {
        argv.extend(["--remote".into(), format!("ssh-remote+{alias}").into()]);
    }
    Some(Launch::Argv(argv))
}
