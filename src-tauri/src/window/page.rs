//! The one window, and what its page is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use moorline_app::wire::{Shows, ToWindow};
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Emitter as _, Manager as _, State, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::agent::Agent;

const LABEL: &str = "main";
/// The event that carries everything the page shows.
const SHOWS: &str = "shows";

/// What the page shows now; a page that loads late asks for it.
#[derive(Debug, Default)]
pub struct Page {
    shows: Mutex<Shows>,
}

/// Opens the window, and returns when it is closed.
///
/// # Errors
/// There is no display, or no webview.
pub fn run(page: Page, agent: &Arc<dyn Agent>) -> tauri::Result<()> {
    let agent = Arc::clone(agent);
    tauri::Builder::default()
        .manage(page)
        .invoke_handler(tauri::generate_handler![shown])
        .setup(move |app| {
            let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
                .title("Moorline")
                .inner_size(720.0, 520.0)
                .min_inner_size(360.0, 320.0)
                // A webview is white until its page is painted.
                .visible(false)
                .on_page_load(|window, load| {
                    if load.event() == PageLoadEvent::Finished {
                        front(&window);
                    }
                })
                .on_navigation(|url| url.scheme() == "tauri" || url.host_str().is_some_and(is_own))
                .build()?;
            let app = app.handle().clone();
            thread::Builder::new().name("agent".to_owned()).spawn(move || {
                agent.listen(&mut |said| hear(&app, &window, said));
                hear_end(&app);
            })?;
            Ok(())
        })
        .run(tauri::generate_context!())
}

/// What the page shows now.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "how Tauri hands over state")]
fn shown(page: State<'_, Page>) -> Shows {
    tracing::info!("the page is up");
    page.shows.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn hear(app: &AppHandle, window: &WebviewWindow, said: ToWindow) {
    let comes_forward = matches!(said, ToWindow::Show(_));
    change(app, |shows| match said {
        ToWindow::Snapshot(snapshot) => shows.snapshot = Some(snapshot),
        ToWindow::Show(view) => shows.view = view,
    });
    // Before its page is loaded it stays hidden; it comes forward by itself then.
    if comes_forward && window.is_visible().unwrap_or(false) {
        front(window);
    }
}

fn hear_end(app: &AppHandle) {
    tracing::warn!("the tray is gone");
    change(app, |shows| shows.tray_gone = true);
}

fn change(app: &AppHandle, how: impl FnOnce(&mut Shows)) {
    let page = app.state::<Page>();
    let mut shows = page.shows.lock().unwrap_or_else(PoisonError::into_inner);
    how(&mut shows);
    if let Err(error) = app.emit_to(LABEL, SHOWS, &*shows) {
        tracing::error!(%error, "the page cannot be told");
    }
}

fn front(window: &WebviewWindow) {
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window does not come forward");
    }
}

/// Tauri's own host for the page where schemes must be http, and Vite's in development.
fn is_own(host: &str) -> bool {
    host == "tauri.localhost" || (cfg!(not(feature = "custom-protocol")) && host == "localhost")
}
