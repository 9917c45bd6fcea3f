//! The harness of Moorline's end-to-end tests: real OpenSSH servers and clients, a real keyring, private homes.
//!
//! Nothing here touches the home of whoever runs the tests. OpenSSH ignores `HOME` and asks the password
//! database where a user lives, so a [`Stage`] covers that very folder with a throw-away one, in a mount
//! namespace of its own. Only the edges of ngrok and Cloudflare are stand-ins (see [`tunnels`]).
//!
//! - [`Stage`]: the person's machine: home, programs, names, keyring, and the commands they type.
//! - [`Runtime`]: the machine that drifts: a real sshd that restarts with a new key, port and disk.
//! - [`cells`]: a person with a session made for a setup cell, and runtimes on which its agents are installed.
//! - [`notebook`]: a runtime with a real Jupyter kernel, in which cells run.
//! - [`Internet`]: a proxy with the hosts that a test puts behind it, certified for this stage only.
//! - [`google`]: Google's token server, Colab's sessions API and its runtimes' servers.
//! - [`edge`]: Cloudflare's and Colab's edges, each with a runtime's sshd behind it.
//! - [`Relay`]: a real sshd that other machines reach through `ssh -R`.
//! - [`Desktop`]: a private session bus with a real, unlocked gnome-keyring.
//! - [`Screen`]: a display with a window manager and a panel that shows trays.
//! - [`Tray`]: the tray program, and its menu as a tray host sees it.
//! - [`Page`]: the window's page, driven through WebDriver.
//! - [`Notifications`]: a server that remembers what it was sent.
//! - [`Announcer`]: what a setup cell does with its session key, in Python.
//! - [`Ntfy`]: a stand-in for an ntfy server.
//! - [`Story`]: a person with files of their own who follows a runtime under the name `colab`.
//! - [`Scene`]: a story whose runtimes announce themselves.
//! - [`Terminal`]: a person who sits at a terminal and types.
//! - [`clients`]: OpenSSH, paramiko and asyncssh, each strict about host keys.
//! - [`Watching`]: `moorline watch`, what it says, and its door.
//! - [`Weather`]: a network on which packets are late, get lost, or never arrive.
//! - [`shared`] and [`slot`]: an edge with one slot, and several connections over it.
//! - [`ngrok_api`]: ngrok's account API.
//! - [`faults`]: a command killed, or refused, at one chosen system call.
//! - [`sample`]: how much of what could be tried is tried.
//! - [`secrets`]: the search for secrets that were left behind.
//! - [`Recording`]: SSH servers that note every password they are offered.
#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a harness stops the test at once when it cannot set its stage, and its strings are short"
)]

pub mod agent_bench;
pub mod announcer;
mod built;
pub mod bus;
pub mod carry_bench;
pub mod cells;
pub mod clients;
pub mod desktop;
pub mod edge;
pub mod faults;
pub mod first_minute;
pub mod google;
pub mod hub_bench;
pub mod internet;
pub mod keys;
pub mod layout;
pub mod machine;
pub mod memory;
pub mod namespace;
pub mod ngrok_api;
pub mod notebook;
pub mod notifications;
pub mod ntfy;
pub mod outcome;
pub mod page;
pub mod person;
pub mod processes;
pub mod pty;
pub mod recording;
pub mod relay;
pub mod runtime;
pub mod sample;
pub mod scene;
pub mod screen;
pub mod secrets;
pub mod shared;
pub mod slot;
pub mod stage;
pub mod story;
pub mod tray;
pub mod tray_bench;
pub mod tree;
pub mod tunnels;
pub mod watching;
pub mod weather;
pub mod weigh;

pub use announcer::Announcer;
pub use desktop::Desktop;
pub use internet::Internet;
pub use notifications::Notifications;
pub use ntfy::Ntfy;
pub use outcome::Outcome;
pub use page::Page;
pub use pty::Terminal;
pub use recording::Recording;
pub use relay::Relay;
pub use runtime::Runtime;
pub use scene::Scene;
pub use screen::Screen;
pub use stage::Stage;
pub use story::Story;
pub use tray::Tray;
pub use watching::Watching;
pub use weather::Weather;
