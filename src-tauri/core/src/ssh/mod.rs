//! Talking SSH: through the person's own `ssh`, and through an own client where a key or a login is at stake.
//!
//! - [`system_ssh`]: the person's `ssh` program: what it is started with, running one constant command on a relay.
//! - [`failure`]: why an `ssh` gave up, read from what it printed.
//! - [`verify`]: asking `ssh -G` whether an entry means what it should.
//! - [`route`]: the byte stream to a runtime's sshd: TCP, or a child process's standard streams.
//! - [`probe`]: the key exchange alone, to learn a host key; nobody logs in.
//! - [`login_key`] and [`login`]: this desktop's key, and putting it on a runtime with a pasted password.
//! - [`identity`] and [`watched_connection`]: the key that a session logs in with, and a connection that is kept and
//!   watched.
//! - `multiplexed`: a connection that carries others, each in a channel of its own.
//! - [`relay`] and [`relay_known_hosts`]: who holds a port on a relay, the key behind it, and the relay's own
//!   `known_hosts`.
//! - [`relay_identity`]: where a relay is and which key it shows, as the person's `ssh` has verified it.
//! - [`remote_tail`]: a command on a relay that goes on printing lines.
//!
//! Every wait is bounded by a time limit that the caller gives. The async functions need a tokio runtime with I/O
//! and time enabled; a current-thread one will do.

mod activity_stream;
pub mod askpass;
pub mod check_plain_ssh;
mod child;
mod client;
pub mod context;
pub mod ensure_login;
pub mod failure;
pub mod hub;
pub mod identity;
pub mod kept_secrets;
pub mod login;
pub mod login_key;
pub(crate) mod multiplexed;
pub mod obstacle;
pub mod practice;
pub mod probe;
mod probe_error;
pub mod proxy;
pub mod reach;
pub mod relay;
pub mod relay_identity;
pub mod relay_known_hosts;
pub mod relay_setup;
pub(crate) mod remote_file;
pub mod remote_tail;
pub mod route;
pub mod system_ssh;
pub mod verify;
pub mod watched_connection;

pub use client::PING_EVERY;
pub use failure::SshFailure;
pub use identity::{Identity, IdentityError};
pub use login::{Installed, LoginError, install_login_key, key_login_works};
pub use login_key::{LoginKey, LoginKeyError};
pub use probe_error::ProbeError;
pub use relay::ChannelError;
pub use relay_known_hosts::{RelayRepair, RelayRepairError};
pub use remote_file::RemoteFileError;
pub use route::{ProxyArgv, Route, RouteError, Wire};
pub use system_ssh::{ASKPASS_RELAY, ASKPASS_SESSION, Prompts, SshRunError, SystemSsh};
pub use verify::VerifyError;
pub use watched_connection::{Script, Standing, stand};
