//! Preparing a session's relay for its runtimes, and undoing that.

use std::time::Duration;

use moorline_core::ssh::context::Tools;
use moorline_core::ssh::reach::relay_ssh;
use moorline_core::ssh::relay_setup::prepare::by_hand;
use moorline_core::ssh::relay_setup::{
    PrepareError, PrepareSessionError, Prepared, Retired, prepare_session, retire_former as former,
    retire_session,
};
use moorline_core::ssh::{Prompts, RemoteFileError, SshFailure, SshRunError, SystemSsh};
use moorline_core::store::session_keys;
use moorline_model::session::{Link, RelayTarget, Session};
use moorline_model::session_key::SessionKey;

use super::reaching::patient;
use crate::advice::with_command;
use crate::ask::Terminal;
use crate::printer::Printer;

const LIMIT: Duration = Duration::from_secs(30);

/// What is undone while a person waits for something else.
const UNDO_LIMIT: Duration = Duration::from_secs(15);

/// Lets the session's runtimes in on its relay, with the session's key, which is made if there is none.
///
/// # Errors
/// The session has no relay, or the relay cannot be reached or changed.
pub fn prepare(tools: &Tools, session: &Session, printer: &Printer) -> anyhow::Result<Prepared> {
    let key = session_keys::create(&tools.dirs, &*tools.vault, &session.name)?;
    prepare_with(tools, session, &key, printer)
}

/// As [`prepare`], with this key; an older one's line goes in the same step.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(
    tools: &Tools,
    session: &Session,
    key: &SessionKey,
    printer: &Printer,
) -> anyhow::Result<Prepared> {
    let Link::Relay(link) = &session.link else {
        return Err(PrepareSessionError::NoRelay(session.name.clone()).into());
    };
    let (relay, name) = (&link.relay, &session.name);
    let ssh = relay_ssh(tools, session);
    let attempt = |ssh: SystemSsh| {
        super::block_on(async move { prepare_session(tools, &ssh, session, key, patient(LIMIT, &ssh)).await })
    };
    let waiting = printer.waiting(format!("preparing {relay}"));
    let mut prepared = attempt(ssh.clone())?;
    drop(waiting);
    if prepared.as_ref().is_err_and(wants_login) && Terminal::open(printer.is_json()).is_some() {
        printer.note(format!("{relay} wants a login, so ssh asks you"));
        prepared = attempt(SystemSsh { prompts: Prompts::Terminal, ..ssh })?;
    }
    let prepared = prepared?;
    printer.done(match prepared {
        Prepared::Unchanged => format!("{relay} was prepared for {name}"),
        Prepared::Added | Prepared::Replaced => format!(
            "{relay} lets {name}'s runtimes in, to listen on 127.0.0.1:{} and to announce themselves",
            link.port
        ),
    });
    if prepared != Prepared::Unchanged {
        printer.note(format!(
            "no key line can forbid Unix sockets: `AllowStreamLocalForwarding no` in {relay}'s sshd_config keeps runtimes from making any"
        ));
    }
    Ok(prepared)
}

/// Undoes what was prepared for a session; a relay that cannot be reached is told, with what to do by hand. Gives the
/// number of relays that are clear again.
///
/// # Errors
/// What was prepared is not known.
pub fn retire(tools: &Tools, session: &Session, printer: &Printer) -> anyhow::Result<usize> {
    let waiting = printer.waiting("clearing the relay");
    let outcomes = super::block_on(retire_session(tools, session, UNDO_LIMIT))??;
    drop(waiting);
    Ok(told(session, outcomes, printer))
}

/// Undoes what was prepared on relays that the session went through once; one that cannot be reached is told.
///
/// # Errors
/// What was prepared is not known, or cannot be remembered.
pub fn retire_former(tools: &Tools, session: &Session, printer: &Printer) -> anyhow::Result<()> {
    let outcomes = super::block_on(former(tools, session, UNDO_LIMIT))??;
    told(session, outcomes, printer);
    Ok(())
}

/// How many are clear again.
fn told(
    session: &Session,
    outcomes: Vec<(RelayTarget, Result<Retired, PrepareError>)>,
    printer: &Printer,
) -> usize {
    let mut clear = 0;
    for (relay, outcome) in outcomes {
        match outcome {
            Ok(Retired::Removed) => {
                printer.done(format!("{relay} lets {}'s runtimes in no more", session.name));
            }
            Ok(Retired::Unchanged) => {}
            Err(error) => {
                printer.note(format!(
                    "{relay} still lets {}'s runtimes in: {}; {}",
                    session.name,
                    with_command(&error, error.next_step().map(|step| step.of(&session.name))),
                    by_hand(&relay, &session.name)
                ));
                continue;
            }
        }
        clear += 1;
    }
    clear
}

fn wants_login(error: &PrepareSessionError) -> bool {
    let PrepareSessionError::Relay(error) = error else { return false };
    let (PrepareError::Ssh(run) | PrepareError::File(RemoteFileError::Ssh(run))) = error else {
        return false;
    };
    matches!(run, SshRunError::Ssh { failure: SshFailure::PermissionDenied, .. })
}
