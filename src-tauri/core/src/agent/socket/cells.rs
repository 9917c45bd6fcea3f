//! The calls of somebody who has no runtime yet: a look at what is here, a session with a cell, and the cell itself.
//!
//! They wait for the keyring, a relay or Google, so their caller waits with them: a face makes them in a conversation
//! of their own.

use std::sync::Arc;

use moorline_ssh_files::Alias;
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::agent::message::{Msg, Request};
use crate::agent::run::AgentHandle;
use crate::agent::socket::protocol::Answer;
use crate::announce::cell::{self, CellCopy, CellWish, MakeCellError};
use crate::repoint::adding::clipboard::Clipboard;
use crate::repoint::first_look::first_look;
use crate::ssh::context::Tools;

/// Makes a session with a cell, and has the agent follow it.
pub(super) async fn make(agent: &AgentHandle, wish: CellWish) -> Result<Answer, String> {
    let tools = Arc::clone(agent.adding()?.tools());
    let made = off_the_loop(move |runtime| runtime.block_on(cell::make(&tools, &wish))).await;
    // Also where it broke off at the relay: the session is there.
    agent.send(Msg::Asked(Request::Reload)).await.map_err(|ended| ended.to_string())?;
    made.map(Answer::CellMade)
}

/// Puts a cell or its secret into the clipboard. The caller is not told it.
pub(super) async fn copy(agent: &AgentHandle, session: Alias, what: CellCopy) -> Result<Answer, String> {
    let host = agent.adding()?;
    put(host.tools(), &**host.clipboard(), session, what).await?;
    Ok(Answer::Done)
}

/// What is here already.
pub(super) async fn look(agent: &AgentHandle) -> Result<Answer, String> {
    Ok(Answer::FirstLook(first_look(agent.adding()?.tools()).await))
}

async fn put(
    tools: &Arc<Tools>,
    clipboard: &dyn Clipboard,
    session: Alias,
    what: CellCopy,
) -> Result<(), String> {
    let tools = Arc::clone(tools);
    match what {
        CellCopy::Cell => {
            let text = off_the_loop(move |runtime| runtime.block_on(cell::cell_text(&tools, &session)));
            clipboard.put(text.await?);
        }
        CellCopy::Secret => {
            let secret: SecretString = off_the_loop(move |_| cell::notebook_secret(&tools, &session)).await?;
            clipboard.put_secret(secret);
        }
    }
    Ok(())
}

/// Runs what blocks as the keyring does. Some keyrings run an executor of their own.
async fn off_the_loop<T: Send + 'static>(
    run: impl FnOnce(Handle) -> Result<T, MakeCellError> + Send + 'static,
) -> Result<T, String> {
    let runtime = Handle::current();
    let done = spawn_blocking(move || run(runtime)).await;
    done.map_err(|_| "it broke off; try again".to_owned())?.map_err(|error| error.to_string())
}
