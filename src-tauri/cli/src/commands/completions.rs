//! `moorline completions`

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell as Target, generate};

use crate::args::{Cli, CompletionsArgs, Shell};
use crate::printer::Printer;

/// Runs the command.
#[expect(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub fn run(args: &CompletionsArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let target = match args.shell {
        Shell::Bash => Target::Bash,
        Shell::Zsh => Target::Zsh,
        Shell::Fish => Target::Fish,
        Shell::Powershell => Target::PowerShell,
        Shell::Elvish => Target::Elvish,
    };
    let mut script = Vec::new();
    generate(target, &mut Cli::command(), "moorline", &mut script);
    printer.raw(&String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
