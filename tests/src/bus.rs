//! The stage's session bus.

use zbus::blocking::{Connection, connection};

use crate::stage::Stage;

/// What the panel's tray plugin, like every tray host's watcher, is called on the bus.
pub const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// A connection of the test's own to the stage's session bus.
pub fn session_bus(stage: &Stage) -> Connection {
    let address = format!("unix:path={}", stage.runtime_dir().join("bus").display());
    connection::Builder::address(address.as_str())
        .and_then(connection::Builder::build)
        .expect("the bus is there")
}
