//! `moorline-window`: one webview in a process of its own, which ends when the window is closed. The tray feeds it
//! through standard input; it never sees a secret.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod agent;
mod page;

use std::process::ExitCode;
use std::sync::Arc;

use agent::{Agent, TrayPipe};
use moorline_core::dirs::Dirs;
use page::Page;

fn main() -> ExitCode {
    if let Ok(dirs) = Dirs::from_env() {
        // Without a log the window still serves.
        let _ = moorline_app::log::start(&dirs, "window");
    }
    let agent: Arc<dyn Agent> = Arc::new(TrayPipe);
    match page::run(Page::default(), &agent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the window cannot be shown");
            ExitCode::FAILURE
        }
    }
}
