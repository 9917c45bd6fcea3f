//! The one window: opened, brought forward, closed with the tray.

use std::io::BufRead as _;
use std::thread;

use moorline_app::wire::View;
use moorline_core::agent::snapshot::Snapshot;
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::agent::Agent;
use crate::page::{LABEL, Page, change};
use crate::{adding, commands, making};

/// Opens the window, and returns when it is closed.
///
/// # Errors
/// There is no display, or no webview.
pub fn run(agent: Agent) -> tauri::Result<()> {
    tauri::Builder::default()
        .manage(Page::default())
        .manage(agent.clone())
        .invoke_handler(tauri::generate_handler![
            commands::shown,
            commands::show,
            commands::compare,
            commands::check,
            commands::approve,
            commands::repair,
            commands::forget,
            adding::adding_begin,
            adding::adding_say,
            adding::adding_wait,
            adding::adding_end,
            adding::open,
            making::first_look,
            making::make_cell,
            making::copy_cell,
        ])
        .setup(move |app| {
            let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
                .title("Moorline")
                .inner_size(720.0, 640.0)
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
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                agent.follow(|now| hear(&handle, now)).await;
            });
            let handle = app.handle().clone();
            thread::Builder::new().name("tray".to_owned()).spawn(move || obey(&handle, &window))?;
            Ok(())
        })
        .run(tauri::generate_context!())
}

fn hear(app: &AppHandle, now: Option<Snapshot>) {
    change(app, |shows| {
        shows.agent_gone = now.is_none();
        if now.is_some() {
            shows.snapshot = now;
        }
    });
}

/// Shows what the tray says on standard input, a view a line. When the tray is gone, however it ended, so is the window;
/// one that no tray ever spoke to was started by hand.
fn obey(app: &AppHandle, window: &WebviewWindow) {
    let mut has_tray = false;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let view = match serde_json::from_str::<View>(&line) {
            Ok(view) => view,
            Err(error) => {
                tracing::error!(%error, "the tray said something unknown");
                continue;
            }
        };
        has_tray = true;
        change(app, |shows| shows.view = view);
        // Before its page is loaded it stays hidden; it comes forward by itself then.
        if window.is_visible().unwrap_or(false) {
            front(window);
        }
    }
    if has_tray {
        tracing::info!("the tray has ended, and the window with it");
        app.exit(0);
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
