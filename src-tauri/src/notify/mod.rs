//! Notifications: what one looks like as plain data, and one renderer per desktop that shows it.

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(not(target_os = "linux"))]
mod native;
mod shown;

pub use shown::{Button, Shown};

#[cfg(target_os = "linux")]
pub use freedesktop::{Notifications, announce};
#[cfg(not(target_os = "linux"))]
pub use native::Notifications;
