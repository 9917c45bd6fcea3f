//! `moorline`: the command line and the `ProxyCommand`.

mod args;
mod ask;
mod askpass;
mod commands;
mod printer;
mod report;
mod text_in;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    if let Some(code) = askpass::acted() {
        return code;
    }
    let cli = Cli::parse();
    let printer = Printer::new(cli.json);
    let outcome = match cli.command {
        Command::Add(args) => commands::add::run(&args, &printer),
        Command::Status(args) => commands::status::run(&args, &printer),
        Command::Repair(args) => commands::repair::run(&args, &printer),
        Command::Forget(args) => commands::forget::run(&args, &printer),
        Command::Open(args) => commands::open::run(&args, &printer),
        Command::Secret(command) => commands::secret::run(&command, &printer),
        Command::Doctor => commands::doctor::run(&printer),
        Command::Watch => commands::watch::run(&printer),
        Command::Demo(args) => commands::demo::run(&args, &printer),
        Command::Proxy(args) => commands::proxy::run(&args),
        Command::Uninstall(args) => commands::uninstall::run(&args, &printer),
        Command::Completions(args) => commands::completions::run(&args, &printer),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            printer.error(sentence(&error));
            ExitCode::from(1)
        }
    }
}

/// The whole chain as one sentence; a cause that its parent already quotes is not said twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
