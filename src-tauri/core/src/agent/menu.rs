//! The tray menu as plain data: a pure function of the snapshot. A renderer applies it only when it changed.

use moorline_model::editor::Editor;
use moorline_model::health::Health;
use moorline_ssh_files::Alias;

use super::message::Request;
use super::snapshot::{Action, SessionView, Snapshot};

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
    /// Show the window where a runtime is added.
    Add,
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

/// How long the menu's snooze lasts, in minutes.
const SNOOZE: u16 = 60;

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
    items.push(act("Add a session…", Event::Add));
    items.push(act("Add from clipboard", Event::AddFromClipboard));
    items.push(act("Open Moorline…", Event::ShowWindow(None)));
    let snoozed = snapshot.snoozed_until.is_some();
    items.push(Item::Check {
        label: "Snooze for an hour".to_owned(),
        on: snoozed,
        event: Event::Ask(Request::Snooze(if snoozed { 0 } else { SNOOZE })),
    });
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
    let state = match super::wording::vitals(session) {
        Some(vitals) => format!("{} · {vitals}", session.state),
        None => session.state.clone(),
    };
    let state = if session.rival.is_some() { format!("{state} · {}", super::wording::RIVAL) } else { state };
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
    rows.extend(called_for(session));
    rows.push(Item::Sub { label: "More".to_owned(), menu: more(session) });
    rows
}

/// One row for what its health calls for: another runtime that could be followed is more use than dialling the old one.
fn called_for(session: &SessionView) -> Option<Item> {
    let name = &session.name;
    if let Some(runtime) = session.rival.clone() {
        let event = Event::Ask(Request::TakeOver(name.clone(), runtime));
        return Some(act("Follow it there", event));
    }
    if let Some(runtime) = session.offered.as_ref().and_then(|runtime| runtime.parse().ok()) {
        let label = format!("Follow {runtime}");
        return Some(act(label, Event::Ask(Request::Follow { name: name.clone(), runtime })));
    }
    session.action.map(|action| match action {
        Action::Repair => act("Repair", Event::Ask(Request::Repair(name.clone()))),
        Action::Compare => act("Check that it is yours…", Event::ShowWindow(Some(name.clone()))),
        Action::OpenNotebook => act("Open notebook", Event::OpenNotebook(name.clone())),
    })
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
    let paused = session.health == Health::Paused;
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use moorline_model::announcement::RuntimeId;
    use moorline_model::cause::Cause;
    use moorline_model::health::Light;
    use moorline_model::vitals::{Gpu, Usage, Vitals};

    fn view(name: &str, health: Health) -> SessionView {
        SessionView {
            name: name.parse().unwrap(),
            link: "ngrok".to_owned(),
            endpoint: "h:1".to_owned(),
            state: super::super::wording::state(&health),
            health,
            vitals: None,
            ends: None,
            last_editor: None,
            editors: vec![Editor::VsCode, Editor::PyCharm, Editor::Terminal],
            password_only: false,
            has_notebook: false,
            offered: None,
            rival: None,
            action: None,
        }
    }

    fn snapshot(sessions: Vec<SessionView>) -> Snapshot {
        Snapshot { light: Light::Idle, sessions, snoozed_until: None, starts_at_login: true }
    }

    const SINCE: Timestamp = Timestamp::UNIX_EPOCH;

    /// The menu as a person sees it, one row a line.
    fn drawn(menu: &Menu, indent: usize) -> String {
        let mut text = String::new();
        for item in &menu.items {
            let pad = "  ".repeat(indent);
            let row = match item {
                Item::Act { label, .. } => format!("{pad}{label}\n"),
                Item::Text(label) => format!("{pad}({label})\n"),
                Item::Check { label, on, .. } => format!("{pad}[{}] {label}\n", if *on { "x" } else { " " }),
                Item::Sub { label, menu } => format!("{pad}{label} >\n{}", drawn(menu, indent + 1)),
                Item::Separator => format!("{pad}--\n"),
            };
            text.push_str(&row);
        }
        text
    }

    const TAIL: &str = "--\nAdd a session…\nAdd from clipboard\nOpen Moorline…\n[ ] Snooze for an hour\n[x] Start at login\nQuit\n";

    #[test]
    fn without_sessions_the_menu_says_so() {
        assert_eq!(drawn(&menu(&snapshot(Vec::new())), 0), format!("(No sessions yet)\n{TAIL}"));
    }

    #[test]
    fn a_runtime_that_waits_to_be_followed_has_a_row() {
        let mut colab = view("colab", Health::Online { since: SINCE });
        let runtime = RuntimeId::of([2; 16]);
        colab.rival = Some(runtime.clone());
        let menu = menu(&snapshot(vec![colab]));
        let drawn = drawn(&menu, 0);
        assert!(drawn.starts_with("(colab · online · announces itself elsewhere)\n"), "{drawn}");
        let event = Event::Ask(Request::TakeOver("colab".parse().unwrap(), runtime));
        assert!(menu.items.contains(&act("Follow it there", event)), "{drawn}");
        assert!(
            menu.items.iter().position(|item| *item == Item::Separator).unwrap() <= 6,
            "six rows: {drawn}"
        );
    }

    #[test]
    fn a_single_session_needs_no_submenu() {
        let mut colab = view("colab", Health::Online { since: SINCE });
        colab.last_editor = Some(Editor::PyCharm);
        colab.vitals = Some(Vitals {
            gpus: vec![Gpu { name: "Tesla T4".to_owned(), memory: None, load: Some(37) }],
            memory: Some(Usage { used: 5_100_000_000, total: 12_700_000_000 }),
            ..Vitals::default()
        });
        assert_eq!(
            drawn(&menu(&snapshot(vec![colab])), 0),
            format!(
                "(colab · online · T4 37 % · RAM 5.1/12.7 GB)\nOpen in PyCharm\nOpen in >\n  VS Code\nTerminal\nMore >\n  \
                 Copy ssh command\n  Pause\n  Forget…\n{TAIL}"
            )
        );
    }

    #[test]
    fn several_sessions_have_one_submenu_each_with_what_their_health_calls_for() {
        let mut trainer = view("trainer", Health::Down { cause: Cause::TunnelDown, since: SINCE });
        trainer.action = Some(Action::OpenNotebook);
        trainer.has_notebook = true;
        trainer.password_only = true;
        trainer.editors = Vec::new();
        let mut colab = view("colab", Health::NewHostKey { fingerprint: print(), since: SINCE });
        colab.action = Some(Action::Compare);
        let paused = view("idle", Health::Paused);
        assert_eq!(
            drawn(&menu(&snapshot(vec![colab, paused, trainer])), 0),
            format!(
                "colab · shows a fingerprint seen for the first time >\n  \
                 (shows a fingerprint seen for the first time)\n  Open in VS Code\n  Open in >\n    PyCharm\n  Terminal\n  \
                 Check that it is yours…\n  More >\n    Copy ssh command\n    Pause\n    Forget…\n\
                 idle · paused >\n  (paused)\n  Open in VS Code\n  Open in >\n    PyCharm\n  Terminal\n  More >\n    \
                 Copy ssh command\n    Resume\n    Forget…\n\
                 trainer · down: its tunnel is gone, the machine may still run >\n  \
                 (down: its tunnel is gone, the machine may still run)\n  Terminal\n  Open notebook\n  More >\n    \
                 Copy ssh command\n    Copy password\n    Pause\n    Forget…\n{TAIL}"
            )
        );
    }

    #[test]
    fn a_second_choice_ends_the_snooze() {
        let mut now = snapshot(Vec::new());
        let row = |now: &Snapshot| {
            let is_snooze =
                |item: &Item| matches!(item, Item::Check { label, .. } if label.starts_with("Snooze"));
            menu(now).items.into_iter().find(is_snooze)
        };
        let snooze = |on, minutes| {
            let (label, event) = ("Snooze for an hour".to_owned(), Event::Ask(Request::Snooze(minutes)));
            Some(Item::Check { label, on, event })
        };
        assert_eq!(row(&now), snooze(false, 60));
        now.snoozed_until = Some(SINCE);
        assert_eq!(row(&now), snooze(true, 0));
    }

    /// However much there is to say of a session.
    #[test]
    fn a_session_never_has_more_than_six_rows() {
        for action in [None, Some(Action::Repair), Some(Action::Compare), Some(Action::OpenNotebook)] {
            let mut colab = view("colab", Health::Online { since: SINCE });
            (colab.action, colab.has_notebook, colab.password_only) = (action, true, true);
            colab.editors = Editor::ALL.to_vec();
            assert!(session_rows(&colab, true).len() <= 6, "{action:?}");
        }
    }

    fn print() -> moorline_ssh_files::Fingerprint {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([7; 32]);
        moorline_ssh_files::HostKey::from_blob(&blob).unwrap().fingerprint()
    }
}
