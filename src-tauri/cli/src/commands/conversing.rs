//! The other end of a conversation about a session: the agent's, or one of this program's own where no agent runs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use moorline_core::agent::socket::Caller;
use moorline_core::agent::socket::protocol::{Answer, Call, Role};
use moorline_core::repoint::adding::Wish;
use moorline_core::repoint::adding::clipboard::NoClipboard;
use moorline_core::repoint::adding::surroundings::{EXPIRES, Surroundings};
use moorline_core::repoint::adding::talk::Talk;
use moorline_core::repoint::adding::view::{AddingView, ConversationId, Heard, Say};
use moorline_core::ssh::context::Tools;
use tokio::sync::mpsc;

/// How long one look at a conversation of our own waits for a change.
const WAIT: Duration = Duration::from_secs(3);

/// Who leads the conversation.
pub enum Partner {
    /// The agent, which is told and looked at through its socket.
    Agent(Box<Caller>),
    /// This program.
    Own(Box<Talk>),
}

impl Partner {
    /// Begins a conversation with the agent if one runs, else with ourselves. `ssh_may_ask` lets ssh ask on this terminal
    /// where a relay wants a login; an agent has no terminal.
    ///
    /// # Errors
    /// There is an agent, and it does not let us in.
    pub async fn begin(
        tools: &Arc<Tools>,
        wish: Wish,
        ssh_may_ask: bool,
    ) -> anyhow::Result<(Self, AddingView)> {
        if let Some(mut agent) = Caller::connect(&tools.dirs, Role::Cli).await? {
            let view = adding(agent.call(Call::Add { wish }).await?)?;
            return Ok((Self::Agent(Box::new(agent)), view));
        }
        let (written, _) = mpsc::unbounded_channel();
        let around = Surroundings {
            tools: Arc::clone(tools),
            clipboard: Arc::new(NoClipboard),
            ssh_may_ask,
            expires: EXPIRES,
            written,
        };
        let talk = Talk::begin(around, wish);
        let view = talk.now();
        Ok((Self::Own(Box::new(talk)), view))
    }

    /// Says something to what is asked in this view. Where something else is asked by now, that comes back.
    ///
    /// # Errors
    /// It cannot be done; one sentence.
    pub async fn say(&mut self, view: &AddingView, say: Say) -> anyhow::Result<AddingView> {
        match self {
            Self::Agent(agent) => {
                let (conversation, question) = (view.id.clone(), view.question);
                adding(agent.call(Call::AddSay { conversation, question, say }).await?)
            }
            Self::Own(talk) => {
                talk.say(view.question, say).await.map(Heard::view).map_err(anyhow::Error::msg)
            }
        }
    }

    /// How it is once that is another than this, or after a while all the same.
    ///
    /// # Errors
    /// The agent has ended.
    pub async fn next(&mut self, view: &AddingView) -> anyhow::Result<AddingView> {
        let (conversation, revision) = (view.id.clone(), view.revision);
        match self {
            Self::Agent(agent) => adding(agent.call(Call::AddWait { conversation, revision }).await?),
            Self::Own(talk) => Ok(talk.next(revision, WAIT).await),
        }
    }

    /// Ends it: what was pasted is thrown away.
    pub async fn end(mut self, conversation: ConversationId) {
        if let Self::Agent(agent) = &mut self {
            // An agent that does not answer throws it away within the hour.
            let _ = agent.call(Call::AddEnd { conversation }).await;
        }
    }
}

fn adding(answer: Answer) -> anyhow::Result<AddingView> {
    match answer {
        Answer::Adding(view) | Answer::Stale(view) => Ok(*view),
        _ => bail!("the agent answers something else; end it and start it again"),
    }
}
