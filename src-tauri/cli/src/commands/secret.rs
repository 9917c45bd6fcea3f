//! `moorline secret`: the vault by hand. Values go in, never out, but for the session key, which a person carries over.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use moorline_core::session_key::SessionKey;
use moorline_core::settle;
use moorline_core::vault::{SecretKind, SecretName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::session_key;
use crate::args::{SecretArgs, SecretCommand};
use crate::ask::ask_secret;
use crate::printer::Printer;

/// Longer than any password, key or token that belongs here.
const LIMIT: u64 = 16 * 1024;

/// Runs the command.
pub fn run(command: &SecretCommand, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    match command {
        SecretCommand::Set(args) => {
            // A session key may be there before the session: its runtime announces the rest.
            let session = match args.kind {
                SecretKind::SessionKey => None,
                _ => Some(super::session(&tools, Some(&args.name))?),
            };
            let secret = ask(args, printer)?;
            if args.kind == SecretKind::SessionKey {
                secret.expose_secret().parse::<SessionKey>().context("nothing was stored")?;
            }
            tools.vault.set(&name(args), &secret)?;
            if let (SecretKind::Password, Some(session)) = (args.kind, &session) {
                settle::bind_password(&tools, session)?;
            }
            super::agent::reload(&tools);
            printer.done(format!("stored the {} of {}", args.kind, args.name));
            printer.json(&json!({ "session": args.name, "kind": args.kind.to_string(), "stored": true }));
        }
        SecretCommand::NewSessionKey(args) => return session_key::new(&tools, args, printer),
        SecretCommand::ShowSessionKey(args) => return session_key::show(&tools, &args.name, printer),
        SecretCommand::List => {
            let names = tools.vault.list()?;
            if names.is_empty() {
                printer.line("No secrets are stored.");
            }
            for name in &names {
                printer.line(name);
            }
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            printer.json(&json!({ "secrets": names }));
        }
        SecretCommand::Delete(args) => {
            let deleted = tools.vault.delete(&name(args))?;
            if !deleted {
                bail!("no {} of {} is stored; `moorline secret list` shows what is", args.kind, args.name);
            }
            printer.done(format!("deleted the {} of {}", args.kind, args.name));
            printer.json(&json!({ "session": args.name, "kind": args.kind.to_string(), "deleted": true }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn name(args: &SecretArgs) -> SecretName {
    SecretName { session: Some(args.name.clone()), kind: args.kind }
}

fn ask(args: &SecretArgs, printer: &Printer) -> anyhow::Result<SecretString> {
    let what = format!("the {} of {}", args.kind, args.name);
    let secret = if std::io::stdin().is_terminal() {
        if printer.is_json() {
            bail!("--json never asks: give {what} on standard input");
        }
        ask_secret(&format!("{what} (not shown):")).context("nothing was typed; nothing was stored")?
    } else {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin()
            .lock()
            .take(LIMIT + 1)
            .read_to_string(&mut text)
            .context("cannot read the secret from standard input; it must be text")?;
        if text.len() as u64 > LIMIT {
            bail!("that is longer than 16 KiB, which no secret of this kind is; nothing was stored");
        }
        SecretString::from(text.trim_end_matches(['\n', '\r']).to_owned())
    };
    if secret.expose_secret().is_empty() {
        bail!("{what} is empty; nothing was stored");
    }
    Ok(secret)
}
