//! Notifications on macOS and Windows, each on a thread of its own because waiting for an answer blocks there.
//!
//! Windows drops the toasts of a program whose AUMID is unknown to it: the installer makes a Start menu entry with
//! [`AUMID`], and a run from a build folder borrows PowerShell's by saying nothing. macOS takes the bundle's identifier.

use moorline_core::agent::notice::{Notice, NoticeAction};
use tokio::sync::mpsc;

use super::shown::Shown;

/// The identity under which the installer registers the app.
#[cfg(windows)]
pub const AUMID: &str = "app.moorline.desktop";

/// The notifications of this process.
#[derive(Debug)]
pub struct Notifications {
    pressed: mpsc::UnboundedSender<NoticeAction>,
}

impl Notifications {
    /// Gets ready; what people press comes out of `pressed`.
    pub fn start(pressed: mpsc::UnboundedSender<NoticeAction>) -> Self {
        Self { pressed }
    }

    /// Shows a notice. These desktops replace nothing: an older one of its slot goes its own way.
    pub fn show(&self, notice: Notice) {
        let pressed = self.pressed.clone();
        let spawned = std::thread::Builder::new().name("notification".to_owned()).spawn(move || {
            if let Err(error) = shown(&notice, &pressed) {
                tracing::warn!(%error, slot = notice.slot, "a notification could not be shown");
            }
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for a notification");
        }
    }

    /// Takes the notice of a slot away: not possible here.
    pub fn withdraw(&self, slot: String) {
        tracing::debug!(slot, "left to the desktop");
    }
}

fn shown(notice: &Notice, pressed: &mpsc::UnboundedSender<NoticeAction>) -> anyhow::Result<()> {
    let shown = Shown::of(notice);
    let mut told = notify_rust::Notification::new();
    told.appname("Moorline").summary(&shown.title).body(&shown.body);
    for (n, button) in shown.buttons.iter().enumerate() {
        told.action(&n.to_string(), button.label);
    }
    #[cfg(windows)]
    if !cfg!(debug_assertions) {
        told.app_id(AUMID);
    }
    told.show()?.wait_for_action(|key| {
        let action = match key {
            "default" => Some(&shown.main),
            // macOS gives the label back instead.
            key => shown
                .buttons
                .iter()
                .enumerate()
                .find(|(n, button)| key == n.to_string() || key == button.label)
                .map(|(_, button)| &button.action),
        };
        if let Some(action) = action {
            let _ = pressed.send(action.clone());
        }
    });
    Ok(())
}
