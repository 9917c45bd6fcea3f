//! `moorline secret`: the vault by hand. Values go in, never out.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use moorline_core::settle;
use moorline_core::vault::{SecretKind, SecretName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

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
            let name = name(args);
            let session = name.session.as_ref().map(|name| super::session(&tools, Some(name))).transpose()?;
            let secret = ask(args, printer)?;
            tools.vault.set(&name, &secret)?;
            if let (Some(session), SecretKind::Password) = (session, args.kind) {
                settle::bind_password(&tools, &session)?;
            }
            super::agent::reload(&tools);
            let of = name.session.as_ref().map(|session| format!(" of {session}")).unwrap_or_default();
            printer.done(format!("stored the {}{of}", name.kind));
            printer.json(&json!({ "session": name.session, "kind": name.kind.to_string(), "stored": true }));
        }
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

/// A session's secret, or an account's where the name is that of a kind which belongs to no session.
fn name(args: &SecretArgs) -> SecretName {
    match args.name.as_str().parse() {
        Ok(kind) if !SecretKind::OF_SESSION.contains(&kind) => SecretName::account(kind),
        _ => SecretName { session: Some(args.name.clone()), kind: args.kind },
    }
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
