//! Who takes a link. `xdg-open` hands one that nobody takes to a browser, and says that it was opened.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use moorline_model::editor::Editor;

use super::error::EditorError;
use super::programs::{Os, SearchEnv, find_program};
use super::vscode;
use crate::store::run_program::{Stream, printed};

/// How long the desktop may think about it; then the link is tried.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses a link with an editor's own scheme that no program on this desktop takes. Where that cannot be known, it
/// does not.
///
/// Linux alone needs it: the openers of the others fail by themselves. The desktop is asked in its own way by
/// `xdg-mime query default x-scheme-handler/SCHEME` (xdg-mime(1)), which prints nothing for a scheme without a program.
pub(super) fn ensure_taken(
    url: &str,
    search: &SearchEnv,
    env: &[(OsString, OsString)],
) -> Result<(), EditorError> {
    let Some((scheme, _)) = url.split_once(':') else { return Ok(()) };
    let Some((name, install)) = program(scheme).filter(|_| search.os == Os::Linux) else { return Ok(()) };
    let Some(xdg_mime) = find_program("xdg-mime", search) else { return Ok(()) };
    let mut command = Command::new(xdg_mime);
    command.args(["query", "default", &format!("x-scheme-handler/{scheme}")]);
    command.env_clear().envs(env.iter().cloned());
    match printed(command, Stream::Output, PATIENCE) {
        Some((status, taker)) if status.success() && taker.trim().is_empty() => {
            Err(EditorError::NoTaker { name, scheme: scheme.to_owned(), install })
        }
        _ => Ok(()),
    }
}

/// The program that a scheme belongs to, and what to do when it is missing.
fn program(scheme: &str) -> Option<(&'static str, &'static str)> {
    let family = Editor::ALL.into_iter().find(|editor| vscode::scheme(*editor) == Some(scheme));
    let install = match (family, scheme) {
        (Some(Editor::VsCode), _) => "install it from https://code.visualstudio.com",
        (Some(Editor::VsCodeInsiders), _) => "install it from https://code.visualstudio.com/insiders",
        (Some(Editor::VsCodium), _) => "install it from https://vscodium.com",
        (Some(Editor::Cursor), _) => "install it from https://cursor.com",
        (Some(Editor::Windsurf), _) => "install it from https://windsurf.com",
        (Some(Editor::Positron), _) => "install it from https://positron.posit.co",
        (Some(Editor::Antigravity), _) => "install it from https://antigravity.google",
        (_, "jetbrains") => return Some(("JetBrains Toolbox", "start Toolbox once, or install it again")),
        (_, "jetbrains-gateway") => {
            return Some(("JetBrains Gateway", "start Gateway once, or install it again"));
        }
        _ => return None,
    };
    Some((family?.display_name(), install))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::search::tests::{Machine, write_script};
    use super::*;

    const LINK: &str = "vscode://vscode-remote/ssh-remote+colab";

    /// A desktop that answers with this line of a shell script.
    fn desktop(answer: &str) -> Machine {
        let machine = Machine::new(Os::Linux);
        let path = machine.program("usr/bin/xdg-mime");
        write_script(&path, &format!("#!/bin/sh\n{answer}\n"));
        machine
    }

    fn asked(machine: &Machine, url: &str) -> Result<(), String> {
        let env = [("PATH".into(), std::env::var_os("PATH").unwrap())];
        ensure_taken(url, &machine.search, &env).map_err(|error| error.to_string())
    }

    #[test]
    fn a_link_that_nobody_takes_is_refused_with_what_to_install() {
        let nobody = desktop("exit 0");
        let refusal = asked(&nobody, LINK).unwrap_err();
        assert_eq!(
            refusal,
            "nothing here takes vscode: links, so VS Code cannot be reached; install it from https://code.visualstudio.com"
        );
        assert!(asked(&nobody, "cursor://vscode-remote/x").unwrap_err().contains("https://cursor.com"));
        assert!(asked(&nobody, "jetbrains://gateway/x").unwrap_err().contains("start Toolbox once"));
        assert!(asked(&nobody, "jetbrains-gateway://connect#x").unwrap_err().contains("start Gateway once"));
        assert_eq!(
            asked(&nobody, "https://colab.research.google.com"),
            Ok(()),
            "browsers know their own way"
        );
    }

    #[test]
    fn one_that_somebody_takes_or_may_take_is_tried() {
        let one = desktop("[ \"$3\" = x-scheme-handler/vscode ] && echo code-url-handler.desktop");
        assert_eq!(asked(&one, LINK), Ok(()));
        assert_eq!(asked(&desktop("exit 4"), LINK), Ok(()), "it could not say");
        assert_eq!(asked(&Machine::new(Os::Linux), LINK), Ok(()), "nobody can say");
    }

    #[test]
    fn every_editor_that_is_asked_by_a_link_has_its_sentence() {
        for editor in Editor::ALL {
            if let Some(scheme) = vscode::scheme(editor) {
                assert_eq!(program(scheme).unwrap().0, editor.display_name());
            }
        }
    }
}
