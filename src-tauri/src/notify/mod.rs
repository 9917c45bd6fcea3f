//! Notifications: what one looks like as plain data, and one renderer per desktop that shows it.

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(not(target_os = "linux"))]
mod native;

use moorline_core::agent::notice::{Notice, NoticeAction, NoticeKind};

#[cfg(target_os = "linux")]
pub use freedesktop::{Notifications, announce};
#[cfg(not(target_os = "linux"))]
pub use native::Notifications;

/// A notification as a desktop is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The headline.
    pub title: String,
    /// The text under it, plain.
    pub body: String,
    /// What a click on the notification itself does.
    pub main: NoticeAction,
    /// The buttons, main action first. Some desktops show none.
    pub buttons: Vec<Button>,
    /// Whether it stays until somebody deals with it.
    pub stays: bool,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: &'static str,
    /// What it does.
    pub action: NoticeAction,
}

impl Shown {
    /// A notice as it is shown. One without actions opens the window.
    pub fn of(notice: &Notice) -> Self {
        let button = |action: &NoticeAction| Button { label: label(action), action: action.clone() };
        Self {
            title: notice.title.clone(),
            body: notice.body.clone(),
            main: notice.actions.first().cloned().unwrap_or(NoticeAction::ShowWindow),
            buttons: notice.actions.iter().map(button).collect(),
            stays: notice.kind == NoticeKind::Needed,
        }
    }
}

fn label(action: &NoticeAction) -> &'static str {
    match action {
        NoticeAction::OpenEditor(_) => "Open in editor",
        NoticeAction::OpenNotebook(_) => "Open notebook",
        NoticeAction::Compare(_) => "Compare…",
        NoticeAction::Repair(_) => "Repair",
        NoticeAction::Follow(..) => "Follow it",
        NoticeAction::TakeOver(..) => "Follow the new one",
        NoticeAction::ShowWindow => "Open Moorline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_action_is_what_a_click_does() {
        let alias = || "trainer".parse().unwrap();
        let mut notice = Notice {
            slot: "trainer".to_owned(),
            kind: NoticeKind::Dropped,
            sessions: vec![alias()],
            title: "trainer dropped".to_owned(),
            body: "Its tunnel is gone.".to_owned(),
            actions: vec![NoticeAction::OpenNotebook(alias()), NoticeAction::Repair(alias())],
        };
        let shown = Shown::of(&notice);
        assert_eq!(shown.main, NoticeAction::OpenNotebook(alias()));
        let labels: Vec<_> = shown.buttons.iter().map(|button| button.label).collect();
        assert_eq!(labels, ["Open notebook", "Repair"]);
        assert!(!shown.stays);
        notice.actions.clear();
        notice.kind = NoticeKind::Needed;
        let shown = Shown::of(&notice);
        assert_eq!((shown.main, shown.buttons, shown.stays), (NoticeAction::ShowWindow, vec![], true));
    }
}
