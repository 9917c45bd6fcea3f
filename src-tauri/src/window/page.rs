//! What the page shows, and how it is told.

use std::sync::{Mutex, PoisonError};

use moorline_app::wire::Shows;
use tauri::{AppHandle, Emitter as _, Manager as _};

/// The one window's name.
pub const LABEL: &str = "main";
/// The event that carries everything the page shows.
const SHOWS: &str = "shows";

/// What the page shows now; a page that loads late asks for it.
#[derive(Debug, Default)]
pub struct Page {
    shows: Mutex<Shows>,
}

impl Page {
    /// What is shown now.
    pub fn now(&self) -> Shows {
        self.shows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Changes what is shown, and tells the page.
pub fn change(app: &AppHandle, how: impl FnOnce(&mut Shows)) {
    let page = app.state::<Page>();
    let mut shows = page.shows.lock().unwrap_or_else(PoisonError::into_inner);
    how(&mut shows);
    if let Err(error) = app.emit_to(LABEL, SHOWS, &*shows) {
        tracing::error!(%error, "the page cannot be told");
    }
}
