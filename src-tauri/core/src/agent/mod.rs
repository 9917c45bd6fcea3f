//! The agent: one owner of all state. Everything else sends it messages; what it decides to do comes out as effects.
//!
//! ```text
//! tray, window, CLI, watchers --Msg--> update(&mut State, Msg, now) -> Vec<Effect> --> run effects --Msg-->
//!                                            |
//!                                            +--> Snapshot --> tray menu, window, `moorline status`
//! ```
//!
//! [`update`](rules::update) is pure and synchronous: no I/O, no clock, no randomness. The product's rules about
//! when a drop is told, when files are written and when somebody is asked live there and nowhere else.
//!
//! [`run`] is the loop around it, [`executor`] carries effects out, `file_jobs` does the file work in order, and
//! [`socket`] is what the command line and the window talk to it through. `course` holds every way from one `phase`
//! of a session to another.

pub mod adding_host;
mod course;
pub mod effect;
pub mod event;
pub mod executor;
mod file_jobs;
mod followed;
pub mod menu;
pub mod message;
mod moments;
pub mod notice;
mod notices;
mod phase;
mod returning;
pub mod rules;
pub mod run;
pub mod snapshot;
pub mod socket;
pub mod state;
pub mod ui;
pub mod wording;
