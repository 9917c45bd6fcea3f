//! The agent's door: a local socket in a directory of the person's own. Whoever holds it is the agent.
//!
//! With it goes a lock, which the system frees when its holder ends, however it ends. Only who has the lock removes a
//! socket that a crash left behind, so a running agent's is never taken away. The lock lies with the state, one for
//! all logins of a home, whatever their runtime directories.

mod call;
mod cells;
mod door;
mod line;
mod no_call;
pub mod protocol;
mod serve;
#[cfg(test)]
mod tests;

pub use call::{CallError, Caller};
pub use door::{Door, LINE};
pub use serve::Limits;
