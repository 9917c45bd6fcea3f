//! Notifications: what one looks like as plain data, and one renderer per desktop that shows it.

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(not(target_os = "linux"))]
mod native;
mod shown;

use moorline_core::agent::notice::{Notice, NoticeAction};
use moorline_model::settings::NoticeKind;

pub use shown::{Button, Shown};

#[cfg(target_os = "linux")]
pub use freedesktop::{Notifications, announce};
#[cfg(not(target_os = "linux"))]
pub use native::Notifications;

/// A notification of the tray's own.
pub fn of_the_tray(kind: NoticeKind, title: &str, body: String) -> Notice {
    Notice::new(kind, "tray", title, body).offering(NoticeAction::ShowWindow)
}
