//! Reading what a notebook cell, a tool or a person printed, and finding out where a runtime is.
//!
//! Small recognisers each look for one idea; [`read`] merges what they found into one [`Reading`] and says what is
//! doubtful. All of it is pure: no file, no network, no clock. Every value passed its validator; a text can name a
//! host, a port, a user, a password and keys, but never a command.

mod answer;
mod doubt;
mod finding;
mod in_turn;
mod merge;
mod notice;
mod places;
mod read_text;
mod reading;
mod recognisers;
mod redacted;
mod ssh_command;
mod text;

pub use answer::{CompareAnswer, compare_answer};
pub use doubt::{Candidate, Doubt};
pub use finding::{Confidence, Finding, FoundLink, What};
pub use in_turn::read_all;
pub use notice::{GoogleNotice, Notice, NoticeKind};
pub use read_text::read;
pub use reading::{LONGEST, Reading};
pub use redacted::{REDACTED, echo, redacted};
