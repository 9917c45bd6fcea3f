//! `moorline doctor`: looks at all that a session needs on this machine and says what to do about what is wrong.
//!
//! [`gather`] does the looking, with bounded commands and read-only file access (but for one temporary file in our own
//! state directory, whose time is compared with the clock). [`examine`] judges what was found; it is pure.

mod agent;
mod channels;
mod check;
mod config;
mod editors;
mod entries;
mod gather;
mod known_hosts;
mod machine;
mod modes;
mod programs;
mod surroundings;
mod unchecked_entries;

pub use check::{Check, Next, Verdict};
pub use gather::{Sources, gather};
pub use surroundings::{
    AgentFacts, ClockFacts, EditorConfigFile, FileFacts, ProxyProgram, SshFiles, Surroundings,
};

/// Judges what was found, in the order in which a connection needs it.
pub fn examine(found: &Surroundings) -> Vec<Check> {
    let mut checks = vec![programs::ssh(found), machine::keyring(found)];
    checks.extend(modes::all(found));
    checks.push(config::text(found));
    if found.config_refused.is_none() {
        // What cannot be read cannot be judged line by line either.
        checks.extend([config::order(found), config::leaks(found), entries::entries(found)]);
    }
    checks.extend([unchecked_entries::entries(found), known_hosts::text(found), entries::strays(found)]);
    checks.extend(programs::proxy(found));
    checks.extend(programs::google(found));
    checks.extend(channels::folders(found));
    checks.extend([agent::agent(found), machine::clock(found), editors::programs(found)]);
    checks.extend(editors::config_files(found));
    checks.extend(machine::wsl(found));
    checks
}

#[cfg(test)]
mod tests;
