//! What the commands say to the agent, if one runs.

use anyhow::bail;
use moorline_core::agent::message::Request;
use moorline_core::agent::snapshot::Snapshot;
use moorline_core::agent::socket::protocol::{Answer, Call, Role};
use moorline_core::agent::socket::{CallError, Caller};
use moorline_core::ssh::context::Tools;
use moorline_ssh_files::Alias;

use crate::printer::Printer;

/// Lets the agent know that the sessions were changed. It looks at the files now and then, so that one which does not
/// listen learns of it all the same.
pub fn reload(tools: &Tools) {
    let told = super::block_on(async {
        if let Some(mut agent) = Caller::connect(&tools.dirs, Role::Cli).await? {
            agent.ask(Request::Reload).await?;
        }
        Ok::<(), anyhow::Error>(())
    });
    // Nothing to add: see above.
    drop(told);
}

/// How the agent sees everything; `None` when none runs.
pub fn snapshot(tools: &Tools, printer: &Printer) -> anyhow::Result<Option<Snapshot>> {
    let asked = super::block_on(async {
        let Some(mut agent) = Caller::connect(&tools.dirs, Role::Cli).await? else { return Ok(None) };
        match agent.call(Call::Snapshot).await? {
            Answer::Snapshot(snapshot) => Ok(Some(snapshot)),
            _ => Ok(None),
        }
    })?;
    asked.or_else(|error: CallError| {
        printer.note(error);
        Ok(None)
    })
}

/// Has the agent follow what announced itself beside the way of this session that is online.
///
/// `false` when no agent runs.
///
/// # Errors
/// No such runtime is known to it.
pub fn take_over(tools: &Tools, name: &Alias) -> anyhow::Result<bool> {
    super::block_on(async {
        let Some(mut agent) = Caller::connect(&tools.dirs, Role::Cli).await? else { return Ok(false) };
        let Answer::Snapshot(snapshot) = agent.call(Call::Snapshot).await? else {
            bail!("the agent does not tell how the sessions are; end it and start it again");
        };
        let seen = snapshot.sessions.into_iter().find(|seen| seen.name == *name);
        let Some(rival) = seen.and_then(|seen| seen.rival) else {
            bail!("{name} announces itself nowhere else; look at `moorline status`");
        };
        agent.ask(Request::TakeOver(name.clone(), rival)).await?;
        Ok(true)
    })?
}
