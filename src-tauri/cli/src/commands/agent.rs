//! What the commands say to the agent, if one runs.

use moorline_core::agent::door::Caller;
use moorline_core::agent::msg::Request;
use moorline_core::agent::snapshot::Snapshot;
use moorline_core::agent::wire::{Answer, Call, Role};
use moorline_core::tools::Tools;

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
            Answer::Done | Answer::Comparison(_) => Ok(None),
        }
    })?;
    asked.or_else(|error: moorline_core::agent::door::CallError| {
        printer.note(error);
        Ok(None)
    })
}
