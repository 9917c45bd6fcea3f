//! The tray on macOS and Windows, which belongs to the main thread and its event loop.

use std::collections::HashMap;

use anyhow::Context as _;
use moorline_core::agent::menu::{Event, Item, Menu};
use tray_icon::menu::{CheckMenuItem, IsMenuItem, MenuId, MenuItem, PredefinedMenuItem, Submenu};
use tray_icon::{Icon, TrayIcon, TrayIconBuilder};

use super::Look;
use super::icons::icon;

/// The tray icon with what its rows do.
pub struct NativeTray {
    tray: TrayIcon,
    look: Look,
    rows: HashMap<MenuId, Event>,
}

impl NativeTray {
    /// Shows the icon. On the main thread, once its event loop runs.
    ///
    /// # Errors
    /// The system takes no icon.
    pub fn start(look: Look) -> anyhow::Result<Self> {
        let (menu, rows) = built(&look.menu)?;
        let tray = TrayIconBuilder::new()
            .with_icon(pixels(&look)?)
            .with_tooltip(&look.tooltip)
            .with_menu(Box::new(menu))
            // As everywhere: a left click opens the window. On macOS a click on the icon opens its menu.
            .with_menu_on_left_click(cfg!(target_os = "macos"))
            .build()
            .context("the system takes no tray icon")?;
        Ok(Self { tray, look, rows })
    }

    /// Shows another look.
    ///
    /// # Errors
    /// The system refuses.
    pub fn apply(&mut self, look: Look) -> anyhow::Result<()> {
        if look.menu != self.look.menu {
            let (menu, rows) = built(&look.menu)?;
            self.tray.set_menu(Some(Box::new(menu)));
            self.rows = rows;
        }
        if (look.light, look.panel) != (self.look.light, self.look.panel) {
            self.tray.set_icon(Some(pixels(&look)?))?;
        }
        if look.tooltip != self.look.tooltip {
            self.tray.set_tooltip(Some(&look.tooltip))?;
        }
        self.look = look;
        Ok(())
    }

    /// What the row with this id does.
    pub fn event(&self, id: &MenuId) -> Option<Event> {
        self.rows.get(id).cloned()
    }
}

fn pixels(look: &Look) -> anyhow::Result<Icon> {
    let [.., picture, _] = icon(look.light, look.panel);
    Ok(Icon::from_rgba(picture.rgba.to_vec(), picture.size, picture.size)?)
}

fn built(menu: &Menu) -> anyhow::Result<(tray_icon::menu::Menu, HashMap<MenuId, Event>)> {
    let whole = tray_icon::menu::Menu::new();
    let mut rows = HashMap::new();
    fill(&|item| whole.append(item), menu, &mut rows)?;
    Ok((whole, rows))
}

fn fill(
    append: &dyn Fn(&dyn IsMenuItem) -> tray_icon::menu::Result<()>,
    menu: &Menu,
    rows: &mut HashMap<MenuId, Event>,
) -> anyhow::Result<()> {
    for item in &menu.items {
        match item {
            Item::Act { label, event } => {
                let row = MenuItem::new(plain(label), true, None);
                rows.insert(row.id().clone(), event.clone());
                append(&row)?;
            }
            Item::Text(text) => append(&MenuItem::new(plain(text), false, None))?,
            Item::Check { label, on, event } => {
                let row = CheckMenuItem::new(plain(label), true, *on, None);
                rows.insert(row.id().clone(), event.clone());
                append(&row)?;
            }
            Item::Sub { label, menu } => {
                let sub = Submenu::new(plain(label), true);
                fill(&|item| sub.append(item), menu, rows)?;
                append(&sub)?;
            }
            Item::Separator => append(&PredefinedMenuItem::separator())?,
        }
    }
    Ok(())
}

/// A single ampersand would mark the row's access key.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}
