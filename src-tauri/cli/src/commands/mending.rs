//! Mending a session where it is: its key is looked at and compared, its ssh files are put right, and the login is tried.

use std::process::ExitCode;

use moorline_core::repoint::change::Change;
use moorline_core::repoint::write;
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::relay_known_hosts::{RelayRepair, repair_relay_known_hosts};
use moorline_model::clock;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Evidence;
use moorline_ssh_files::HostKey;
use serde_json::json;

use super::adding::Adding;
use super::reaching::{LIMIT, patient, reach};
use super::{key_question, login};
use crate::ask::Terminal;
use crate::report;

/// Reaches, compares, settles, logs in.
///
/// # Errors
/// The runtime cannot be reached, its key is not accepted, or the files cannot be edited.
pub async fn mend(adding: &Adding<'_>, session: &Session, on_relay: bool) -> anyhow::Result<ExitCode> {
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
        mend_on_relay(adding, &reached.ssh, session, &answer.key).await?;
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

async fn mend_on_relay(
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
