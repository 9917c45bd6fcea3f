//! The tray: what it looks like as plain data, and one thin renderer per desktop that shows it.

pub mod icons;
mod panel;

#[cfg(not(target_os = "linux"))]
pub mod native;
#[cfg(target_os = "linux")]
pub mod status_item;

use moorline_core::agent::menu::{Event, Menu, menu};
use moorline_core::agent::snapshot::{SessionView, Snapshot};
use moorline_core::agent::wording;
use moorline_model::health::Light;

pub use panel::Panel;
#[cfg(target_os = "linux")]
pub use panel::watch_panel;

/// Everything the tray shows. A renderer does nothing when it is the same as before.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The icon's state.
    pub light: Light,
    /// What the icon lies on.
    pub panel: Panel,
    /// Said when the pointer rests on the icon.
    pub tooltip: String,
    /// The menu.
    pub menu: Menu,
}

impl Look {
    /// How a snapshot looks on this panel.
    pub fn of(snapshot: &Snapshot, panel: Panel) -> Self {
        Self { light: snapshot.light, panel, tooltip: tooltip(snapshot), menu: menu(snapshot) }
    }
}

/// What a person did with the tray, or what became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Chose a row.
    Chose {
        /// What the row does.
        event: Event,
        /// The Wayland compositor's leave to take the focus.
        activation: Option<String>,
    },
    /// Clicked on the icon.
    Clicked {
        /// As above.
        activation: Option<String>,
    },
    /// The desktop shows the tray, or does not.
    Shown(bool),
    /// A tray that could not be made may be possible now.
    TryAgain,
}

/// How many sessions the tooltip names; more would not fit on a screen's corner.
const NAMED: usize = 6;

/// The sessions, one a line.
fn tooltip(snapshot: &Snapshot) -> String {
    if snapshot.sessions.is_empty() {
        return "Moorline: no sessions yet".to_owned();
    }
    let line = |session: &SessionView| {
        let vitals = wording::vitals(session).map(|vitals| format!(" · {vitals}")).unwrap_or_default();
        format!("{} · {}{vitals}", session.name, session.state)
    };
    let mut lines: Vec<String> = snapshot.sessions.iter().take(NAMED).map(line).collect();
    let more = snapshot.sessions.len().saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::unwatched;
    use moorline_model::health::Health;

    pub(crate) fn session(name: &str, state: &str) -> SessionView {
        SessionView {
            name: name.parse().unwrap(),
            link: "direct".to_owned(),
            endpoint: String::new(),
            health: Health::Waiting,
            state: state.to_owned(),
            vitals: None,
            ends: None,
            last_editor: None,
            editors: Vec::new(),
            password_only: false,
            has_notebook: false,
            offered: None,
            rival: None,
            action: None,
        }
    }

    #[test]
    fn the_tooltip_names_a_handful_of_sessions() {
        let mut snapshot = unwatched(&[]);
        assert_eq!(tooltip(&snapshot), "Moorline: no sessions yet");
        snapshot.sessions = vec![session("colab", "online"), session("trainer", "paused")];
        assert_eq!(tooltip(&snapshot), "colab · online\ntrainer · paused");
        snapshot.sessions = (0..8).map(|n| session(&format!("s{n}"), "online")).collect();
        assert!(tooltip(&snapshot).ends_with("s5 · online\nand 2 more"), "the rest is counted");
    }

    #[test]
    fn an_unchanged_snapshot_looks_the_same() {
        let snapshot = unwatched(&[]);
        let look = Look::of(&snapshot, Panel::Dark);
        assert_eq!(look, Look::of(&snapshot.clone(), Panel::Dark), "so that nothing is applied");
        assert_ne!(look, Look::of(&snapshot, Panel::Light), "another panel needs another icon");
    }
}
