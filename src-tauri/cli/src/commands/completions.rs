//! `moorline completions`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use clap_complete::{Shell as Target, generate};

use crate::printer::Printer;

/// `moorline completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// Shells that completions can be made for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// Windows `PowerShell`
    Powershell,
    /// elvish
    Elvish,
}

/// Runs the command; `grammar` is the whole program's.
#[expect(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub fn run(
    args: &CompletionsArgs,
    mut grammar: clap::Command,
    printer: &Printer,
) -> anyhow::Result<ExitCode> {
    let target = match args.shell {
        Shell::Bash => Target::Bash,
        Shell::Zsh => Target::Zsh,
        Shell::Fish => Target::Fish,
        Shell::Powershell => Target::PowerShell,
        Shell::Elvish => Target::Elvish,
    };
    let mut script = Vec::new();
    generate(target, &mut grammar, "moorline", &mut script);
    printer.raw(&String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
