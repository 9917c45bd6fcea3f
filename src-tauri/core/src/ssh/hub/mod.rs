//! Several editors over one slot: a process of its own that holds the one connection a link allows, and gives each
//! `moorline-proxy` its own way to the runtime's sshd.
//!
//! ```text
//! ssh, ssh, editor --stdio--> moorline-proxy --local socket--> hub ==one SSH connection==> runtime's sshd
//!                                                               (each way: a channel to that very sshd)
//! ```
//!
//! The connection inside each way is the client's own: it checks the runtime's host key itself, and the hub sees
//! nothing of it but cipher text. The hub forwards to the sshd that serves it and nowhere else. One home has one hub a
//! session: whoever holds its lock. It starts with the first proxy, outlives it, and ends when nobody needs it.

mod channel;
mod colab;
mod connections;
mod copy_bytes;
mod held;
mod join;
mod pump;
mod serve;
mod start;
mod upstream;
mod wire;

pub use join::{JoinError, Joined, end, join, process};
pub use serve::{Hub, HubError, Limits};
