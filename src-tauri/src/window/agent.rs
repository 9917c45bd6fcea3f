//! The window's way to the agent.

use std::io::BufRead as _;

use moorline_app::wire::ToWindow;

/// Where the window's words come from.
pub trait Agent: Send + Sync {
    /// Hands on everything that is said, until the agent is gone. Blocks.
    fn listen(&self, heard: &mut dyn FnMut(ToWindow));
}

/// The tray, which writes a JSON object a line to our standard input.
#[derive(Debug)]
pub struct TrayPipe;

impl Agent for TrayPipe {
    fn listen(&self, heard: &mut dyn FnMut(ToWindow)) {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(said) => heard(said),
                Err(error) => tracing::error!(%error, "the tray said something unknown"),
            }
        }
    }
}
