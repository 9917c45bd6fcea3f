//! The window: a child process that the tray starts on demand, tells what to show, and forgets when it is closed. All
//! else it asks of the agent, at its door.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};

use crate::wire::View;

/// How long the window may take to read a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// The window, open or not.
#[derive(Debug, Default)]
pub struct WindowChild {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    child: Child,
    lines: ChildStdin,
}

impl WindowChild {
    /// Shows the window with this view: the open one comes to the front, else one is started.
    ///
    /// # Errors
    /// The program is missing or does not start.
    pub async fn show(&mut self, view: &View, activation: Option<&str>) -> anyhow::Result<()> {
        if self.say(view).await {
            return Ok(());
        }
        let program = program()?;
        let mut command = Command::new(&program);
        // Without the tray it would show what was. After a crash it ends by itself, with its input.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        if let Some(token) = activation {
            command.env("XDG_ACTIVATION_TOKEN", token).env("DESKTOP_STARTUP_ID", token);
        }
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let lines = child.stdin.take().context("the window has no input")?;
        tracing::info!(id = child.id(), "window opened");
        self.open = Some(Open { child, lines });
        self.say(view).await;
        Ok(())
    }

    /// Closes the window.
    pub async fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            let _ = open.child.kill().await;
        }
    }

    /// Waits until the window is closed; for ever when none is open.
    pub async fn closed(&mut self) {
        let Some(open) = &mut self.open else { return std::future::pending().await };
        let ended = open.child.wait().await;
        tracing::info!(?ended, "window closed");
        self.open = None;
    }

    /// Whether an open window took the line.
    async fn say(&mut self, view: &View) -> bool {
        let Some(open) = &mut self.open else { return false };
        let Ok(mut line) = serde_json::to_vec(view) else { return false };
        line.push(b'\n');
        // A window that hangs must not hold up the tray.
        let written = tokio::time::timeout(PATIENCE, open.lines.write_all(&line)).await;
        let taken = matches!(written, Ok(Ok(()))) && matches!(open.child.try_wait(), Ok(None));
        if !taken {
            self.open = None;
        }
        taken
    }
}

/// `moorline-window`, which lies beside this program.
///
/// # Errors
/// It does not.
pub fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let name = if cfg!(windows) { "moorline-window.exe" } else { "moorline-window" };
    let program = own.with_file_name(name);
    anyhow::ensure!(program.is_file(), "{} is missing: install Moorline again", program.display());
    Ok(program)
}
