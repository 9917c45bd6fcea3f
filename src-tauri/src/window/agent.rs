//! The window's way to the agent: its door, in the window's role.

use std::future::Future;
use std::time::Duration;

use moorline_core::agent::message::Request;
use moorline_core::agent::snapshot::Comparison;
use moorline_core::agent::snapshot::Snapshot;
use moorline_core::agent::socket::protocol::{Answer, Call, Role, Said};
use moorline_core::agent::socket::{CallError, Caller};
use moorline_core::announce::cell::{CellMade, CellWish};
use moorline_core::repoint::adding::view::AddingView;
use moorline_core::repoint::first_look::FirstLook;
use moorline_core::store::dirs::Dirs;
use moorline_ssh_files::Alias;

/// How often an agent that is gone is looked for.
const AGAIN: Duration = Duration::from_secs(1);

const GONE: &str = "Moorline has ended; start it again";
const OTHER: &str = "Moorline answers something else; start it again";

/// The agent of a home.
#[derive(Debug, Clone)]
pub struct Agent {
    dirs: Dirs,
}

impl Agent {
    /// The agent of this home, whether it runs or not.
    pub fn new(dirs: Dirs) -> Self {
        Self { dirs }
    }

    /// Hands on everything that is to be shown, and `None` whenever no agent answers. Never ends.
    pub async fn follow(&self, heard: impl Fn(Option<Snapshot>)) {
        loop {
            if let Err(error) = self.follow_one(&heard).await {
                tracing::warn!(%error, "the agent cannot be followed");
            }
            heard(None);
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn follow_one(&self, heard: &impl Fn(Option<Snapshot>)) -> Result<(), CallError> {
        let Some(mut agent) = Caller::connect(&self.dirs, Role::Window).await? else { return Ok(()) };
        if let Answer::Snapshot(now) = agent.call(Call::Follow).await? {
            heard(Some(now));
        }
        while let Some(said) = agent.next().await? {
            if let Said::Snapshot { snapshot } = said {
                heard(Some(snapshot));
            }
        }
        Ok(())
    }

    /// The keys of a session.
    ///
    /// # Errors
    /// There is no such session, or no agent; in one sentence.
    pub async fn compare(&self, session: Alias) -> Result<Comparison, String> {
        match self.call(Call::Compare { session }).await? {
            Answer::Comparison(keys) => Ok(keys),
            _ => Err(OTHER.to_owned()),
        }
    }

    /// A conversation about a new session, after this call.
    ///
    /// # Errors
    /// It cannot be done, there is no such conversation, or no agent; in one sentence.
    pub async fn adding(&self, call: Call) -> Result<AddingView, String> {
        match self.call(call).await? {
            // The page sees for itself that another question is asked by now.
            Answer::Adding(view) | Answer::Stale(view) => Ok(*view),
            _ => Err(OTHER.to_owned()),
        }
    }

    /// What is here already that could become a session.
    ///
    /// # Errors
    /// There is no agent; in one sentence.
    pub async fn first_look(&self) -> Result<FirstLook, String> {
        match self.call(Call::FirstLook).await? {
            Answer::FirstLook(found) => Ok(found),
            _ => Err(OTHER.to_owned()),
        }
    }

    /// Makes a session with a cell.
    ///
    /// # Errors
    /// It cannot be made, or there is no agent; in one sentence.
    pub async fn make_cell(&self, wish: CellWish) -> Result<CellMade, String> {
        match self.call(Call::MakeCell { wish }).await? {
            Answer::CellMade(made) => Ok(made),
            _ => Err(OTHER.to_owned()),
        }
    }

    /// Makes a call that is only done.
    ///
    /// # Errors
    /// It cannot be, or there is no agent; in one sentence.
    pub async fn done(&self, call: Call) -> Result<(), String> {
        self.call(call).await.map(drop)
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// It cannot be, or there is no agent; in one sentence.
    pub fn ask(&self, request: Request) -> impl Future<Output = Result<(), String>> {
        self.done(Call::Ask { request })
    }

    async fn call(&self, call: Call) -> Result<Answer, String> {
        let agent = Caller::connect(&self.dirs, Role::Window).await.map_err(|error| error.to_string())?;
        let Some(mut agent) = agent else { return Err(GONE.to_owned()) };
        agent.call(call).await.map_err(|error| error.to_string())
    }
}
