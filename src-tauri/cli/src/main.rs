//! `moorline`: the command line.

mod advice;
mod args;
mod ask;
mod askpass;
mod commands;
mod ending;
mod printer;
mod report;
mod steps;
mod text_in;
mod trust_args;
#[cfg(unix)]
mod tty;
#[cfg(unix)]
mod typed;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use moorline_model::text;

use crate::args::{Cli, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    if let Some(code) = askpass::acted() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let printer = Printer::new(cli.json);
    let about = cli.command.session().cloned();
    let outcome = match cli.command {
        Command::Add(args) => commands::add::run(&args, &printer),
        Command::Status(args) => commands::status::run(&args, &printer),
        Command::Repair(args) => commands::repair::run(&args, &printer),
        Command::Forget(args) => commands::forget::run(&args, &printer),
        Command::Cell(args) => commands::cell::run(&args, &printer),
        Command::Open(args) => commands::open::run(&args, &printer),
        Command::Secret(command) => commands::secret::run(&command, &printer),
        Command::Doctor => commands::doctor::run(&printer),
        Command::Watch => commands::watch::run(&printer),
        Command::Demo(args) => commands::demo::run(&args, &printer),
        Command::Hub(args) => commands::hub::run(&args),
        Command::Uninstall(args) => commands::uninstall::run(&args, &printer),
        Command::Completions(args) => commands::completions::run(&args, Cli::command(), &printer),
    };
    ending::let_who_leaves_end();
    let code = outcome.unwrap_or_else(|error| {
        let step = advice::of_error(&error, about.as_ref());
        printer.error(text::sentence(error.as_ref()), step.as_ref().map(steps::command));
        ExitCode::from(1)
    });
    // Half an answer is none: a script must not take what a full disk cut off for all there is.
    if printer.lost_output() { ExitCode::from(1) } else { code }
}

/// What clap says, or the same for machines: whether they read along is not known before the arguments are.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let what = text.split("\n\n").next().unwrap_or_default();
        let what = what.strip_prefix("error: ").unwrap_or(what);
        let said = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "there is no command",
            _ => what,
        };
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Printer::new(true).error(format!("{said}; `moorline --help` shows how it is used"), None);
        return ExitCode::from(2);
    }
    let shown = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { u8::from(shown.is_err()) })
}
