//! What a person wishes for who has no runtime yet: a session with a cell that makes one reachable.

use std::path::PathBuf;

use moorline_model::channel_settings::ChannelKind;
use moorline_model::session::{Link, RelayLink, RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, HostName, Place, Port};
use serde::{Deserialize, Serialize};

use super::gather::Listen;
use super::plan::{CellPlan, MakeCellError};

/// A new session, how its runtime is to be reached, and how this computer is to hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CellWish {
    /// Its name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// How its runtime is to be reached.
    pub way: CellWay,
    /// How this computer hears of it.
    pub told_by: ToldBy,
}

/// How a cell makes its runtime reachable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum CellWay {
    /// A Cloudflare quick tunnel, which needs no account.
    QuickTunnel,
    /// A named Cloudflare tunnel of the person's own.
    NamedTunnel {
        /// Its host name.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        host: HostName,
    },
    /// An ngrok TCP endpoint.
    Ngrok,
    /// A port on a relay of the person's own.
    Relay {
        /// The relay, as the person's own ssh knows it.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        relay: RelayTarget,
        /// A free port of its loopback.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        port: Port,
    },
    /// A place where the runtime can be reached anyway.
    Direct {
        /// Its host.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        host: HostName,
        /// Its port.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        port: Port,
    },
}

/// How this computer hears where a runtime is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ToldBy {
    /// A topic on an ntfy server.
    Ntfy,
    /// A file on the relay, where the runtime goes through one.
    RelayFile,
    /// The person, who pastes the line that the cell prints.
    Paste,
    /// A folder that Drive, Syncthing or the like keeps in step.
    Folder {
        /// On this computer, absolute.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        folder: PathBuf,
        /// The same folder as the runtime sees it.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        runtime_folder: RemotePath,
    },
}

impl CellWish {
    /// What is to be done for it.
    ///
    /// # Errors
    /// The parts of the wish do not go together.
    pub fn plan(&self) -> Result<CellPlan, MakeCellError> {
        let link = self.way.link(&self.name)?;
        let listen = self.told_by.listen(&self.name, &link)?;
        Ok(CellPlan { name: self.name.clone(), link, user: None, listen })
    }
}

impl CellWay {
    /// The link of a session that goes this way and has had no runtime yet.
    ///
    /// # Errors
    /// The session's name cannot be part of a host name.
    pub fn link(&self, session: &Alias) -> Result<Link, MakeCellError> {
        // Until its first runtime has announced itself it is nowhere: a name that is never found (RFC 2606).
        let nowhere = || format!("{session}.invalid").parse::<HostName>();
        Ok(match self {
            Self::QuickTunnel => Link::Cloudflare(nowhere()?),
            Self::NamedTunnel { host } => Link::Cloudflare(host.clone()),
            Self::Ngrok => Link::Ngrok(Place { host: nowhere()?, port: Port::try_from(1)? }),
            Self::Relay { relay, port } => {
                Link::Relay(RelayLink { relay: relay.clone(), port: *port, mine_alone: false })
            }
            Self::Direct { host, port } => Link::Direct(Place { host: host.clone(), port: *port }),
        })
    }
}

impl ToldBy {
    fn listen(&self, session: &Alias, link: &Link) -> Result<Listen, MakeCellError> {
        let over = |kind| Listen { channels: Some(vec![kind]), ..Listen::default() };
        Ok(match self {
            Self::Ntfy => over(ChannelKind::Ntfy),
            Self::RelayFile if !matches!(link, Link::Relay(_)) => {
                return Err(MakeCellError::NoRelay(session.clone()));
            }
            Self::RelayFile => over(ChannelKind::Relay),
            Self::Paste => Listen { channels: Some(Vec::new()), ..Listen::default() },
            Self::Folder { folder, .. } if !folder.is_absolute() => {
                return Err(MakeCellError::NotAbsolute(folder.clone()));
            }
            Self::Folder { folder, runtime_folder } => Listen {
                folder: Some(folder.clone()),
                runtime_folder: Some(runtime_folder.clone()),
                ..over(ChannelKind::Folder)
            },
        })
    }
}
