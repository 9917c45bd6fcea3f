//! Adding a runtime, or leading a session to its next one, as a conversation.
//!
//! [`Conversation`] is pure: it is told what was pasted, answered and found out, and says what comes next. Whoever runs
//! it finds the facts and carries the outcome out: [`talk`] does, for the agent and for a command line without one.
//! Everything that can be asked, needed, refused and told stands in [`matters`].
//!
//! ```text
//! text --paste::read--> Reading --step--> Ask(Question) | Find(Need) | Refuse(Reason) | Done(Decided)
//!                          ^                 |               |
//!                          +---- Answer -----+---- Fact -----+
//! ```

pub mod announced;
mod carry_out;
pub mod clipboard;
mod conversation;
mod draft;
mod find;
mod known;
pub mod lines;
pub mod matters;
mod showing;
mod step;
pub mod surroundings;
pub mod talk;
mod task;
mod typed_secret;
pub mod view;
mod wish;

pub use conversation::Conversation;
pub use known::{Known, KnownError};
pub use step::{Decided, Step};
pub use typed_secret::TypedSecret;
pub use wish::Wish;
