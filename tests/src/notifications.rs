//! A notification server that shows nothing and remembers everything.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

use crate::processes::until;
use crate::stage::Stage;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What was sent to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub id: u32,
    /// Who sent it.
    pub app: String,
    /// The connection that sent it, by its name on the bus.
    pub from: String,
    /// The number that it asked to replace; 0 for none.
    pub replaces: u32,
    /// Its icon's name.
    pub icon: String,
    /// The headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// Keys and labels in turns.
    pub actions: Vec<String>,
    /// The names of its hints.
    pub hints: BTreeSet<String>,
    /// Whether its urgency is critical.
    pub critical: bool,
    /// Milliseconds; 0 never, -1 as the server likes.
    pub lasts: i32,
}

/// The server.
#[derive(Debug)]
pub struct Notifications {
    bus: Connection,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    sent: Vec<Sent>,
    closed: Vec<u32>,
}

impl Notifications {
    /// A server that can do these things (`actions`, `body-markup`).
    pub fn start(stage: &Stage, capabilities: &'static [&'static str]) -> Self {
        Self::start_and(stage, capabilities, |_| {})
    }

    /// As [`Notifications::start`]; `at_once` is done before the sender hears that its notification is shown.
    pub fn start_and(
        stage: &Stage,
        capabilities: &'static [&'static str],
        at_once: impl Fn(&Sent) + Send + Sync + 'static,
    ) -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let server = Server { capabilities, memory: Arc::clone(&memory), at_once: Box::new(at_once) };
        let address = format!("unix:path={}", stage.runtime_dir().join("bus").display());
        let bus = connection::Builder::address(address.as_str())
            .and_then(|bus| bus.serve_at(PATH, server))
            .and_then(|bus| bus.name(NAME))
            .and_then(connection::Builder::build)
            .expect("nobody else shows notifications on the stage");
        Self { bus, memory }
    }

    /// Waits until this many were sent, and returns the last.
    pub fn await_sent(&self, count: usize) -> Sent {
        until(&format!("notification number {count}"), || self.sent().len() >= count);
        let sent = self.sent();
        assert_eq!(sent.len(), count, "no more than that: {sent:#?}");
        sent.into_iter().last().expect("it was counted")
    }

    /// Waits until the last that was sent has this headline; others may come before it.
    pub fn await_titled(&self, title: &str) -> Sent {
        let last = || self.sent().into_iter().last().filter(|sent| sent.title == title);
        until(&format!("the notification {title:?}"), || last().is_some());
        last().expect("it was there")
    }

    /// Waits until this one was taken away.
    pub fn await_closed(&self, id: u32) {
        let closed = || self.memory.lock().unwrap_or_else(PoisonError::into_inner).closed.contains(&id);
        until(&format!("notification {id} to be taken away"), closed);
    }

    /// Everything that was sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).sent.clone()
    }

    /// The person presses a button; `default` is a click on the notification itself.
    pub fn press(&self, id: u32, key: &str) {
        let none: Option<&str> = None;
        self.bus.emit_signal(none, PATH, NAME, "ActionInvoked", &(id, key)).expect("the bus takes a signal");
    }
}

/// The runtime's disk and uptime are those of the machine that the tests run on: no test is about them.
fn is_of_the_machine(title: &str) -> bool {
    title.contains(": the disk is ") || title.contains(" h left")
}

struct Server {
    capabilities: &'static [&'static str],
    memory: Arc<Mutex<Memory>>,
    at_once: Box<dyn Fn(&Sent) + Send + Sync>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<String> {
        self.capabilities.iter().map(ToString::to_string).collect()
    }

    #[expect(clippy::unused_self, reason = "the interface's form")]
    fn get_server_information(&self) -> (String, String, String, String) {
        let text = str::to_owned;
        (text("stage"), text("moorline"), text("1"), text("1.2"))
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's signature")]
    #[expect(clippy::needless_pass_by_value, reason = "the interface's form")]
    fn notify(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        app: String,
        replaces: u32,
        icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        lasts: i32,
    ) -> u32 {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = u32::try_from(memory.sent.len()).unwrap_or(u32::MAX).saturating_add(1);
        let id = if replaces == 0 { fresh } else { replaces };
        let critical = hints.get("urgency").and_then(|urgency| u8::try_from(urgency).ok()) == Some(2);
        let hints = hints.into_keys().collect();
        if is_of_the_machine(&title) {
            return id;
        }
        let from = header.sender().map(ToString::to_string).unwrap_or_default();
        let sent = Sent { id, app, from, replaces, icon, title, body, actions, hints, critical, lasts };
        (self.at_once)(&sent);
        memory.sent.push(sent);
        id
    }

    fn close_notification(&self, id: u32) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).closed.push(id);
    }
}
