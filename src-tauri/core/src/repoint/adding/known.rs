//! What is known on this computer when a conversation begins: its sessions and their remembered keys.

use std::collections::BTreeMap;

use moorline_model::session::{Link, RelayTarget, Session};
use moorline_ssh_files::Alias;

use crate::ssh::context::Tools;
use crate::store::config_toml::{SessionsFile, SessionsFileError};
use crate::store::pins_json::{Pins, PinsError, SessionPins};

/// The state that a conversation is held against. Plain data: the conversation itself reads no file.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The sessions.
    pub sessions: BTreeMap<Alias, Session>,
    /// What is remembered of each.
    pub pins: BTreeMap<Alias, SessionPins>,
}

/// Why it cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The sessions.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// The pins.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

impl Known {
    /// Reads it.
    ///
    /// # Errors
    /// One of the files cannot be read.
    pub fn load(tools: &Tools) -> Result<Self, KnownError> {
        let sessions = SessionsFile::load(&tools.dirs.sessions_file())?.sessions().clone();
        let pins = Pins::load(&tools.dirs.pins_file())?;
        let pins = sessions.keys().filter_map(|name| Some((name.clone(), pins.get(name)?.clone()))).collect();
        Ok(Self { sessions, pins })
    }

    /// The only session, if there is exactly one.
    pub(super) fn only(&self) -> Option<&Session> {
        let mut all = self.sessions.values();
        all.next().filter(|_| all.next().is_none())
    }

    /// The relays that sessions go through, each once.
    pub(super) fn relays(&self) -> Vec<RelayTarget> {
        let mut relays: Vec<RelayTarget> = Vec::new();
        for session in self.sessions.values() {
            if let Link::Relay(link) = &session.link
                && !relays.contains(&link.relay)
            {
                relays.push(link.relay.clone());
            }
        }
        relays
    }

    /// A name like this one that no session has.
    pub(super) fn free_name(&self, like: &Alias) -> Alias {
        let stem = like.as_str();
        let numbered = (2..=99).filter_map(|number| format!("{stem}-{number}").parse::<Alias>().ok());
        numbered.into_iter().find(|name| !self.sessions.contains_key(name)).unwrap_or_else(|| like.clone())
    }
}
