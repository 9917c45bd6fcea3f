//! Whether Moorline starts when the person logs in.

#[cfg(not(target_os = "linux"))]
#[path = "native.rs"]
mod place;
#[cfg(target_os = "linux")]
#[path = "autostart.rs"]
mod place;

pub use place::LoginItem;
