//! What the agent wants done. Effects are carried out behind narrow traits; each that has an outcome comes back as a
//! [`Msg`](super::message::Msg).

use moorline_model::announcement::{Accepted, Refusal};
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::editor::Editor;
use moorline_model::session::{Link, NotebookUrl, RemotePath, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, HostKey, UserName};

use super::notice::Notice;
use crate::editors::LaunchOptions;
use crate::store::told_json::Recalled;
use crate::watch::order::WatchOrder;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Watch a session, or go on watching it with these keys; a watcher that stands on one of them is left alone.
    Watch(WatchOrder),
    /// Stop watching.
    Unwatch(Alias),
    /// Dial now instead of when the backoff ends.
    Redial(Alias),
    /// Try a connection that stands at once; one that does not answer is replaced.
    Probe(Alias),
    /// Do this with the files, after what was to be done with them before.
    File(FileJob),
    /// Listen for announcements of a session from now on, with these settings and the key that the vault holds now.
    Listen(Session, ChannelSettings),
    /// Stop listening.
    Unlisten(Alias),
    /// Let whoever reads along know what became of an announcement.
    Heard(Alias, ChannelKind, Result<(), Refusal>),
    /// Show a notification.
    Notify(Notice),
    /// Take a notification away, by its slot.
    Unnotify(String),
    /// Start an editor.
    Open {
        /// The session.
        name: Alias,
        /// The editor.
        editor: Editor,
        /// The folder.
        folder: Option<RemotePath>,
        /// The person's choices.
        options: LaunchOptions,
    },
    /// Put this desktop's login key on the runtime, with the stored password, after it proved a pinned key; answered
    /// by `Msg::KeyInstalled`.
    InstallKey(Session),
    /// Open the session's notebook.
    OpenNotebook {
        /// The session.
        name: Alias,
        /// Where it is.
        url: NotebookUrl,
    },
    /// Show the window, on the compare view of a session if one is named.
    ShowWindow(Option<Alias>),
}

/// One piece of file work. All of it is done in order.
#[derive(Debug, Clone, PartialEq)]
pub enum FileJob {
    /// Write the session's files, with a newly settled key or only mending them; answered by `Msg::Settled`.
    Settle {
        /// The session.
        session: Session,
        /// The key to pin, and why.
        key: Option<(HostKey, Trust)>,
    },
    /// Write a session that leads elsewhere now, with the key to pin and why; refused if it is not `was` on disk any
    /// more. Answered by `Msg::Settled`.
    Move {
        /// The session as it was when this was decided.
        was: Session,
        /// The session as it is to be.
        session: Session,
        /// The key to pin, and why.
        key: (HostKey, Trust),
    },
    /// Lead a session to where its runtime announced itself; answered by `Msg::Adopted`.
    Adopt(Adoption),
    /// Read the sessions and pins from disk; answered by `Msg::Loaded`.
    Reload,
    /// Remember what was accepted, so that it is not accepted a second time after a restart.
    RememberAccepted(Alias, Accepted),
    /// Remember what was heard of runtimes that are not followed, so that it is not news after a restart.
    RememberHeard(Alias, Vec<Accepted>),
    /// Keep what the person knows of a session, over a restart of the app.
    RememberTold(Alias, Recalled),
    /// Remember what was used last.
    RememberUsed {
        /// The session.
        name: Alias,
        /// The editor.
        editor: Editor,
        /// The folder.
        folder: Option<RemotePath>,
    },
    /// Remember whether a session is paused.
    RememberPause(Alias, bool),
}

/// Where a session leads from now on, because its runtime said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The session.
    pub name: Alias,
    /// The way there.
    pub link: Link,
    /// The login.
    pub user: UserName,
    /// The keys to pin.
    pub keys: Vec<(HostKey, Trust)>,
    /// What to keep of the announcement.
    pub accepted: Accepted,
}
