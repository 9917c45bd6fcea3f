//! `moorline secret new-session-key` and `show-session-key`: the one secret that a person carries over by hand.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use moorline_core::repoint::session_key;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::relay_setup::prepared_relays;
use moorline_core::store::pins_json::Pins;
use moorline_core::store::session_keys;
use moorline_model::clock;
use moorline_model::session::Link;
use moorline_model::session_key::{SessionKey, secret_name};
use moorline_model::trust::Trust;
use moorline_ssh_files::Alias;
use secrecy::ExposeSecret;
use serde_json::json;

use super::claimed;
use crate::printer::Printer;

/// `moorline secret new-session-key`
#[derive(Debug, Args)]
pub struct NewKeyArgs {
    /// The session; it need not be there yet.
    pub name: Alias,
    /// Make the next one in the place of the one that is there.
    #[arg(long)]
    pub rotate: bool,
}

/// `moorline secret show-session-key`
#[derive(Debug, Args)]
pub struct ShowKeyArgs {
    /// The session.
    pub name: Alias,
}

/// Makes the session's key, or the next one in its place.
pub fn new(tools: &Tools, args: &NewKeyArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let name = &args.name;
    let there = session_keys::load(&*tools.vault, name);
    // A key that is there is of a session that is or will be; a new one is to be of none that cannot be.
    if matches!(there, Ok(None)) && super::sessions(tools)?.get(name).is_none() {
        claimed::refuse(tools, name)?;
    }
    let key = match there {
        Ok(Some(key)) if !args.rotate => {
            printer.done(format!("{name} has a session key already (generation {})", key.generation()));
            key
        }
        _ if args.rotate => rotate(tools, name, printer)?,
        _ => {
            let key = session_keys::create(&tools.dirs, &*tools.vault, name)?;
            printer.done(format!("made a session key for {name}"));
            key
        }
    };
    printer.line(format!("To put it into the notebook's secrets: moorline secret show-session-key {name}"));
    super::agent::reload(tools);
    printer.json(&json!({ "session": name, "generation": key.generation(), "key_id": key.id().as_str() }));
    Ok(ExitCode::SUCCESS)
}

/// The next key, in force everywhere: on the relay, in the keyring, and as the host key that the session may show.
fn rotate(tools: &Tools, name: &Alias, printer: &Printer) -> anyhow::Result<SessionKey> {
    // What is no key is replaced as if there were none.
    let was = session_keys::load(&*tools.vault, name).ok().flatten().map(|key| key.id());
    let key = session_keys::next(&*tools.vault, name)?;
    let sessions = super::sessions(tools)?;
    let session = sessions.get(name);
    // The relay's key line first: a key that the relay does not know would lock the next runtime out.
    if let Some(session) = session
        && matches!(session.link, Link::Relay(_))
        && !prepared_relays(tools, name)?.is_empty()
    {
        super::relay::prepare_with(tools, session, &key, printer)?;
    }
    if let Some(session) = session {
        // The old key's line still opens those that the session went through before.
        super::relay::retire_former(tools, session, printer)?;
    }
    let trust = Pins::load(&tools.dirs.pins_file())?.get(name).and_then(|pin| Some(pin.keys.first()?.trust));
    let pinned = super::block_on(session_key::renew(tools, name, was.as_ref(), &key, clock::now()))??;
    printer.done(format!("made a new session key for {name} (generation {})", key.generation()));
    match (pinned, trust) {
        (Some(_), _) => {
            printer.note(format!(
                "from now on ssh takes the new host key of {name} alone: the runtime that runs now is refused until the notebook has the new session key and its cell ran again"
            ));
        }
        (_, Some(Trust::Announced)) => printer.note(format!(
            "{name} keeps the host key that was announced last under the old one; until the notebook has the new session key and its line ran again, runtimes are not recognised by themselves"
        )),
        _ => printer.note(
            "until the notebook has it and its cell ran again, runtimes are not recognised by themselves",
        ),
    }
    Ok(key)
}

/// Shows the key to a person: on a terminal, nowhere else.
pub fn show(tools: &Tools, name: &Alias, printer: &Printer) -> anyhow::Result<ExitCode> {
    if printer.is_json() || !std::io::stdout().is_terminal() {
        bail!(
            "the session key is shown on a terminal alone, so that it ends in no file; run this without --json and without a pipe"
        );
    }
    let Some(key) = session_keys::load(&*tools.vault, name)? else {
        bail!("{name} has no session key; make one with `moorline secret new-session-key {name}`");
    };
    printer.note(
        "whoever has this key can pass for the runtime; put it into the notebook's secrets and nowhere else",
    );
    printer.line(format!("Name:  {}", secret_name(name)));
    printer.line(format!("Value: {}", key.text().expose_secret()));
    Ok(ExitCode::SUCCESS)
}
