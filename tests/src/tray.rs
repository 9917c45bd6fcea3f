//! The tray program, and its icon and menu as a tray host sees them over D-Bus.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Value};

use crate::bus::{WATCHER, session_bus};
use crate::processes::{Program, until};
use crate::stage::Stage;

/// `moorline-tray` with somebody else as its agent.
#[derive(Debug)]
pub struct Tray {
    program: Program,
    told: ChildStdin,
    asked: Arc<Mutex<Vec<String>>>,
    bus: Connection,
}

/// A row of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    id: i32,
    /// What it says; `-` for a line.
    pub label: String,
    /// Whether it can be chosen.
    pub enabled: bool,
    /// Whether its mark is set, if it has one.
    pub marked: Option<bool>,
    /// The rows of its submenu.
    pub rows: Vec<Row>,
}

impl Tray {
    /// Starts it with an agent that says nothing until [`Tray::tell`].
    pub fn start(stage: &Stage) -> Self {
        Self::start_with(stage, &[])
    }

    /// As [`Tray::start`], with more arguments.
    pub fn start_with(stage: &Stage, arguments: &[&str]) -> Self {
        Self::launch(stage, &[&["--feed"], arguments].concat())
    }

    /// Starts it as people do, with the agent inside.
    pub fn with_agent(stage: &Stage) -> Self {
        Self::launch(stage, &[])
    }

    fn launch(stage: &Stage, arguments: &[&str]) -> Self {
        let mut command = stage.command("moorline-tray");
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stage.log("tray"));
        let mut child = command.spawn().expect("moorline-tray starts");
        let told = child.stdin.take().expect("its input is piped");
        let stdout = BufReader::new(child.stdout.take().expect("its output is piped"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&asked);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                lines.lock().expect("nobody panics with it").push(line);
            }
        });
        Self { program: Program::adopt(child, "moorline-tray"), told, asked, bus: session_bus(stage) }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Says this in the agent's place.
    pub fn tell(&mut self, what: &serde_json::Value) {
        writeln!(self.told, "{what}").expect("the tray listens");
    }

    /// Waits until this, and nothing after it, was asked of the agent.
    pub fn await_ask(&self, what: &str) {
        let last = || self.asked.lock().expect("nobody panics with it").last().cloned();
        until(&format!("{what} to be asked"), || last().is_some_and(|line| line == what));
    }

    /// Everything that was asked of the agent.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }

    /// Waits until the tray host knows the icon.
    pub fn await_shown(&self) {
        until("the tray to be shown", || self.is_shown());
    }

    /// Whether the tray host knows the icon.
    pub fn is_shown(&self) -> bool {
        let Ok(watcher) = Proxy::new(&self.bus, WATCHER, "/StatusNotifierWatcher", WATCHER) else {
            return false;
        };
        let items: Vec<String> = watcher.get_property("RegisteredStatusNotifierItems").unwrap_or_default();
        items.iter().any(|item| item.starts_with(&self.name()))
    }

    /// A left click on the icon.
    pub fn click(&self) {
        self.item().call_method("Activate", &(0i32, 0i32)).expect("the tray takes a click");
    }

    /// The icon's pixels at the smallest size.
    pub fn icon(&self) -> Vec<u8> {
        let pictures: Vec<(i32, i32, Vec<u8>)> =
            self.item().get_property("IconPixmap").expect("it has an icon");
        pictures.into_iter().next().expect("it has a size").2
    }

    /// The text of the tooltip.
    pub fn tooltip(&self) -> String {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let tip: OwnedValue = self.item().get_property("ToolTip").expect("it has a tooltip");
        ToolTip::try_from(tip).expect("a tooltip has four parts").3
    }

    /// The whole menu.
    pub fn menu(&self) -> Vec<Row> {
        let nothing: Vec<String> = Vec::new();
        let answer =
            self.menu_proxy().call_method("GetLayout", &(0i32, -1i32, nothing)).expect("it has a menu");
        let (_revision, root): (u32, Layout) = answer.body().deserialize().expect("a layout");
        root.2.iter().map(row).collect()
    }

    /// Waits until the menu has a row with this label, at any depth.
    pub fn await_row(&self, label: &str) {
        until(&format!("the row {label:?}"), || find(&self.menu(), label).is_some());
    }

    /// Chooses the first row with this label. A menu that changed between the look and the choice has other rows: a tray
    /// host would show the new one, and so it is looked at again.
    pub fn choose(&self, label: &str) {
        until(&format!("the tray to take {label:?}"), || {
            let menu = self.menu();
            let row = find(&menu, label).unwrap_or_else(|| panic!("no row {label:?} in {menu:#?}"));
            assert!(row.enabled, "{label:?} can be chosen");
            match self.menu_proxy().call_method("Event", &(row.id, "clicked", Value::from(""), 0u32)) {
                Ok(_) => true,
                Err(zbus::Error::MethodError(_, Some(why), _)) if why == "id not found" => false,
                Err(error) => panic!("the tray takes a choice: {error}"),
            }
        });
    }

    /// It crashes.
    pub fn kill(mut self) {
        self.program.kill();
    }

    /// Waits until it ends by itself.
    pub fn await_end(mut self) {
        until("the tray to end", || !self.program.is_running());
    }

    fn name(&self) -> String {
        // A process may have several items; this one has one.
        format!("org.kde.StatusNotifierItem-{}-1", self.program.id())
    }

    fn item(&self) -> Proxy<'_> {
        Proxy::new(&self.bus, self.name(), "/StatusNotifierItem", "org.kde.StatusNotifierItem")
            .expect("valid names")
    }

    fn menu_proxy(&self) -> Proxy<'_> {
        Proxy::new(&self.bus, self.name(), "/MenuBar", "com.canonical.dbusmenu").expect("valid names")
    }
}

/// What the tray host shows, by bus name and path; nothing when there is no host.
pub fn shown_items(bus: &Connection) -> Vec<String> {
    let Ok(watcher) = Proxy::new(bus, WATCHER, "/StatusNotifierWatcher", WATCHER) else { return Vec::new() };
    watcher.get_property("RegisteredStatusNotifierItems").unwrap_or_default()
}

/// Finds a row by its label, at any depth.
pub fn find<'a>(rows: &'a [Row], label: &str) -> Option<&'a Row> {
    rows.iter().find_map(|row| if row.label == label { Some(row) } else { find(&row.rows, label) })
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

fn row(value: &OwnedValue) -> Row {
    let (id, properties, rows) = Layout::try_from(value.clone()).expect("a row");
    let text = |name: &str| properties.get(name).and_then(|value| String::try_from(value.clone()).ok());
    let number = |name: &str| properties.get(name).and_then(|value| i32::try_from(value).ok());
    let line = text("type").as_deref() == Some("separator");
    Row {
        id,
        label: if line { "-".to_owned() } else { text("label").unwrap_or_default().replace("__", "_") },
        enabled: !matches!(properties.get("enabled").map(bool::try_from), Some(Ok(false))),
        marked: text("toggle-type").map(|_| number("toggle-state") == Some(1)),
        rows: rows.iter().map(row).collect(),
    }
}
