//! What can happen to the agent.

use jiff::Timestamp;
use moorline_model::announcement::{Accepted, RuntimeId};
use moorline_model::channel_settings::ChannelSettings;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::editor::Editor;
use moorline_model::remembered::Remembered;
use moorline_model::session::{RemotePath, Session};
use moorline_model::settings::Settings;
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostKey};
use serde::{Deserialize, Serialize};

use super::notice::NoticeAction;
use crate::announce::channels::Lone;
use crate::announce::channels::listening::News;
use crate::store::told_json::Recalled;
use crate::watch::order::Sight;

/// A message to the agent.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A watcher saw something of a session.
    Saw(Alias, Sight),
    /// The sessions and pins as they are on disk now (at the start, and after somebody wrote them).
    Loaded(Vec<Loaded>),
    /// Some program wrote the sessions or pins.
    FilesChanged,
    /// The person's choices as they are on disk now.
    Configured(Settings),
    /// The sessions or pins on disk cannot be read; one sentence. What was known goes on.
    Unreadable(String),
    /// Editors that are installed.
    Found(Vec<Editor>),
    /// The files of a session were written, or could not be.
    Settled(Alias, Result<(), String>),
    /// Something came over a channel of a session.
    Announced(Alias, Box<News>),
    /// The account of a session has one place alone that could be its runtime.
    Alone(Alias, Lone),
    /// A session was to be led to where a runtime announced itself: its files were written, or could not be.
    Adopted(Alias, Result<(), String>),
    /// The files of a session could not be mended, because Moorline's own cannot be read just now; one sentence.
    Unmended(Alias, String),
    /// The login key was to be installed on a runtime.
    KeyInstalled(Alias, KeyInstall),
    /// The vault is open again, which was shut when a session's password was wanted.
    VaultOpened(Alias),
    /// What a person chose for a session could not be written down; one sentence.
    NotKept(Alias, String),
    /// An editor or the notebook of a session could not be opened; one sentence.
    NotOpened(Alias, String),
    /// Somebody asks for something: tray, window, CLI or a notification's button.
    Asked(Request),
    /// This computer slept, or its clock was set: whatever was timed before means nothing.
    Woke,
    /// This computer's network changed.
    NetworkChanged,
    /// A second has passed (sent while anything is timed).
    Tick,
}

/// A session with what is pinned for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The session.
    pub session: Session,
    /// Its pinned keys.
    pub pinned: Vec<(HostKey, Trust)>,
    /// What else is remembered of it.
    pub remembered: Remembered,
    /// What the person knows of it from before this agent started.
    pub recalled: Recalled,
    /// How its announcements come.
    pub channels: ChannelSettings,
    /// The last announcement that was accepted.
    pub accepted: Option<Accepted>,
    /// The last ones of runtimes that are not followed.
    pub heard: Vec<Accepted>,
    /// When the runtime was first seen here, where each runtime has a host key of its own that is learned at once: on
    /// Colab.
    pub first_seen: Option<Timestamp>,
}

impl Loaded {
    /// A session of which nothing else is remembered.
    pub fn new(session: Session, pinned: Vec<(HostKey, Trust)>) -> Self {
        let (remembered, recalled) = (Remembered::default(), Recalled::default());
        let channels = ChannelSettings::default();
        Self {
            session,
            pinned,
            remembered,
            recalled,
            channels,
            accepted: None,
            heard: Vec::new(),
            first_seen: None,
        }
    }
}

/// What became of installing the login key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyInstall {
    /// The runtime takes it now.
    Done,
    /// No password is kept for the session.
    NoPassword,
    /// The vault is locked, so that no password was sent; [`Msg::VaultOpened`] follows when it is open.
    VaultShut,
    /// No password was sent: the vault cannot be read just now, or the connection broke; one sentence.
    NotTried(String),
    /// It was tried and failed; one sentence.
    Failed(String),
}

/// What can be asked of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Open a session; `None` takes the editor and folder that were used last.
    Open {
        /// The session.
        name: Alias,
        /// The editor.
        #[serde(default)]
        editor: Option<Editor>,
        /// The folder.
        #[serde(default)]
        folder: Option<RemotePath>,
    },
    /// Dial now, and mend the files.
    Repair(Alias),
    /// Follow the runtime that announced itself beside the one that is online: exactly this one.
    TakeOver(Alias, RuntimeId),
    /// Follow another runtime of the person's Google account from now on.
    Follow {
        /// The session.
        name: Alias,
        /// The runtime.
        runtime: EndpointId,
    },
    /// Pin exactly this key, which a person compared.
    Approve(Alias, Fingerprint),
    /// Stop watching for now.
    Pause(Alias),
    /// Watch again.
    Resume(Alias),
    /// Do what a notification's button says.
    Pressed(NoticeAction),
    /// Read the sessions and pins again, and dial what is not online: a person just changed something.
    Reload,
    /// Show the window, on the compare view of a session if one is named.
    Show(Option<Alias>),
    /// No notifications for this many minutes; 0 ends it.
    Snooze(u16),
}
