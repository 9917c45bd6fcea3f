//! The tray on Linux: a StatusNotifierItem with a `com.canonical.dbusmenu` menu, spoken over D-Bus without any
//! toolkit. It registers anew whenever a tray host appears, late or again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use ksni::menu::{CheckmarkItem, StandardItem, SubMenu};
use ksni::{Handle, MenuItem, OfflineReason, ToolTip, Tray, TrayMethods as _};
use moorline_core::agent::menu::{Event, Item, Menu};
use tokio::sync::mpsc;

use super::icons::icon;
use super::{Done, Look};

/// The tray as the desktop sees it.
pub struct StatusItem {
    handle: Handle<Shown>,
    look: Look,
}

impl StatusItem {
    /// Puts the tray on the session bus. Whether a host shows it is the first [`Done`] that comes.
    ///
    /// # Errors
    /// There is no session bus, or the tray host refuses.
    pub async fn start(look: Look, done: mpsc::UnboundedSender<Done>) -> anyhow::Result<Self> {
        let away = Arc::new(AtomicBool::new(false));
        let shown = Shown { look: look.clone(), done: done.clone(), away: Arc::clone(&away) };
        let handle =
            shown.assume_sni_available(true).spawn().await.context("the desktop takes no tray icon")?;
        if !away.load(Ordering::Acquire) {
            let _ = done.send(Done::Shown(true));
        }
        Ok(Self { handle, look })
    }

    /// Shows another look, if it is another.
    pub async fn apply(&mut self, look: Look) {
        if look != self.look {
            self.look = look.clone();
            self.handle.update(move |shown| shown.look = look).await;
        }
    }
}

/// What the tray host asks.
struct Shown {
    look: Look,
    done: mpsc::UnboundedSender<Done>,
    away: Arc<AtomicBool>,
}

impl Tray for Shown {
    fn id(&self) -> String {
        "moorline".to_owned()
    }

    fn title(&self) -> String {
        "Moorline".to_owned()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        icon(self.look.light, self.look.panel).iter().map(argb).collect()
    }

    fn tool_tip(&self) -> ToolTip {
        // The specification takes a subset of HTML here.
        let description = self.look.tooltip.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br/>");
        ToolTip { title: "Moorline".to_owned(), description, ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        let _ = self.done.send(Done::Clicked { activation: ksni::current_xdg_activation_token() });
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        rows(&self.look.menu)
    }

    fn watcher_online(&self) {
        let _ = self.done.send(Done::Shown(true));
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::info!(?reason, "no tray host");
        self.away.store(true, Ordering::Release);
        let _ = self.done.send(Done::Shown(false));
        true
    }
}

fn rows(menu: &Menu) -> Vec<MenuItem<Shown>> {
    menu.items.iter().map(row).collect()
}

fn row(item: &Item) -> MenuItem<Shown> {
    match item {
        Item::Act { label, event } => {
            StandardItem { label: plain(label), activate: choose(event), ..StandardItem::default() }.into()
        }
        Item::Text(text) => {
            StandardItem { label: plain(text), enabled: false, ..StandardItem::default() }.into()
        }
        Item::Check { label, on, event } => CheckmarkItem {
            label: plain(label),
            checked: *on,
            activate: choose(event),
            ..CheckmarkItem::default()
        }
        .into(),
        Item::Sub { label, menu } => {
            SubMenu { label: plain(label), submenu: rows(menu), ..SubMenu::default() }.into()
        }
        Item::Separator => MenuItem::Separator,
    }
}

fn choose(event: &Event) -> Box<dyn Fn(&mut Shown) + Send> {
    let event = event.clone();
    Box::new(move |shown| {
        let activation = ksni::current_xdg_activation_token();
        let _ = shown.done.send(Done::Chose { event: event.clone(), activation });
    })
}

/// A single underscore would mark the row's access key.
fn plain(label: &str) -> String {
    label.replace('_', "__")
}

/// StatusNotifierItem wants ARGB in network byte order.
fn argb(picture: &super::icons::Picture) -> ksni::Icon {
    let side = i32::try_from(picture.size).unwrap_or(i32::MAX);
    let data = picture.rgba.chunks_exact(4).flat_map(|p| [p[3], p[0], p[1], p[2]]).collect();
    ksni::Icon { width: side, height: side, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_shown_as_it_is_written() {
        let MenuItem::Standard(row) = row(&Item::Text("gpu_0 · 5 %".to_owned())) else {
            panic!("a plain row")
        };
        assert_eq!(
            (row.label.as_str(), row.enabled),
            ("gpu__0 · 5 %", false),
            "no access key, not clickable"
        );
    }

    #[test]
    fn pixels_are_turned_to_argb() {
        let picture = super::super::icons::Picture { size: 1, rgba: &[1, 2, 3, 4] };
        assert_eq!(argb(&picture).data, [4, 1, 2, 3]);
    }
}
