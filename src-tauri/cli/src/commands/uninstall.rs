//! `moorline uninstall`: leaves the machine as if Moorline had never run.

use std::process::ExitCode;

use moorline_core::agent::door::Door;
use moorline_core::made::made;
use serde_json::json;

use super::forget::forget;
use crate::args::UninstallArgs;
use crate::ask::{Terminal, confirm};
use crate::printer::Printer;

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
    let dirs = &tools.dirs;
    let made = made(dirs);
    let key = dirs.login_key();
    for file in [key.with_extension("pub"), key] {
        remove(std::fs::remove_file(&file), &file, printer);
    }
    for dir in [&dirs.config, &dirs.data, &dirs.runtime, &dirs.state] {
        remove(std::fs::remove_dir_all(dir), dir, printer);
    }
    for dir in made {
        // Only where nothing else is in it.
        let _ = std::fs::remove_dir(dir);
    }
    printer.done("nothing of Moorline is left but this program");
    printer.json(&json!({ "forgotten": names }));
    Ok(ExitCode::SUCCESS)
}

fn remove(result: std::io::Result<()>, path: &std::path::Path, printer: &Printer) {
    match result {
        Ok(()) => printer.done(format!("deleted {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => printer.note(format!("{} is left over: {error}; delete it by hand", path.display())),
    }
}
