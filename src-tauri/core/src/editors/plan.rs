//! Planning what exactly is started to open a session.

use moorline_model::editor::Editor;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;

use super::error::EditorError;
use super::launch::{Launch, LaunchOptions};
use super::link::encode_path;
use super::programs::SearchEnv;
use super::search::find;
use super::{jetbrains, terminal, vscode};

/// What to start to open `alias` in `editor`, at `folder` if one is given.
///
/// # Errors
/// Says what to install when the editor cannot be reached by a command or by a link.
pub fn launch_plan(
    editor: Editor,
    alias: &Alias,
    folder: Option<&RemotePath>,
    search: &SearchEnv,
    options: &LaunchOptions,
) -> Result<Launch, EditorError> {
    match editor {
        Editor::PyCharm => jetbrains::plan(alias, folder, options.user.as_ref(), search),
        Editor::Terminal => terminal::plan(alias, folder, options.tmux, search),
        Editor::Zed => zed(alias, folder, search),
        _ => vscode::plan(editor, alias, folder, search)
            .ok_or(EditorError::NotFound { name: editor.display_name(), install: "choose another editor" }),
    }
}

fn zed(alias: &Alias, folder: Option<&RemotePath>, search: &SearchEnv) -> Result<Launch, EditorError> {
    let Some(program) = find(Editor::Zed, search) else {
        return Err(EditorError::NotFound { name: "Zed", install: "install it from https://zed.dev" });
    };
    let path = folder.map(|folder| encode_path(folder.as_str())).unwrap_or_default();
    Ok(Launch::Argv(vec![program.into(), format!("ssh://{alias}{path}").into()]))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use moorline_ssh_files::UserName;

    use super::super::programs::Os;
    use super::super::search::tests::Machine;
    use super::*;

    fn plan(machine: &Machine, editor: Editor, folder: Option<&str>) -> Result<Launch, EditorError> {
        let folder: Option<RemotePath> = folder.map(|folder| folder.parse().unwrap());
        let options = LaunchOptions { tmux: false, user: Some(UserName::root()) };
        launch_plan(editor, &"colab".parse().unwrap(), folder.as_ref(), &machine.search, &options)
    }

    fn argv<const N: usize>(words: [&std::ffi::OsStr; N]) -> Launch {
        Launch::Argv(words.map(OsString::from).to_vec())
    }

    #[test]
    fn the_code_family_takes_a_folder_uri_when_its_program_is_there() {
        for (editor, name) in [
            (Editor::VsCode, "code"),
            (Editor::VsCodeInsiders, "code-insiders"),
            (Editor::VsCodium, "codium"),
            (Editor::Cursor, "cursor"),
            (Editor::Windsurf, "windsurf"),
            (Editor::Positron, "positron"),
            (Editor::Antigravity, "antigravity"),
        ] {
            let machine = Machine::new(Os::Linux);
            let program = machine.program(&format!("usr/bin/{name}"));
            assert_eq!(
                plan(&machine, editor, Some("/content/my work#1")).unwrap(),
                argv([
                    program.as_ref(),
                    "--folder-uri=vscode-remote://ssh-remote+colab/content/my%20work%231".as_ref()
                ])
            );
            assert_eq!(
                plan(&machine, editor, None).unwrap(),
                argv([program.as_ref(), "--remote".as_ref(), "ssh-remote+colab".as_ref()])
            );
        }
    }

    #[test]
    fn without_its_program_each_member_has_its_own_scheme() {
        let machine = Machine::new(Os::MacOs);
        for (editor, scheme) in [
            (Editor::VsCode, "vscode"),
            (Editor::VsCodeInsiders, "vscode-insiders"),
            (Editor::VsCodium, "vscodium"),
            (Editor::Cursor, "cursor"),
            (Editor::Windsurf, "windsurf"),
            (Editor::Positron, "positron"),
            (Editor::Antigravity, "antigravity"),
        ] {
            assert_eq!(
                plan(&machine, editor, Some("/content/ä?")).unwrap(),
                Launch::Url(format!(
                    "{scheme}://vscode-remote/ssh-remote+colab/content/%C3%A4%3F?windowId=_blank"
                ))
            );
            assert_eq!(
                plan(&machine, editor, None).unwrap(),
                Launch::Url(format!("{scheme}://vscode-remote/ssh-remote+colab?windowId=_blank"))
            );
        }
    }

    #[test]
    fn zed_takes_an_ssh_url_or_says_what_to_install() {
        let machine = Machine::new(Os::Linux);
        let refusal = plan(&machine, Editor::Zed, Some("/content")).unwrap_err().to_string();
        assert!(refusal.contains("https://zed.dev"), "{refusal}");
        let program = machine.program("usr/bin/zed");
        assert_eq!(
            plan(&machine, Editor::Zed, Some("/content/a b")).unwrap(),
            argv([program.as_ref(), "ssh://colab/content/a%20b".as_ref()])
        );
    }

    #[test]
    fn pycharm_goes_through_toolbox_then_gateway_then_says_what_to_install() {
        let toolbox_link =
            "jetbrains://gateway/ssh/environment?h=colab&launchIde=true&ideHint=PY&projectHint=%2Fcontent";
        let machine = Machine::new(Os::Linux);
        let refusal = plan(&machine, Editor::PyCharm, Some("/content")).unwrap_err().to_string();
        assert!(refusal.contains("install Toolbox") && refusal.contains(toolbox_link), "{refusal}");

        machine.program("usr/bin/jetbrains-gateway");
        assert_eq!(
            plan(&machine, Editor::PyCharm, Some("/content/a b")).unwrap(),
            Launch::Url(
                "jetbrains-gateway://connect#type=ssh&host=colab&port=22&user=root&projectPath=%2Fcontent%2Fa%20b"
                    .into()
            )
        );

        machine.program("home/ada/.local/share/JetBrains/Toolbox/bin/jetbrains-toolbox");
        assert_eq!(
            plan(&machine, Editor::PyCharm, Some("/content")).unwrap(),
            Launch::Url(toolbox_link.into())
        );
        assert_eq!(
            plan(&machine, Editor::PyCharm, None).unwrap(),
            Launch::Url("jetbrains://gateway/ssh/environment?h=colab&launchIde=true&ideHint=PY".into())
        );
    }
}
