//! From a session to its cell.

use super::text::{Cell, CellChannels, CellLink, RelayWay};
use moorline_model::cell_options::CellOptions;
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::next_step::NextStep;
use moorline_model::session::{Link, RemotePath, Session};
use moorline_model::session_key;
use moorline_ssh_files::{Alias, HostKey, IdentityFile};
use std::path::PathBuf;
use std::time::Duration;

use crate::repoint::change::SettleError;
use crate::ssh::context::Tools;
use crate::ssh::{LoginKey, LoginKeyError};
use crate::store::config_toml::SessionsFile;
use crate::store::read_file;
use crate::store::session_keys::{self, SessionKeyError};
use crate::store::state_lock::StateLock;

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A host name under this can never be found (RFC 2606): where a session stands before its first runtime.
const NOWHERE: &str = ".invalid";

/// A quick tunnel's name lives as long as its cloudflared; any other belongs to a named tunnel.
const QUICK: &str = ".trycloudflare.com";

/// Why there is no cell.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// Google's own SSH is there without a cell.
    #[error(
        "{0} is reached over Google's own SSH, which needs no cell; `ssh {0}` works while its notebook runs"
    )]
    NotNeeded(Alias),
    /// The session key.
    #[error(transparent)]
    Key(#[from] SessionKeyError),
    /// This desktop's login key.
    #[error(transparent)]
    Login(#[from] LoginKeyError),
    /// The public half of the person's own key.
    #[error("{} is needed, because the cell lets that key in: {why}; make it with `ssh-keygen -y -f KEY > KEY.pub`", path.display())]
    NoPublicHalf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// What a person says of a session's channels, on top of what is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listen {
    /// Over which channels announcements come, none of them for pasting alone; `None` for those that are set.
    pub channels: Option<Vec<ChannelKind>>,
    /// The folder of the folder channel on this computer, absolute.
    pub folder: Option<PathBuf>,
    /// The same folder as the runtime sees it.
    pub runtime_folder: Option<RemotePath>,
}

/// Why a session's channels stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The folder channel without its folders.
    #[error(
        "the folder channel of {0} needs two places: the folder on this computer that Drive, Syncthing or the like keeps in step, and the same folder as the runtime sees it; name both"
    )]
    NoFolder(Alias),
    /// The sessions file.
    #[error(transparent)]
    File(#[from] SettleError),
}

impl CellError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Key(error) = self { error.next_step() } else { None }
    }
}

impl ListenError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NoFolder(session) => Some(NextStep::NameFolders { session: session.clone() }),
            Self::File(error) => error.next_step(),
        }
    }
}

impl Listen {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is set then: the channels, and where the runtime finds the folder.
    ///
    /// # Errors
    /// The folder channel would lack a folder.
    pub fn on(
        &self,
        session: &Alias,
        was: ChannelSettings,
        options: &CellOptions,
    ) -> Result<(ChannelSettings, Option<RemotePath>), ListenError> {
        let mut channels = self.channels.clone().unwrap_or(was.channels);
        let folders_said = self.folder.is_some() || self.runtime_folder.is_some();
        if folders_said && !channels.contains(&ChannelKind::Folder) {
            channels.push(ChannelKind::Folder);
        }
        let set = ChannelSettings { channels, folder: self.folder.clone().or(was.folder), ..was };
        let runtime_folder = self.runtime_folder.clone().or_else(|| options.folder.clone());
        let half = set.channels.contains(&ChannelKind::Folder) && runtime_folder.is_none();
        if half || set.lacks_folder() {
            return Err(ListenError::NoFolder(session.clone()));
        }
        Ok((set, runtime_folder))
    }
}

/// Sets how a session's announcements come, for its cell and for this desktop.
///
/// # Errors
/// The folder channel would lack a folder, or the sessions file cannot be read or written.
pub fn listen_to(tools: &Tools, session: &Alias, said: &Listen) -> Result<ChannelSettings, ListenError> {
    let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT).map_err(SettleError::from)?;
    let mut file = SessionsFile::load(&tools.dirs.sessions_file()).map_err(SettleError::from)?;
    let (settings, folder) = said.on(session, file.channels(session), &file.remembered(session).cell)?;
    file.set_channels(session, settings.clone());
    if let Some(folder) = folder {
        file.set_cell_folder(session, folder);
    }
    file.save().map_err(SettleError::from)?;
    Ok(settings)
}

impl CellChannels {
    /// What a cell announces over, of what the desktop listens to. What ngrok's metadata hold is the tunnel's affair.
    pub fn of(settings: &ChannelSettings, options: &CellOptions) -> Self {
        let wanted = |kind| settings.channels.contains(&kind);
        Self {
            ntfy: wanted(ChannelKind::Ntfy).then(|| settings.ntfy_server.clone()),
            relay: wanted(ChannelKind::Relay),
            folder: options.folder.clone().filter(|_| wanted(ChannelKind::Folder)),
        }
    }
}

/// The cell of a session. Makes the session key and this desktop's login key where there is none yet. Blocks for as
/// long as the keyring does.
///
/// # Errors
/// A key that is needed cannot be read or made.
pub fn cell_of(
    tools: &Tools,
    session: &Session,
    options: CellOptions,
    channels: CellChannels,
    relay: Option<RelayWay>,
) -> Result<Cell, CellError> {
    let link = CellLink::of(&session.link).ok_or_else(|| CellError::NotNeeded(session.name.clone()))?;
    let key = session_keys::create(&tools.dirs, &*tools.vault, &session.name)?;
    Ok(Cell {
        session: session.name.clone(),
        secret: session_key::secret_name(&session.name),
        key_id: key.id(),
        login_keys: vec![login_key(tools, session)?],
        link,
        relay,
        channels,
        folder: session.folder.clone(),
        options,
    })
}

impl CellLink {
    /// What opens the way that a session has; `None` where Google opens it.
    pub fn of(link: &Link) -> Option<Self> {
        Some(match link {
            Link::Direct(place) => Self::Direct(place.clone()),
            Link::Ngrok(_) => Self::Ngrok,
            Link::Cloudflare(host) => {
                let passing = [QUICK, NOWHERE].iter().any(|end| host.as_str().ends_with(end));
                Self::Cloudflare((!passing).then(|| host.clone()))
            }
            Link::Relay(link) => Self::Relay(link.port),
            Link::Colab(_) => return None,
        })
    }
}

fn login_key(tools: &Tools, session: &Session) -> Result<HostKey, CellError> {
    let Some(own) = &session.identity_file else {
        let key = LoginKey::ensure(&tools.dirs.login_key())?;
        let path = key.path().to_owned();
        return key
            .public_line()
            .parse()
            .map_err(|error| CellError::NoPublicHalf { path, why: format!("{error}") });
    };
    let path = public_half(tools, own);
    let refuse = |why: String| CellError::NoPublicHalf { path: path.clone(), why };
    let text = read_file::read_text(&path).map_err(|error| refuse(error.to_string()))?;
    let text = text.ok_or_else(|| refuse("there is no such file".to_owned()))?;
    text.trim_end().parse().map_err(|error| refuse(format!("{error}")))
}

fn public_half(tools: &Tools, file: &IdentityFile) -> PathBuf {
    let mut path = match file.as_str().strip_prefix("~/") {
        Some(tail) => tools.dirs.home.join(tail),
        None => PathBuf::from(file.as_str()),
    }
    .into_os_string();
    path.push(".pub");
    path.into()
}
