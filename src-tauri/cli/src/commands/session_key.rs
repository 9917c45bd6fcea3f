//! `moorline secret new-session-key` and `show-session-key`: the one secret that a person carries over by hand.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::bail;
use moorline_core::session_key::{self, secret_name};
use moorline_core::tools::Tools;
use moorline_ssh_files::Alias;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::args::NewKeyArgs;
use crate::printer::Printer;

/// Makes the session's key, or the next one in its place.
pub fn new(tools: &Tools, args: &NewKeyArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let name = &args.name;
    let there = session_key::load(tools, name);
    let key = match there {
        Ok(Some(key)) if !args.rotate => {
            printer.done(format!("{name} has a session key already (generation {})", key.generation()));
            key
        }
        _ if args.rotate => {
            let key = session_key::rotate(tools, name)?;
            printer.done(format!("made a new session key for {name} (generation {})", key.generation()));
            printer.note(
                "until the notebook has it and its cell ran again, runtimes are not recognised by themselves",
            );
            key
        }
        _ => {
            let key = session_key::create(tools, name)?;
            printer.done(format!("made a session key for {name}"));
            key
        }
    };
    printer.line(format!("To put it into the notebook's secrets: moorline secret show-session-key {name}"));
    super::agent::reload(tools);
    printer.json(&json!({ "session": name, "generation": key.generation(), "key_id": key.id().as_str() }));
    Ok(ExitCode::SUCCESS)
}

/// Shows the key to a person: on a terminal, nowhere else.
pub fn show(tools: &Tools, name: &Alias, printer: &Printer) -> anyhow::Result<ExitCode> {
    if printer.is_json() || !std::io::stdout().is_terminal() {
        bail!(
            "the session key is shown on a terminal alone, so that it ends in no file; run this without --json and without a pipe"
        );
    }
    let Some(key) = session_key::load(tools, name)? else {
        bail!("{name} has no session key; make one with `moorline secret new-session-key {name}`");
    };
    printer.note(
        "whoever has this key can pass for the runtime; put it into the notebook's secrets and nowhere else",
    );
    printer.line(format!("Name:  {}", secret_name(name)));
    printer.line(format!("Value: {}", key.text().expose_secret()));
    Ok(ExitCode::SUCCESS)
}
