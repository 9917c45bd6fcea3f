//! `moorline-window`: one webview in a process of its own, which ends when the window is closed. It asks the agent at its
//! door, and never sees a secret; the tray tells it through standard input which view to show.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod adding;
mod agent;
mod commands;
mod making;
mod opened;
mod page;

use std::process::ExitCode;

use moorline_core::store::dirs::Dirs;

use agent::Agent;

fn main() -> ExitCode {
    match open() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the window cannot be shown");
            ExitCode::FAILURE
        }
    }
}

fn open() -> anyhow::Result<()> {
    let dirs = Dirs::from_env()?;
    // Without a log the window still serves.
    let _ = moorline_app::log::start(&dirs, "window");
    Ok(opened::run(Agent::new(dirs))?)
}
