//! `moorline uninstall`: leaves the machine as if Moorline had never run.

use std::process::ExitCode;

use clap::Args;
use moorline_core::agent::socket::Door;
use moorline_core::repoint::unchecked_entries;
use moorline_core::ssh::context::Tools;
use moorline_core::store::made_dirs::made;
use moorline_core::store::vault::VaultError;
use serde_json::json;

use super::forget::forget;
use crate::ask::{Terminal, confirm};
use crate::printer::Printer;

/// `moorline uninstall`
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// Runs the command.
pub fn run(args: &UninstallArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    // An agent would go on, and write again.
    super::block_on(async { Door::open(&tools.dirs).map(drop) })??;
    let names: Vec<_> = super::sessions(&tools)?.sessions().keys().cloned().collect();
    if !args.yes {
        let question = format!(
            "Forget {} session(s) and delete Moorline's login key, secrets, settings, state and backups?",
            names.len()
        );
        confirm(&mut Terminal::open(printer.is_json()), &question)?;
    }
    for name in &names {
        forget(&tools, name, printer)?;
        printer.done(format!("{name} is forgotten"));
    }
    // What was commented out for a session that was never made, or is gone from the settings.
    for name in unchecked_entries::bring_all_back(&tools)? {
        printer.note(unchecked_entries::brought_back(&name));
    }
    let mut clean = forget_secrets(&tools, printer);
    let dirs = &tools.dirs;
    let made = made(dirs);
    let key = dirs.login_key();
    for file in [key.with_extension("pub"), key] {
        clean &= remove(std::fs::remove_file(&file), &file, printer);
    }
    for dir in [&dirs.config, &dirs.data, &dirs.runtime, &dirs.state] {
        clean &= remove(std::fs::remove_dir_all(dir), dir, printer);
    }
    for dir in made {
        // Only where nothing else is in it.
        let _ = std::fs::remove_dir(dir);
    }
    if clean {
        printer.done("nothing of Moorline is left but this program");
    }
    printer.json(&json!({ "forgotten": names, "nothing_left": clean }));
    Ok(ExitCode::SUCCESS)
}

/// All that lies in the keyring under Moorline's name: an account's secrets belong to no session, and a session key
/// may have been stored before its session was made. `false` if something may be left.
fn forget_secrets(tools: &Tools, printer: &Printer) -> bool {
    let deleted = tools.vault.list().and_then(|names| {
        names.iter().try_for_each(|name| {
            if tools.vault.delete(name)? {
                printer.done(format!("deleted {} from the keyring", name.plain()));
            }
            Ok(())
        })
    });
    match deleted {
        // Without a keyring nothing was ever stored.
        Ok(()) | Err(VaultError::NoKeyring(_)) => true,
        Err(error) => {
            printer.note(format!("secrets may be left in the keyring: {error}"));
            false
        }
    }
}

/// `false` if it is left over.
fn remove(result: std::io::Result<()>, path: &std::path::Path, printer: &Printer) -> bool {
    match result {
        Ok(()) => printer.done(format!("deleted {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            printer.note(format!("{} is left over: {error}; delete it by hand", path.display()));
            return false;
        }
    }
    true
}
