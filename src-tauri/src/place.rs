//! One tray per home: whoever holds the agent's door is it. A second start asks the holder for its window, and ends.

use std::time::Duration;

use moorline_core::agent::message::Request;
use moorline_core::agent::socket::protocol::Role;
use moorline_core::agent::socket::{Caller, Door};
use moorline_core::store::dirs::Dirs;
use moorline_core::store::local_socket::DoorError;
use moorline_ssh_files::Alias;
use tokio::time::{Instant, sleep};

/// How long a holder may take to answer: it may be starting, or ending.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked.
const AGAIN: Duration = Duration::from_millis(50);

/// Takes the place of the tray; `None` when another has it and was asked to show its window, on the keys of a session
/// if one is named. Needs a running tokio reactor.
///
/// # Errors
/// The holder has no window, or does not answer; or the place cannot be used.
pub async fn take(dirs: &Dirs, compare: Option<&Alias>) -> anyhow::Result<Option<Door>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let held = match Door::open(dirs) {
            Ok(door) => return Ok(Some(door)),
            Err(held @ DoorError::AlreadyRunning { .. }) => held,
            Err(error) => return Err(error.into()),
        };
        if let Some(mut agent) = Caller::connect(dirs, Role::Window).await? {
            agent.ask(Request::Show(compare.cloned())).await?;
            return Ok(None);
        }
        if Instant::now() > until {
            return Err(held.into());
        }
        sleep(AGAIN).await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use moorline_core::agent::executor::start_agent;
    use moorline_core::agent::socket::Limits;
    use moorline_core::agent::ui::{Headless, ToShow};
    use moorline_core::repoint::adding::clipboard::NoClipboard;
    use moorline_core::ssh::SystemSsh;
    use moorline_core::ssh::context::Tools;
    use moorline_core::store::vault::MemoryVault;
    use std::sync::Arc;
    use tokio::sync::mpsc;

    use super::*;

    fn tools(dirs: &Dirs, ssh: SystemSsh) -> Arc<Tools> {
        Arc::new(Tools { vault: Box::new(MemoryVault::default()), ssh, dirs: dirs.clone(), askpass: None })
    }

    #[tokio::test]
    async fn a_second_start_asks_the_first_for_its_window() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let dirs = Dirs::under(home.path());
        let door = take(&dirs, None).await.unwrap().expect("nobody else is there");
        let (face, mut told) = mpsc::unbounded_channel();
        let (agent, _ended) = start_agent(
            tools(&dirs, SystemSsh::find(Some(&dirs.home)).unwrap()),
            face,
            Arc::new(NoClipboard),
        );
        let serving = tokio::spawn(door.serve(agent.clone(), Limits::default()));
        let trainer: Alias = "trainer".parse().unwrap();
        assert!(take(&dirs, Some(&trainer)).await.unwrap().is_none(), "there is one tray");
        assert_eq!(told.recv().await, Some(ToShow::ShowWindow(Some(trainer))));
        agent.stop().await;
        serving.await.unwrap();
        assert!(take(&dirs, None).await.unwrap().is_some(), "the place is free again");
    }

    #[tokio::test]
    async fn an_agent_without_a_window_says_so() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let dirs = Dirs::under(home.path());
        let door = take(&dirs, None).await.unwrap().expect("nobody else is there");
        let (agent, _ended) = start_agent(
            tools(&dirs, SystemSsh::find(Some(&dirs.home)).unwrap()),
            Headless,
            Arc::new(NoClipboard),
        );
        tokio::spawn(door.serve(agent.clone(), Limits::default()));
        let error = take(&dirs, None).await.unwrap_err().to_string();
        assert!(error.contains("a terminal watches") && error.contains("Ctrl-C"), "{error}");
        agent.stop().await;
    }
}
