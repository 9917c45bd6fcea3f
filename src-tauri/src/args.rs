//! The tray's command line.

use clap::Parser;
use moorline_ssh_files::Alias;

/// Moorline's tray: it watches your sessions, repairs ssh's files and says so.
#[derive(Debug, Parser)]
#[command(name = "moorline-tray", version, about)]
pub struct Args {
    /// Show the window. A second start does so, too
    #[arg(long)]
    pub window: bool,
    /// Show the window on the keys of this session
    #[arg(long, value_name = "NAME")]
    pub compare: Option<Alias>,
    /// End after this many seconds
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "SECS")]
    pub quit_after: Option<u64>,
    /// Take what the agent would say from standard input, one JSON object a line, and print what is asked of it
    #[cfg(debug_assertions)]
    #[arg(long)]
    pub feed: bool,
}
