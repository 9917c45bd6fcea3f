//! `config.toml`: the sessions, in a file that a person may edit too.
//!
//! ```toml
//! version = 1
//!
//! [session.colab]
//! link = "ngrok"            # direct, ngrok, cloudflare, relay or colab
//! host = "0.tcp.eu.ngrok.io"
//! port = 15873
//! user = "root"             # root when it is not said
//! folder = "/content"       # may be left out
//! identity_file = "~/.ssh/id_work"  # likewise: a key of the person's own
//! channels = ["ntfy", "folder"]    # likewise: how announcements come; ntfy, relay, ngrok, folder
//! ntfy_server = "https://ntfy.sh"  # likewise
//! announce_folder = "/home/me/Drive/moorline"  # for the channel folder
//! notebook = "https://colab.research.google.com/drive/…"  # likewise: what Open notebook opens
//!
//! [session.trainer]
//! link = "relay"
//! relay = "me@home.example:2222"
//! port = 7423
//! relay_is_mine_alone = true
//! user = "root"
//!
//! [session.gpu]
//! link = "colab"            # Google's own SSH
//! runtime = "gpu-t4-s-…"    # which of the account's runtimes
//!
//! [session.trainer.cell]    # what the setup cell does besides; may be left out: see [`moorline_model::cell_options::CellOptions`]
//! git = "https://github.com/me/project.git"
//!
//! [settings]                # all of it may be left out
//! lifetime_hours = 12       # how long a runtime may live
//! disk_percent = 90         # a fuller disk is warned of
//! idle_minutes = 15         # a Colab runtime that does nothing for so long is warned of; 0 for never
//! units_hours = 2           # compute units for less than this are warned of; 0 for never
//! silent = ["back"]         # notifications not to show: dropped, back, needed, lifetime, disk, idle, units
//! terminal_in_tmux = true   # Terminal attaches to `tmux new -A -s main` on the runtime
//! ```
//!
//! Moorline itself adds `last_editor`, `last_folder` and `paused` to a session.
//!
//! Comments, order and keys that this version does not know survive every change; odd spacing inside the brackets
//! of a table may not.

mod cell;
mod channels;
mod edit;
mod error;
mod fault;
mod read;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moorline_model::channel_settings::ChannelSettings;
use moorline_model::next_step::NextStep;
use moorline_model::session::{RemotePath, Session};
use moorline_model::settings::Settings;
use moorline_ssh_files::Alias;
use toml_edit::DocumentMut;

pub use error::SessionsFileError;
pub use moorline_model::remembered::Remembered;

use crate::store::dirs::Dirs;
use crate::store::{read_file, write_file};

const BOM: char = '\u{feff}';

/// The sessions file in memory. Whoever saves holds the [state lock](crate::store::state_lock::StateLock) from before
/// the load.
#[derive(Debug)]
pub struct SessionsFile {
    path: PathBuf,
    /// What stood on disk; `None` when there was no file.
    loaded: Option<String>,
    /// How the document reads when nothing was changed.
    unchanged: String,
    doc: DocumentMut,
    sessions: BTreeMap<Alias, Session>,
    remembered: BTreeMap<Alias, Remembered>,
    channels: BTreeMap<Alias, ChannelSettings>,
    settings: Settings,
}

/// In place of the names of all sessions.
const NONE_YET: &str = "none yet";

/// There is no session of this name.
#[derive(Debug, thiserror::Error)]
#[error("there is no session {name}; your sessions: {known}")]
pub struct UnknownSession {
    name: Alias,
    known: String,
}

impl UnknownSession {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        (self.known == NONE_YET).then(|| NextStep::Add { session: Some(self.name.clone()) })
    }
}

impl SessionsFile {
    /// Reads the file; one that is missing has no sessions.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, is newer, or one session in it is wrong: then none is used, since a
    /// half-read file that is saved would look as if the person had removed the rest.
    pub fn load(path: &Path) -> Result<Self, SessionsFileError> {
        let loaded = read_text(path)?;
        let text = plain(loaded.as_deref().unwrap_or_default());
        let read::Parsed { doc, sessions, remembered, channels, settings } = read::parse(path, &text)?;
        let (path, unchanged) = (path.to_owned(), doc.to_string());
        Ok(Self { path, loaded, unchanged, doc, sessions, remembered, channels, settings })
    }

    /// The sessions by name.
    pub fn sessions(&self) -> &BTreeMap<Alias, Session> {
        &self.sessions
    }

    /// One session.
    pub fn get(&self, name: &Alias) -> Option<&Session> {
        self.sessions.get(name)
    }

    /// One session that a person named.
    ///
    /// # Errors
    /// There is none of this name; the sentence lists those that there are.
    pub fn named(&self, name: &Alias) -> Result<&Session, UnknownSession> {
        self.get(name).ok_or_else(|| UnknownSession { name: name.clone(), known: self.names() })
    }

    /// The names of all sessions, for a person to choose from.
    pub fn names(&self) -> String {
        let all: Vec<_> = self.sessions.keys().map(ToString::to_string).collect();
        if all.is_empty() { NONE_YET.to_owned() } else { all.join(", ") }
    }

    /// What is remembered of a session besides the way to it.
    pub fn remembered(&self, name: &Alias) -> Remembered {
        self.remembered.get(name).cloned().unwrap_or_default()
    }

    /// How a session's announcements come.
    pub fn channels(&self, name: &Alias) -> ChannelSettings {
        self.channels.get(name).cloned().unwrap_or_default()
    }

    /// What the person set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Adds the session, or changes the one of its name. Keys that do not belong to a [`Session`] stay.
    pub fn upsert(&mut self, session: Session) {
        edit::upsert(&mut self.doc, &session);
        self.sessions.insert(session.name.clone(), session);
    }

    /// Remembers this of a session; `false` when there is none of this name.
    pub fn remember(&mut self, name: &Alias, remembered: Remembered) -> bool {
        let known = self.sessions.contains_key(name);
        if known {
            edit::remember(&mut self.doc, name, &remembered);
            self.remembered.insert(name.clone(), remembered);
        }
        known
    }

    /// Sets how a session's announcements come; `false` when there is none of this name.
    pub fn set_channels(&mut self, name: &Alias, settings: ChannelSettings) -> bool {
        let known = self.sessions.contains_key(name);
        if known {
            channels::write(&mut self.doc, name, &settings);
            self.channels.insert(name.clone(), settings);
        }
        known
    }

    /// Sets where the runtime finds the folder of the folder channel; `false` when there is no session of this name.
    pub fn set_cell_folder(&mut self, name: &Alias, folder: RemotePath) -> bool {
        let known = self.sessions.contains_key(name);
        if known {
            cell::write_folder(&mut self.doc, name, &folder);
            self.remembered.entry(name.clone()).or_default().cell.folder = Some(folder);
        }
        known
    }

    /// Removes a session with everything in its table; `false` when there is none of this name.
    pub fn remove(&mut self, name: &Alias) -> bool {
        edit::remove(&mut self.doc, name);
        self.remembered.remove(name);
        self.channels.remove(name);
        self.sessions.remove(name).is_some()
    }

    /// Writes the file, 0600, in a directory for the person alone; `false` when nothing had changed, and then
    /// nothing is written.
    ///
    /// # Errors
    /// The file cannot be written, or another program changed it since [`SessionsFile::load`]; or what it would hold
    /// could not be read again, which would take every session from the person for a mistake in one.
    pub fn save(&mut self) -> Result<bool, SessionsFileError> {
        let written = self.doc.to_string();
        if written == self.unchanged {
            return Ok(false);
        }
        if read_text(&self.path)? != self.loaded {
            return Err(SessionsFileError::Changed { path: self.path.clone() });
        }
        if let Some(dir) = self.path.parent() {
            Dirs::create_private(dir)?;
        }
        read::parse(&self.path, &written)?;
        let text = like(self.loaded.as_deref().unwrap_or_default(), &written);
        write_file::replace(&self.path, text.as_bytes())
            .map_err(|source| SessionsFileError::Write { path: self.path.clone(), source })?;
        self.loaded = Some(text);
        self.unchanged = written;
        Ok(true)
    }
}

fn read_text(path: &Path) -> Result<Option<String>, SessionsFileError> {
    let bytes = match read_file::read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(source) => return Err(SessionsFileError::Read { path: path.to_owned(), source }),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|b| *b == b'\n').count();
            let what = "the text is not UTF-8".to_owned();
            Err(SessionsFileError::Bad { path: path.to_owned(), line, what })
        }
    }
}

/// The text without what an editor on Windows adds and the TOML writer would drop.
fn plain(text: &str) -> String {
    text.strip_prefix(BOM).unwrap_or(text).replace("\r\n", "\n")
}

/// Gives `new` the byte order mark and line ends that `old` has.
fn like(old: &str, new: &str) -> String {
    let ends = if old.contains("\r\n") { new.replace('\n', "\r\n") } else { new.to_owned() };
    if old.starts_with(BOM) { format!("{BOM}{ends}") } else { ends }
}

#[cfg(test)]
mod tests;
