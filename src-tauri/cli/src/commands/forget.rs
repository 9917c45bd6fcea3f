//! `moorline forget`: everything that was written for a session goes.

use std::process::ExitCode;

use clap::Args;
use moorline_core::editors::{self, SearchEnv};
use moorline_core::repoint::write;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::{hub, kept_secrets};
use moorline_core::store::vault::VaultError;
use moorline_model::editor::Editor;
use moorline_model::secret_kind::SecretKind;
use moorline_ssh_files::{Alias, Report};
use serde_json::json;

use crate::ask::{Terminal, confirm};
use crate::printer::Printer;
use crate::report;

/// `moorline forget`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Which session.
    pub name: Alias,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// Runs the command.
pub fn run(args: &ForgetArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let session = super::session(&tools, Some(&args.name))?;
    if !args.yes {
        let question =
            format!("Forget {} ({}), its entry, host key and secrets?", session.name, session.link);
        confirm(&mut Terminal::open(printer.is_json()), &question)?;
    }
    let (written, secrets) = forget(&tools, &session.name, printer)?;
    super::agent::reload(&tools);
    printer.done(format!("{} is forgotten", session.name));
    printer.json(&json!({
        "session": session.name,
        "secrets_deleted": secrets,
        "files": report::to_json(&written),
    }));
    Ok(ExitCode::SUCCESS)
}

/// Takes the session out of its relay, the ssh files, the editors' settings, Moorline's files and the vault. Gives the number
/// of secrets that were deleted.
///
/// # Errors
/// The ssh files cannot be edited; then nothing of the session is lost.
pub fn forget(tools: &Tools, name: &Alias, printer: &Printer) -> anyhow::Result<(Report, usize)> {
    // While its secrets are still there. A relay that is out of reach keeps nobody from forgetting.
    if let Some(session) = super::sessions(tools)?.get(name)
        && let Err(error) = super::relay::retire(tools, session, printer)
    {
        printer.note(format!("what was prepared on a relay for {name} is not known: {error}"));
    }
    let written = write::forget(tools, name)?;
    report::print(&written, printer);
    if let Err(error) = hub::end(&tools.dirs, name) {
        printer.note(format!("{name} may still be connected: {error}"));
    }
    forget_platform(tools, name, printer);
    let mut deleted = 0;
    for kind in SecretKind::OF_SESSION {
        match kept_secrets::delete(&*tools.vault, name, kind) {
            Ok(some) => deleted += some,
            // Without a keyring nothing was ever stored.
            Err(VaultError::NoKeyring(_)) => break,
            Err(error) => {
                printer.note(format!("secrets of {name} may be left in the keyring: {error}"));
                break;
            }
        }
    }
    Ok((written, deleted))
}

/// The editors' note that the alias is a Linux machine.
fn forget_platform(tools: &Tools, name: &Alias, printer: &Printer) {
    let search = SearchEnv::from_process(&tools.dirs.home, false);
    for editor in Editor::ALL {
        if let Err(error) = editors::forget_platform(editor, name, &search) {
            printer.note(format!("{}'s settings still name {name}: {error}", editor.display_name()));
        }
    }
}
