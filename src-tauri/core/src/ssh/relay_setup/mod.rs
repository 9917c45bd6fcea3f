//! Preparing a person's relay for a session's runtime, over the person's own `ssh`, and undoing it.
//!
//! - [`key_line`]: the line in `authorized_keys` that lets the runtime in, and what an edit makes of the file; pure.
//! - [`receiver`]: the one command that the line allows: it takes one announcement and keeps it in a file.
//! - [`prepare`](mod@prepare): writing the line, taking it out again.
//! - [`of_session`]: both for a session, with a memory of what is to be undone.
//!
//! Where the relay is and which key it shows, for the runtime to hold it to, comes from [`relay_place`].

pub mod key_line;
pub mod of_session;
pub mod prepare;
pub mod receiver;

pub use crate::ssh::relay_identity::{RelayPlace, RelayPlaceError, relay_place};
pub use key_line::RuntimeKey;
pub use of_session::{PrepareSessionError, prepare_session, prepared_relays, retire_former, retire_session};
pub use prepare::{PrepareError, Prepared, Retired, prepare, retire};
