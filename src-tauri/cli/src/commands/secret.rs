//! `moorline secret`: the vault by hand. Values go in, never out, but for the session key, which a person carries over.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use moorline_core::net::google::{Credentials, Source};
use moorline_core::net::websocket::ServiceToken;
use moorline_core::repoint::write;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::kept_secrets;
use moorline_core::store::pins_json::Pins;
use moorline_core::store::vault::SecretName;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{Link, Session};
use moorline_model::session_key::SessionKey;
use moorline_ssh_files::{Alias, HostName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::session_key::{self, NewKeyArgs, ShowKeyArgs};
use crate::ask::ask_secret;
use crate::printer::Printer;

/// Longer than any password, key or token that belongs here.
const LIMIT: u64 = 16 * 1024;

/// `moorline secret`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Store a secret; it is asked for without echo, or read from standard input.
    Set(SecretSetArgs),
    /// Name the secrets that are stored, never their values.
    List,
    /// Delete a secret.
    Delete(SecretArgs),
    /// Make a session's key, with which its runtimes announce themselves; one that is there stays.
    NewSessionKey(NewKeyArgs),
    /// Show a session's key on this terminal, to be put into the notebook's secrets.
    ShowSessionKey(ShowKeyArgs),
}

/// `moorline secret set`
#[derive(Debug, Args)]
pub struct SecretSetArgs {
    #[command(flatten)]
    pub which: SecretArgs,
    /// Copy google-colab-cli's sign-in (for google-refresh-token).
    #[arg(long)]
    pub from_colab_cli: bool,
    /// Copy gcloud's Application Default Credentials (for google-refresh-token).
    #[arg(long, conflicts_with = "from_colab_cli")]
    pub from_gcloud: bool,
}

/// Which secret.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// The session it belongs to; for an account's secret, what it is: ngrok-api-key or google-refresh-token.
    pub name: Alias,
    /// What it is. Default: password.
    pub kind: Option<SecretKind>,
}

/// Runs the command.
pub fn run(command: &SecretCommand, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    match command {
        SecretCommand::Set(args) => set(&tools, args, printer)?,
        SecretCommand::NewSessionKey(args) => return session_key::new(&tools, args, printer),
        SecretCommand::ShowSessionKey(args) => return session_key::show(&tools, &args.name, printer),
        SecretCommand::List => {
            let mut names: Vec<SecretName> = tools.vault.list()?.iter().map(SecretName::plain).collect();
            // In the middle of a change there are two of a kind.
            names.sort();
            names.dedup();
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
            let name = name(&tools, args)?;
            let deleted = match &name.session {
                Some(session) => kept_secrets::delete(&*tools.vault, session, name.kind)? > 0,
                None => tools.vault.delete(&name)?,
            };
            if !deleted {
                bail!("no {} is stored; `moorline secret list` shows what is", words(&name));
            }
            if name.kind == SecretKind::ServiceToken
                && let Some(session) = &name.session
            {
                write::note_service_token(&tools, session, false)?;
            }
            // It holds what it has read, and listens with it.
            super::agent::reload(&tools);
            printer.done(format!("deleted the {}", words(&name)));
            printer.json(&json!({ "session": name.session, "kind": name.kind.to_string(), "deleted": true }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn set(tools: &Tools, args: &SecretSetArgs, printer: &Printer) -> anyhow::Result<()> {
    let name = name(tools, &args.which)?;
    // A session key may be there before the session: its runtime announces the rest.
    let of_session = name.session.as_ref().filter(|_| name.kind != SecretKind::SessionKey);
    let session = of_session.map(|session| super::session(tools, Some(session))).transpose()?;
    match (args.from_colab_cli, args.from_gcloud) {
        (false, false) => {
            let secret = ask(&name, printer)?;
            if name.kind == SecretKind::SessionKey {
                secret.expose_secret().parse::<SessionKey>().context("nothing was stored")?;
            }
            store(tools, &name, session.as_ref(), &secret)?;
        }
        (from_cli, _) => copy(tools, &name, if from_cli { Source::ColabCli } else { Source::Gcloud })?,
    }
    super::agent::reload(tools);
    printer.done(format!("stored the {}", words(&name)));
    printer.json(&json!({ "session": name.session, "kind": name.kind.to_string(), "stored": true }));
    Ok(())
}

/// Stores the secret for what the session is now, and lets go of what was given for anything else.
fn store(
    tools: &Tools,
    name: &SecretName,
    session: Option<&Session>,
    secret: &SecretString,
) -> anyhow::Result<()> {
    match (name.kind, session) {
        (SecretKind::Password, Some(session)) => {
            // The key that is settled: nobody has compared another one.
            if let Some(key) = Pins::load(&tools.dirs.pins_file())?.keys_of(&session.name).first() {
                kept_secrets::keep_password(tools, session, key, secret)?;
                kept_secrets::drop_stale(tools, session, key);
            } else {
                kept_secrets::keep_password_without_key(tools, session, secret)?;
                kept_secrets::drop_stale_without_key(tools, session);
            }
        }
        (SecretKind::RelayPassword, Some(session)) => {
            if !matches!(session.link, Link::Relay(_)) {
                bail!(
                    "{} is reached over {}, not through a relay; nothing was stored",
                    session.name,
                    session.link.kind()
                );
            }
            kept_secrets::keep_relay_password(tools, session, secret)?;
            kept_secrets::drop_stale_relay_passwords(tools, session);
        }
        (SecretKind::ServiceToken, Some(session)) => {
            let host = service_token_host(session, secret)?;
            kept_secrets::keep_service_token(&*tools.vault, &session.name, host, secret)?;
            write::note_service_token(tools, &session.name, true)?;
            kept_secrets::drop_stale_service_tokens(&*tools.vault, &session.name, host);
        }
        (SecretKind::GoogleRefreshToken, None) => Credentials::keep_text(&*tools.vault, secret)?,
        _ => tools.vault.set(name, secret)?,
    }
    Ok(())
}

/// Copies a sign-in of another program; that program keeps its own.
fn copy(tools: &Tools, name: &SecretName, from: Source) -> anyhow::Result<()> {
    if name.kind != SecretKind::GoogleRefreshToken {
        bail!(
            "only google-refresh-token is copied from there; say: moorline secret set google-refresh-token"
        );
    }
    match Credentials::of(&tools.dirs, from)? {
        Some(found) => Ok(found.keep(&*tools.vault)?),
        None => bail!(
            "there is no sign-in at {}; sign in with that program first",
            from.file(&tools.dirs).display()
        ),
    }
}

/// A session's secret, or an account's where the name is the kind's and no session has it.
fn name(tools: &Tools, args: &SecretArgs) -> anyhow::Result<SecretName> {
    let account = args.name.as_str().parse().ok().filter(|kind| !SecretKind::OF_SESSION.contains(kind));
    match (account, args.kind) {
        (Some(kind), None) if super::sessions(tools)?.get(&args.name).is_none() => {
            Ok(SecretName::account(kind))
        }
        (_, kind) => Ok(SecretName::of(args.name.clone(), kind.unwrap_or(SecretKind::Password))),
    }
}

fn words(name: &SecretName) -> String {
    match &name.session {
        Some(session) => format!("{} of {session}", name.kind),
        None => name.kind.to_string(),
    }
}

/// The host name that a service token is given for, and stays bound to.
fn service_token_host<'a>(session: &'a Session, secret: &SecretString) -> anyhow::Result<&'a HostName> {
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
    Ok(host)
}

fn ask(name: &SecretName, printer: &Printer) -> anyhow::Result<SecretString> {
    let what = format!("the {}", words(name));
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
