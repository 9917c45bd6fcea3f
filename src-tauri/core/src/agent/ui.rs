//! What the agent needs of whoever shows things to a person.

use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::notice::Notice;
use super::snapshot::Snapshot;

/// Notifications and the window. Called from the agent's loop: must return at once.
pub trait Faces: Send + 'static {
    /// Shows a notification; it replaces the one with the same slot.
    fn notify(&mut self, notice: Notice);
    /// Takes the notification of this slot away.
    fn unnotify(&mut self, slot: String);
    /// Shows the window, on the compare view of a session if one is named.
    fn show_window(&mut self, compare: Option<Alias>);
    /// Whether there is a window at all; who asks for it is told if there is none.
    fn has_window(&self) -> bool {
        true
    }
}

/// Nobody looks; the [events](super::event) tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headless;

impl Faces for Headless {
    fn notify(&mut self, _notice: Notice) {}
    fn unnotify(&mut self, _slot: String) {}
    fn show_window(&mut self, _compare: Option<Alias>) {}
    fn has_window(&self) -> bool {
        false
    }
}

/// What a face is to show, for faces that live in another task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToShow {
    /// Everything that is shown, as of now.
    Snapshot(Snapshot),
    /// Show this notification.
    Notify(Notice),
    /// Take the notification of this slot away.
    Unnotify(String),
    /// Show the window, on the compare view of a session if one is named.
    ShowWindow(Option<Alias>),
}

/// A face that has gone is told nothing.
impl Faces for mpsc::UnboundedSender<ToShow> {
    fn notify(&mut self, notice: Notice) {
        let _ = self.send(ToShow::Notify(notice));
    }

    fn unnotify(&mut self, slot: String) {
        let _ = self.send(ToShow::Unnotify(slot));
    }

    fn show_window(&mut self, compare: Option<Alias>) {
        let _ = self.send(ToShow::ShowWindow(compare));
    }
}
