//! `moorline secret`: the vault by hand. Values go in, never out.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use moorline_core::carry::ServiceToken;
use moorline_core::session::{Link, Session};
use moorline_core::settle;
use moorline_core::vault::{SecretKind, SecretName};
use moorline_ssh_files::HostName;
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
            let session = super::session(&tools, Some(&args.name))?;
            let secret = ask(args, printer)?;
            let tunnel = service_token_host(args, &session, &secret)?;
            tools.vault.set(&name(args), &secret)?;
            if args.kind == SecretKind::Password {
                settle::bind_password(&tools, &session)?;
            }
            if let Some(host) = tunnel {
                settle::bind_service_token(&tools, &session.name, Some(&host))?;
            }
            super::agent::reload(&tools);
            printer.done(format!("stored the {} of {}", args.kind, args.name));
            printer.json(&json!({ "session": args.name, "kind": args.kind.to_string(), "stored": true }));
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
            if args.kind == SecretKind::ServiceToken {
                settle::bind_service_token(&tools, &args.name, None)?;
            }
            printer.done(format!("deleted the {} of {}", args.kind, args.name));
            printer.json(&json!({ "session": args.name, "kind": args.kind.to_string(), "deleted": true }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The host name that a service token is given for, and stays bound to; `None` for other kinds of secrets.
fn service_token_host(
    args: &SecretArgs,
    session: &Session,
    secret: &SecretString,
) -> anyhow::Result<Option<HostName>> {
    if args.kind != SecretKind::ServiceToken {
        return Ok(None);
    }
    let Link::Cloudflare(host) = &session.link else {
        bail!(
            "{} is reached over {}, which takes no service token; nothing was stored",
            session.name,
            session.link.kind()
        );
    };
    if ServiceToken::read(secret).is_none() {
        bail!(
            "that is no service token: give its client id and its client secret, with a space between them; nothing was stored"
        );
    }
    Ok(Some(host.clone()))
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
