//! Why ssh's bytes could not be carried.

use std::io;

use moorline_model::next_step::NextStep;
use moorline_model::session::Link;
use moorline_ssh_files::Alias;

use crate::net::error::CarryError;
use crate::ssh::hub::JoinError;
use crate::ssh::reach::ReachError;
use crate::store::config_toml::{SessionsFileError, UnknownSession};
use crate::store::dirs::DirsError;

/// Why ssh's bytes could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// This home's places.
    #[error(transparent)]
    Dirs(#[from] DirsError),
    /// The sessions cannot be read.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownSession),
    /// ssh goes there without a program of ours.
    #[error("{name} needs no proxy: ssh reaches {link} itself")]
    NotNeeded {
        /// The session.
        name: Alias,
        /// Its link.
        link: Link,
    },
    /// What the way there needs cannot be had.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The way there.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// The runtime cannot be dialled.
    #[error("{0}; run the cell again, or look at how your sessions are")]
    Dial(CarryError),
    /// The session's hub.
    #[error(transparent)]
    Hub(#[from] JoinError),
    /// Another program that was to do it did not start.
    #[error("cannot run {program}: {cause}; a repair puts Moorline's own programs back")]
    Program {
        /// Its path.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// The standard streams, or the connection in the middle of things.
    #[error("the connection broke: {0}; try again")]
    Streams(#[from] io::Error),
}

impl ProxyError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Unknown(error) => error.next_step(),
            Self::Reach(error) => error.next_step(),
            Self::Carry(error) => error.next_step(),
            Self::Dial(_) => Some(NextStep::LookAtStatus),
            Self::Hub(error) => error.next_step(),
            Self::Program { .. } => Some(NextStep::Repair { session: None }),
            Self::Dirs(_) | Self::Sessions(_) | Self::NotNeeded { .. } | Self::Streams(_) => None,
        }
    }
}
