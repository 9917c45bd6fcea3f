//! Moorline's desktop app: the tray, what it shows and what it does. Nothing here creates a webview; the window is
//! a program of its own, `moorline-window`, which the tray starts and which leaves nothing behind when it closes.

pub mod app;
pub mod args;
#[cfg(target_os = "linux")]
mod bus;
pub mod clipboard;
pub mod command_line;
mod diary;
pub mod feed;
pub mod log;
pub mod login_item;
pub mod notify;
pub mod place;
pub mod tray;
pub mod window_child;
pub mod wire;
