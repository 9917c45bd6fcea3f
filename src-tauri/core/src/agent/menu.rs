//! The tray menu as plain data: a pure function of the snapshot. A renderer applies it only when it changed.

use moorline_ssh_files::Alias;

use super::msg::Request;
use super::snapshot::{Action, SessionView, Snapshot};
use crate::editors::Editor;

/// A menu or submenu.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Menu {
    /// Top to bottom.
    pub items: Vec<Item>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Text that does something.
    Act {
        /// What it says.
        label: String,
        /// What it does.
        event: Event,
    },
    /// Text that only informs.
    Text(String),
    /// Text with a mark.
    Check {
        /// What it says.
        label: String,
        /// Whether the mark is set.
        on: bool,
        /// What it does.
        event: Event,
    },
    /// A submenu.
    Sub {
        /// What it says.
        label: String,
        /// Its rows.
        menu: Menu,
    },
    /// A line.
    Separator,
}

/// What a row does.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something for the agent.
    Ask(Request),
    /// Show the window, on the compare view of a session if one is named.
    ShowWindow(Option<Alias>),
    /// Read the clipboard as a pasted text.
    AddFromClipboard,
    /// Put `ssh NAME` on the clipboard.
    CopyCommand(Alias),
    /// Put the password on the clipboard, concealed, for 30 s.
    CopyPassword(Alias),
    /// Open the window where forgetting is confirmed.
    Forget(Alias),
    /// Open the notebook.
    OpenNotebook(Alias),
    /// Start at login, or not.
    StartAtLogin(bool),
    /// End the agent.
    Quit,
}

/// The tray menu for a snapshot.
pub fn menu(snapshot: &Snapshot) -> Menu {
    let mut items = Vec::new();
    match &snapshot.sessions[..] {
        [] => items.push(Item::Text("No sessions yet".to_owned())),
        [only] => items.extend(session_rows(only, true)),
        several => items.extend(several.iter().map(|session| Item::Sub {
            label: format!("{} · {}", session.name, session.state),
            menu: Menu { items: session_rows(session, false) },
        })),
    }
    items.push(Item::Separator);
    items.push(act("Add from clipboard", Event::AddFromClipboard));
    items.push(act("Open Moorline…", Event::ShowWindow(None)));
    items.push(Item::Check {
        label: "Start at login".to_owned(),
        on: snapshot.starts_at_login,
        event: Event::StartAtLogin(!snapshot.starts_at_login),
    });
    items.push(act("Quit", Event::Quit));
    Menu { items }
}

/// At most six rows: state, last editor, other editors, terminal, what the health calls for, the rest.
fn session_rows(session: &SessionView, named: bool) -> Vec<Item> {
    let name = &session.name;
    let state = match super::words::vitals(session) {
        Some(vitals) => format!("{} · {vitals}", session.state),
        None => session.state.clone(),
    };
    let mut rows = vec![Item::Text(if named { format!("{name} · {state}") } else { state })];
    let editors: Vec<Editor> =
        session.editors.iter().copied().filter(|editor| *editor != Editor::Terminal).collect();
    let first = session.last_editor.filter(|editor| editors.contains(editor)).or(editors.first().copied());
    if let Some(first) = first {
        rows.push(act(format!("Open in {}", first.display_name()), open(name, first)));
        let others: Vec<Item> = editors
            .iter()
            .filter(|editor| **editor != first)
            .map(|editor| act(editor.display_name(), open(name, *editor)))
            .collect();
        if !others.is_empty() {
            rows.push(Item::Sub { label: "Open in".to_owned(), menu: Menu { items: others } });
        }
    }
    rows.push(act("Terminal", open(name, Editor::Terminal)));
    rows.extend(session.action.map(|action| match action {
        Action::Repair => act("Repair", Event::Ask(Request::Repair(name.clone()))),
        Action::Compare => act("Compare key…", Event::ShowWindow(Some(name.clone()))),
        Action::OpenNotebook => act("Open notebook", Event::OpenNotebook(name.clone())),
    }));
    rows.push(Item::Sub { label: "More".to_owned(), menu: more(session) });
    rows
}

fn more(session: &SessionView) -> Menu {
    let name = || session.name.clone();
    let mut items = vec![act("Copy ssh command", Event::CopyCommand(name()))];
    if session.password_only {
        items.push(act("Copy password", Event::CopyPassword(name())));
    }
    if session.has_notebook && session.action != Some(Action::OpenNotebook) {
        items.push(act("Open notebook", Event::OpenNotebook(name())));
    }
    let paused = session.health == super::health::Health::Paused;
    items.push(if paused {
        act("Resume", Event::Ask(Request::Resume(name())))
    } else {
        act("Pause", Event::Ask(Request::Pause(name())))
    });
    items.push(act("Forget…", Event::Forget(name())));
    Menu { items }
}

fn act(label: impl Into<String>, event: Event) -> Item {
    Item::Act { label: label.into(), event }
}

fn open(name: &Alias, editor: Editor) -> Event {
    Event::Ask(Request::Open { name: name.clone(), editor: Some(editor), folder: None })
}
