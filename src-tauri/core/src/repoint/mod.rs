//! Pointing a session's alias at a runtime: the conversation in which one is added, the plan, and the files written.

pub mod adding;
pub mod change;
pub mod first_look;
pub mod name_taken;
pub mod plan;
pub mod session_key;
pub mod unchecked_entries;
pub mod write;
