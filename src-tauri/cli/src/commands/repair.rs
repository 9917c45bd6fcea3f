//! `moorline repair`: what people do with `ssh-keygen -R`, safely.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use moorline_core::repoint::adding::{TypedSecret, Wish};
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::relay_setup::Prepared;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::Alias;
use serde_json::json;

use super::adding::Adding;
use super::leading::Given;
use super::mending::mend;
use super::{announced, rival};
use crate::printer::Printer;
use crate::text_in;
use crate::trust_args::TrustArgs;

/// `moorline repair`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct RepairArgs {
    /// Which session. Default: the only one.
    pub name: Option<Alias>,
    /// Text that the restarted cell printed, to re-point the session with; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Also mend the relay's own known_hosts, for people who hop on from there.
    #[arg(long, conflicts_with = "from")]
    pub relay_known_hosts: bool,
    /// Let the session's runtimes in on its relay, for its port and its announcements, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run"])]
    pub prepare_relay: bool,
    /// Show the ngrok agents that former runtimes left behind, ask for each whether to stop it, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run", "prepare_relay"])]
    pub stop_agents: bool,
    /// Follow the other runtime that announced itself while this one is online, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run", "prepare_relay", "stop_agents"])]
    pub take_over: bool,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Answer yes to the questions about names and endpoints; never to one about a host key.
    #[arg(long, short)]
    pub yes: bool,
}

/// Runs the command.
pub fn run(args: &RepairArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = Arc::new(super::tools()?);
    let session = super::session(&tools, args.name.as_ref())?;
    if args.relay_known_hosts && !matches!(session.link, Link::Relay(_)) {
        bail!("{} does not go through a relay; leave --relay-known-hosts out", session.name);
    }
    if args.prepare_relay {
        return prepare_relay(&tools, &session, printer);
    }
    if args.stop_agents {
        return super::ngrok::stop_agents(&tools, &session, args.yes, printer);
    }
    if args.take_over && super::agent::take_over(&tools, &session.name)? {
        printer.done(format!("{} goes on where it announces itself", session.name));
        printer.json(&json!({ "session": session.name, "taken_over": true }));
        return Ok(ExitCode::SUCCESS);
    }
    let adding = Adding {
        tools: &tools,
        printer,
        yes: args.yes,
        dry_run: args.dry_run,
        diffs: false,
        trust: &args.trust,
        named: true,
    };
    let outcome = super::block_on(async {
        match &args.from {
            Some(from) => re_point(&adding, &session, from).await,
            None if args.take_over => take_over(&adding, &session).await,
            None => follow_and_mend(&adding, &session, args.relay_known_hosts).await,
        }
    })?;
    if !args.dry_run {
        super::agent::reload(&tools);
    }
    outcome
}

fn prepare_relay(tools: &Tools, session: &Session, printer: &Printer) -> anyhow::Result<ExitCode> {
    let prepared = super::relay::prepare(tools, session, printer)?;
    let changed = prepared != Prepared::Unchanged;
    printer.json(&json!({ "session": session.name, "relay_prepared": true, "changed": changed }));
    Ok(ExitCode::SUCCESS)
}

/// Leads the session to where the pasted text says.
async fn re_point(adding: &Adding<'_>, session: &Session, from: &Path) -> anyhow::Result<ExitCode> {
    let text = text_in::read(Some(from), adding.printer)?;
    let wish = Wish {
        name: Some(session.name.clone()),
        fingerprint: adding.trust.fingerprint,
        first_use: adding.trust.trust_first_use,
        dry_run: adding.dry_run,
        ..Wish::default()
    };
    adding.run(Given::Text(TypedSecret::from(text.as_str())), wish).await
}

/// Leads the session to where its channels say: no agent knows of anything, so what they hold is what the person means.
async fn take_over(adding: &Adding<'_>, session: &Session) -> anyhow::Result<ExitCode> {
    match announced::heard(adding.tools, session).await? {
        Some(announced) => announced::settle(&announced, adding, &Wish::default(), adding.printer).await,
        None => bail!("{} announces itself nowhere else; look at `moorline status`", session.name),
    }
}

/// Leads the session to where its channels say unless it answers where it is, and mends it there.
async fn follow_and_mend(adding: &Adding<'_>, session: &Session, on_relay: bool) -> anyhow::Result<ExitCode> {
    let Adding { tools, printer, .. } = *adding;
    let Some(announced) = announced::heard(tools, session).await? else {
        return mend(adding, session, on_relay).await;
    };
    if rival::keeps(tools, session, &announced, printer).await? {
        return mend(adding, session, on_relay).await;
    }
    if adding.dry_run {
        return announced::settle(&announced, adding, &Wish::default(), printer).await;
    }
    announced::settle(&announced, adding, &Wish::default(), &printer.for_steps()).await?;
    let session = super::session(tools, Some(&session.name))?;
    mend(adding, &session, on_relay).await
}
