//! `moorline-tray`: the tray, with the agent inside. On Linux nothing here links a toolkit.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

#[cfg(not(target_os = "linux"))]
#[path = "start/native.rs"]
mod start;
#[cfg(target_os = "linux")]
#[path = "start/linux.rs"]
mod start;

use std::process::ExitCode;

use clap::Parser as _;
use moorline_app::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    match start::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever started it from a terminal should see why it ended")]
fn complain(error: &str) {
    eprintln!("moorline-tray: {error}");
}
