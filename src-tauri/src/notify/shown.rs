//! A notification as a desktop is given it.

use moorline_core::agent::notice::{Notice, NoticeAction};
use moorline_model::settings::NoticeKind;

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

    /// The same with what comes after the headline's first colon as the text's first sentence, for desktops whose
    /// headlines are short.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn with_short_title(self) -> Self {
        let Some((title, rest)) = self.title.split_once(": ") else { return self };
        let mut letters = rest.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        let sentence: String = first.chain(letters).collect();
        let body = format!("{sentence}. {}", self.body).trim_end().to_owned();
        Self { title: title.to_owned(), body, ..self }
    }
}

fn label(action: &NoticeAction) -> &'static str {
    match action {
        NoticeAction::OpenEditor(_) => "Open in editor",
        NoticeAction::OpenNotebook(_) => "Open notebook",
        NoticeAction::Compare(_) => "Check that it is yours…",
        NoticeAction::Repair(_) => "Repair",
        NoticeAction::TakeOver(..) | NoticeAction::Follow(..) => "Follow it",
        NoticeAction::ShowWindow => "Open Moorline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_action_is_what_a_click_does_and_a_cause_never_gets_cut_off() {
        let alias = || "trainer".parse().unwrap();
        let mut notice =
            Notice::new(NoticeKind::Dropped, "trainer", "trainer dropped", "Its tunnel is gone.")
                .about([&alias()])
                .offering(NoticeAction::OpenNotebook(alias()))
                .offering(NoticeAction::Repair(alias()));
        let shown = Shown::of(&notice);
        assert_eq!(shown.main, NoticeAction::OpenNotebook(alias()));
        let labels: Vec<_> = shown.buttons.iter().map(|button| button.label).collect();
        assert_eq!(labels, ["Open notebook", "Repair"]);
        assert!(!shown.stays);
        notice.title = "trainer dropped: its tunnel is gone".to_owned();
        notice.body = "Open notebook.".to_owned();
        let short = Shown::of(&notice).with_short_title();
        assert_eq!(
            (&*short.title, &*short.body),
            ("trainer dropped", "Its tunnel is gone. Open notebook."),
            "the cause can be read"
        );
        let once = short.clone();
        assert_eq!(short.with_short_title(), once, "nothing is said twice");
        notice.actions.clear();
        notice.kind = NoticeKind::Needed;
        let shown = Shown::of(&notice);
        assert_eq!((shown.main, shown.buttons, shown.stays), (NoticeAction::ShowWindow, vec![], true));
    }
}
