//! Notifications over `org.freedesktop.Notifications` (Desktop Notifications Specification 1.2).
//!
//! One connection lives as long as the tray: GNOME takes a notification away when the connection that sent it
//! closes. Whoever is on the bus can send signals to whom they like, so only the server that took a notification counts
//! when its buttons are pressed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::Context as _;
use moorline_core::agent::notice::{Notice, NoticeAction};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zbus::names::{MemberName, OwnedUniqueName};
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, MessageStream, Proxy};

use super::shown::Shown;
use crate::bus::next;
use crate::tray::icons::APP;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// As the bundles name the desktop file and the icon.
const DESKTOP_ENTRY: &str = "Moorline";
const ICON: &str = "moorline-tray";
const APP_SIDE: i32 = 48;
/// How long the last words of a program that ends are there to be read, where they go with it.
const SEEN: Duration = Duration::from_secs(3);
/// The key of a click on the notification itself.
const DEFAULT: &str = "default";

/// The notifications of this process.
#[derive(Debug)]
pub struct Notifications {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    Show(Notice),
    Withdraw(String),
}

impl Notifications {
    /// Gets ready; what people press comes out of `pressed`.
    ///
    /// # Errors
    /// There is no session bus.
    pub async fn start(
        bus: &Connection,
        pressed: mpsc::UnboundedSender<NoticeAction>,
    ) -> anyhow::Result<Self> {
        let rule =
            MatchRule::builder().msg_type(zbus::message::Type::Signal).sender(NAME)?.interface(NAME)?.build();
        let signals =
            MessageStream::for_match_rule(rule, bus, None).await.context("cannot hear the notifications")?;
        let (orders, queue) = mpsc::unbounded_channel();
        let server = Server { bus: bus.clone(), slots: BTreeMap::new(), pressed };
        let task = tokio::spawn(server.run(queue, signals));
        Ok(Self { orders, task })
    }

    /// Shows a notice in place of the one before it in its slot.
    pub fn show(&self, notice: Notice) {
        let _ = self.orders.send(Order::Show(notice));
    }

    /// Takes the notice of a slot away.
    pub fn withdraw(&self, slot: String) {
        let _ = self.orders.send(Order::Withdraw(slot));
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A notification that is on the screen, or in the desktop's list.
#[derive(Debug)]
struct Standing {
    id: u32,
    /// Who shows it, by the name that the bus gave them; the number means nothing to another server.
    server: Option<OwnedUniqueName>,
    main: NoticeAction,
    buttons: Vec<NoticeAction>,
}

impl Standing {
    /// Whether this sender speaks of this notification.
    fn is(&self, id: u32, from: Option<&OwnedUniqueName>) -> bool {
        self.id == id && from.is_some() && self.server.as_ref() == from
    }
}

struct Server {
    bus: Connection,
    slots: BTreeMap<String, Standing>,
    pressed: mpsc::UnboundedSender<NoticeAction>,
}

impl Server {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut signals: MessageStream) {
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Show(notice)) => {
                        if let Err(error) = self.show(&notice).await {
                            tracing::warn!(%error, slot = notice.slot, "a notification could not be shown");
                        }
                    }
                    Some(Order::Withdraw(slot)) => self.withdraw(&slot).await,
                },
                signal = next(&mut signals) => match signal {
                    None => return,
                    Some(Ok(message)) => self.hear(&message),
                    Some(Err(error)) => tracing::debug!(%error, "an unreadable signal"),
                },
            }
        }
    }

    async fn show(&mut self, notice: &Notice) -> zbus::Result<()> {
        let mut shown = Shown::of(notice);
        let server = Proxy::new(&self.bus, NAME, PATH, NAME).await?;
        // Asked each time: the server may have been replaced.
        let answer = server.call_method("GetCapabilities", &()).await;
        let now = answer.as_ref().ok().and_then(sender);
        let can: Vec<String> =
            answer.ok().and_then(|said| said.body().deserialize().ok()).unwrap_or_default();
        let can = |what: &str| can.iter().any(|word| word == what);
        let is_xfce = self.is_xfce(&server).await;
        if is_xfce {
            // It cuts a headline off after one short line, and with it the cause.
            shown = shown.with_short_title();
        }
        let mut actions = Vec::new();
        if can("actions") {
            let main = shown.buttons.first().map_or("Open Moorline", |button| button.label);
            actions.extend([DEFAULT.to_owned(), main.to_owned()]);
            // Xfce shows the click on the notification itself as a button, so that the main action has one already.
            let first = usize::from(is_xfce);
            for (n, button) in shown.buttons.iter().enumerate().skip(first) {
                actions.extend([n.to_string(), button.label.to_owned()]);
            }
        }
        let body = if can("body-markup") { escaped(&shown.body) } else { shown.body.clone() };
        let urgency: u8 = if shown.stays { 2 } else { 1 };
        let hints = HashMap::from([
            ("desktop-entry", Value::from(DESKTOP_ENTRY)),
            ("urgency", Value::from(urgency)),
            ("category", Value::from("network")),
            // So that there is a picture where the app is not installed.
            ("image-data", Value::from((APP_SIDE, APP_SIDE, APP_SIDE * 4, true, 8i32, 4i32, APP.rgba))),
        ]);
        let before = self.slots.get(&notice.slot).filter(|standing| standing.server == now);
        let replaces = before.map_or(0, |standing| standing.id);
        let lasts: i32 = if shown.stays { 0 } else { -1 };
        let taken = server
            .call_method("Notify", &("Moorline", replaces, ICON, &shown.title, &body, actions, hints, lasts))
            .await?;
        let id = taken.body().deserialize()?;
        let buttons = shown.buttons.into_iter().map(|button| button.action).collect();
        let standing = Standing { id, server: sender(&taken), main: shown.main, buttons };
        self.slots.insert(notice.slot.clone(), standing);
        Ok(())
    }

    async fn is_xfce(&self, server: &Proxy<'_>) -> bool {
        type Information = (String, String, String, String);
        let information: zbus::Result<Information> = server.call("GetServerInformation", &()).await;
        information.is_ok_and(|(name, ..)| name == "Xfce Notify Daemon")
    }

    async fn withdraw(&mut self, slot: &str) {
        let Some(standing) = self.slots.remove(slot) else { return };
        let closed = async {
            let server = Proxy::new(&self.bus, NAME, PATH, NAME).await?;
            server.call_noreply("CloseNotification", &(standing.id,)).await
        };
        if let Err(error) = closed.await {
            tracing::debug!(%error, slot, "a notification could not be taken away");
        }
    }

    fn hear(&mut self, message: &zbus::Message) {
        // The bus hands on what is sent to this connection alone whatever its rules are.
        let from = sender(message);
        let header = message.header();
        match header.member().map(MemberName::as_str) {
            Some("ActionInvoked") => {
                let Ok((id, key)) = message.body().deserialize::<(u32, String)>() else { return };
                let shown = self.slots.values().find(|standing| standing.is(id, from.as_ref()));
                let Some(standing) = shown else { return };
                let action = if key == DEFAULT {
                    Some(&standing.main)
                } else {
                    key.parse().ok().and_then(|n: usize| standing.buttons.get(n))
                };
                if let Some(action) = action {
                    let _ = self.pressed.send(action.clone());
                }
            }
            Some("NotificationClosed") => {
                let Ok((id, _why)) = message.body().deserialize::<(u32, u32)>() else { return };
                self.slots.retain(|_, standing| !standing.is(id, from.as_ref()));
            }
            _ => {}
        }
    }
}

/// Says one thing and is done, for a program that ends now. GNOME takes it away with the connection; others keep it.
///
/// # Errors
/// Nobody shows notifications.
pub async fn announce(bus: &Connection, title: &str, body: &str) -> zbus::Result<()> {
    let server = Proxy::new(bus, NAME, PATH, NAME).await?;
    let actions: Vec<&str> = Vec::new();
    let hints: HashMap<&str, Value<'_>> = HashMap::from([("desktop-entry", Value::from(DESKTOP_ENTRY))]);
    let _id: u32 =
        server.call("Notify", &("Moorline", 0u32, ICON, title, escaped(body), actions, hints, -1i32)).await?;
    tokio::time::sleep(SEEN).await;
    Ok(())
}

/// Who sent it; the bus itself writes that in.
fn sender(message: &zbus::Message) -> Option<OwnedUniqueName> {
    message.header().sender().map(|name| name.to_owned().into())
}

/// The few characters that the specification's markup gives a meaning.
fn escaped(body: &str) -> String {
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
