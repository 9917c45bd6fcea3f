//! The command line's grammar: what is said before a command, and which commands there are.

use clap::{Parser, Subcommand};
use moorline_ssh_files::Alias;

use crate::commands::add::AddArgs;
use crate::commands::cell::CellArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::demo::DemoArgs;
use crate::commands::forget::ForgetArgs;
use crate::commands::hub::HubArgs;
use crate::commands::open::OpenArgs;
use crate::commands::repair::RepairArgs;
use crate::commands::secret::SecretCommand;
use crate::commands::status::StatusArgs;
use crate::commands::uninstall::UninstallArgs;

/// One ssh alias for a Colab runtime that drifts.
///
/// Paste what the notebook's cell printed, and `ssh NAME`, VS Code and PyCharm keep working across restarts of
/// the runtime: Moorline rewrites the ssh config entry and the host key, and asks before it trusts a new key.
#[derive(Debug, Parser)]
#[command(name = "moorline", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Print one JSON object instead of text; never asks.
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  moorline demo                       see the whole thing on a practice runtime, in a throw-away home
  moorline add colab                  paste what the cell printed, then press Ctrl-D
  moorline add colab --from cell.txt  the same from a file
  moorline repair colab               the runtime restarted: fetch its key, compare, re-pin
  moorline open colab --in vscode     open the editor on it

Exit status: 0 done; 1 failed, and nothing was changed or only mended; 2 wrong usage.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a runtime: read what its cell printed and make `ssh NAME` work. Pasting again re-points NAME.
    Add(AddArgs),
    /// Show the sessions and what Moorline knows of them.
    Status(StatusArgs),
    /// Fetch the host key that answers now, compare it with the pinned one, and mend the ssh files.
    Repair(RepairArgs),
    /// Stop following a session and undo everything that was written for it.
    Forget(ForgetArgs),
    /// Print the notebook cell that makes a runtime reachable and tells this desktop where it is.
    Cell(CellArgs),
    /// Open an editor or a terminal on a session.
    Open(OpenArgs),
    /// Keep, list or delete secrets in the system's keyring.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Check the keyring, ssh, file modes, editors and clock, and say what to do.
    Doctor,
    /// Watch the sessions in the foreground, without a desktop: repair, and say what happens, one line each.
    ///
    /// On a terminal the lines are words. Into a pipe or a file each is a JSON object, with or without `--json`.
    Watch,
    /// Play the whole story on a practice runtime on this machine, in a throw-away home.
    Demo(DemoArgs),
    /// Hold the one connection of a session for all its editors (started by `moorline-proxy`).
    #[command(hide = true)]
    Hub(HubArgs),
    /// Forget every session and remove all that Moorline has written on this machine.
    Uninstall(UninstallArgs),
    /// Print a completion script.
    Completions(CompletionsArgs),
}

impl Command {
    /// The session that it is about, if the person named one.
    pub fn session(&self) -> Option<&Alias> {
        match self {
            Self::Add(args) => args.name.as_ref(),
            Self::Status(args) => args.name.as_ref(),
            Self::Repair(args) => args.name.as_ref(),
            Self::Forget(args) => Some(&args.name),
            Self::Cell(args) => Some(&args.name),
            Self::Open(args) => Some(&args.name),
            Self::Hub(args) => Some(&args.name),
            Self::Secret(_)
            | Self::Doctor
            | Self::Watch
            | Self::Demo(_)
            | Self::Uninstall(_)
            | Self::Completions(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
