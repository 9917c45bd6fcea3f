//! `moorline repair`: what people do with `ssh-keygen -R`, safely.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use moorline_core::repoint::adding::{TypedSecret, Wish};
use moorline_core::repoint::change::Change;
use moorline_core::repoint::write;
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::relay_known_hosts::{RelayRepair, repair_relay_known_hosts};
use moorline_core::ssh::relay_setup::Prepared;
use moorline_model::clock;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Evidence;
use moorline_ssh_files::HostKey;
use serde_json::json;

use super::add::{Adding, Given};
use super::reaching::{patient, reach};
use super::{announced, key_question, login, rival};
use crate::args::RepairArgs;
use crate::ask::Terminal;
use crate::printer::Printer;
use crate::{report, text_in};

/// How long a runtime may take to answer.
pub const LIMIT: Duration = Duration::from_secs(15);

/// Runs the command.
pub fn run(args: &RepairArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = Arc::new(super::tools()?);
    let session = super::session(&tools, args.name.as_ref())?;
    if args.relay_known_hosts && !matches!(session.link, Link::Relay(_)) {
        bail!("{} does not go through a relay; leave --relay-known-hosts out", session.name);
    }
    if args.prepare_relay {
        let prepared = super::relay::prepare(&tools, &session, printer)?;
        printer.json(&json!({ "session": session.name, "relay_prepared": true, "changed": prepared != Prepared::Unchanged }));
        return Ok(ExitCode::SUCCESS);
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
        if let Some(from) = &args.from {
            let text = text_in::read(Some(from), printer)?;
            let wish = Wish {
                name: Some(session.name.clone()),
                fingerprint: args.trust.fingerprint,
                first_use: args.trust.trust_first_use,
                dry_run: args.dry_run,
                ..Wish::default()
            };
            return adding.run(Given::Text(TypedSecret::from(text.as_str())), wish).await;
        }
        let heard = announced::heard(&tools, &session).await?;
        if args.take_over {
            // No agent knows of anything; what the channels hold is what the person means.
            return match heard {
                Some(announced) => announced::settle(&announced, &adding, &Wish::default(), printer).await,
                None => bail!("{} announces itself nowhere else; look at `moorline status`", session.name),
            };
        }
        if let Some(announced) = heard
            && !rival::keeps(&tools, &session, &announced, printer).await?
        {
            if args.dry_run {
                return announced::settle(&announced, &adding, &Wish::default(), printer).await;
            }
            announced::settle(&announced, &adding, &Wish::default(), &printer.for_steps()).await?;
            let session = super::session(&tools, Some(&session.name))?;
            return repair(&adding, &session, args.relay_known_hosts).await;
        }
        repair(&adding, &session, args.relay_known_hosts).await
    })?;
    if !args.dry_run {
        super::agent::reload(&tools);
    }
    outcome
}

/// Reaches, compares, settles, logs in.
///
/// # Errors
/// The runtime cannot be reached, its key is not accepted, or the files cannot be edited.
pub async fn repair(adding: &Adding<'_>, session: &Session, on_relay: bool) -> anyhow::Result<ExitCode> {
    let Adding { tools, printer, .. } = *adding;
    let named =
        Evidence { fingerprints: adding.trust.fingerprint.into_iter().collect(), ..Evidence::default() };
    let expected = key_question::expected(tools, session, &named, false)?;
    let mut terminal = Terminal::open(printer.is_json());
    let reached = match reach(tools, session, &expected, LIMIT, terminal.as_ref(), printer).await {
        Ok(reached) => reached,
        Err(error) => {
            if !adding.dry_run {
                let healed = write::heal(tools, session, clock::now()).await?;
                report::print(&healed, printer);
            }
            let what = format!("{} cannot be reached, so its key was not checked", session.name);
            return Err(anyhow::Error::new(error).context(what));
        }
    };
    let answer = key_question::settle_key(adding, session, &expected, &reached, &mut terminal).await?;
    let change = Change {
        was: Some(session.clone()),
        keys: vec![(answer.key.clone(), answer.trust)],
        ..Change::of(session.clone(), clock::now())
    };
    if adding.dry_run {
        let preview = write::preview(tools, &change).await?;
        report::print_preview(&preview, printer);
        if on_relay && let Link::Relay(link) = &session.link {
            printer.note(format!(
                "known_hosts on {} would be mended, too; --dry-run does not look at it",
                link.relay
            ));
        }
        printer.json(&json!({ "dry_run": true, "files": report::to_json(&preview) }));
        return Ok(ExitCode::SUCCESS);
    }
    let written = write::settle(tools, &change).await?;
    report::print(&written, printer);
    if adding.diffs {
        report::print_diffs(&written, printer);
    }
    if !written.known_hosts.changed() && !written.config.changed() {
        printer.done("the ssh files were in order; nothing was written");
    }
    if on_relay {
        repair_on_relay(adding, &reached.ssh, session, &answer.key).await?;
    }
    let login = login::ensure(tools, &reached.ssh, session, None, printer).await?;
    let ssh_works = login::ssh_agrees(&reached.ssh, session, login, printer).await;
    if login.works() && ssh_works != Some(false) {
        printer.heading(format!("Ready: ssh {}", session.name));
    }
    printer.json(&json!({
        "session": session.name,
        "host_key": { "fingerprint": answer.key.fingerprint(), "trust": answer.trust },
        "login": login.word(),
        "ssh_works": ssh_works,
        "files": report::to_json(&written),
    }));
    Ok(ExitCode::SUCCESS)
}

async fn repair_on_relay(
    adding: &Adding<'_>,
    ssh: &SystemSsh,
    session: &Session,
    key: &HostKey,
) -> anyhow::Result<()> {
    let Link::Relay(link) = &session.link else { return Ok(()) };
    let relay = &link.relay;
    let repaired = repair_relay_known_hosts(ssh, relay, link.port, key, patient(LIMIT, ssh)).await?;
    adding.printer.done(match repaired {
        RelayRepair::Unchanged => format!("known_hosts on {relay} was in order"),
        RelayRepair::Written { .. } => {
            format!("mended known_hosts on {relay}; the old one is kept beside it")
        }
    });
    Ok(())
}
