//! What a person is told on the desktop.

use moorline_model::announcement::RuntimeId;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

/// A notification. It replaces the one before it with the same `slot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which notification it replaces: the session's name, or `all` for several with one cause.
    pub slot: String,
    /// Its kind.
    pub kind: NoticeKind,
    /// The sessions it speaks of.
    pub sessions: Vec<Alias>,
    /// The headline.
    pub title: String,
    /// One or two sentences: cause first, one next step.
    pub body: String,
    /// Buttons, main action first; a click on the notification itself does the main action.
    pub actions: Vec<NoticeAction>,
}

impl Notice {
    /// A notification with nothing to press yet, which speaks of no session.
    pub fn new(
        kind: NoticeKind,
        slot: &(impl ToString + ?Sized),
        title: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        let (slot, title, body) = (slot.to_string(), title.into(), body.into());
        Self { slot, kind, sessions: Vec::new(), title, body, actions: Vec::new() }
    }

    /// The same about these sessions.
    #[must_use]
    pub fn about<'a>(self, sessions: impl IntoIterator<Item = &'a Alias>) -> Self {
        Self { sessions: sessions.into_iter().cloned().collect(), ..self }
    }

    /// The same with one more button.
    #[must_use]
    pub fn offering(mut self, action: NoticeAction) -> Self {
        self.actions.push(action);
        self
    }
}

/// A button. None of them approves a key: that is done where both fingerprints are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeAction {
    /// Open the session in the editor that was used last.
    OpenEditor(Alias),
    /// Open the session's notebook in the browser.
    OpenNotebook(Alias),
    /// Show both keys.
    Compare(Alias),
    /// Reach and mend now.
    Repair(Alias),
    /// Follow this runtime instead of the one that is online.
    TakeOver(Alias, RuntimeId),
    /// Follow this runtime of the account from now on.
    Follow(Alias, EndpointId),
    /// Show the window.
    ShowWindow,
}
