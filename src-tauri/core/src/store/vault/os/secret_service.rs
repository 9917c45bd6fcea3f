//! Linux and the BSDs: the Secret Service of gnome-keyring, `KWallet` or `KeePassXC`, over D-Bus.
//!
//! Names and paths are those of the Secret Service API Draft of freedesktop.org.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;
use zbus::blocking::connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::condition::{Condition, SERVICE};

const NO_BUS: &str = "there is no D-Bus session, and so no keyring; log in to a desktop session, or start one with dbus-run-session, and try again";
const NO_SERVICE: &str = "no Secret Service answers on D-Bus; install and start gnome-keyring, or KeePassXC with its Secret Service switched on, and try again";
const NO_COLLECTION: &str = "the keyring has no default collection; create one and set it as default in Passwords and Keys (seahorse), and try again";

const BUS_NAME: &str = "org.freedesktop.secrets";

pub const SEARCH: (&str, &str) = ("service", SERVICE);

pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

pub fn modifiers(label: &str) -> HashMap<&str, &str> {
    HashMap::from([("label", label)])
}

/// Asks for the default collection and whether it is locked; asks nobody for a password.
pub fn condition(within: Duration) -> Option<Condition> {
    let session = connection::Builder::session().map(|builder| builder.method_timeout(within));
    let Ok(bus) = session.and_then(connection::Builder::build) else {
        return Some(Condition::Absent(NO_BUS));
    };
    let alias = bus.call_method(
        Some(BUS_NAME),
        "/org/freedesktop/secrets",
        Some("org.freedesktop.Secret.Service"),
        "ReadAlias",
        &"default",
    );
    let collection: OwnedObjectPath = match alias {
        Ok(reply) => reply.body().deserialize().ok()?,
        Err(zbus::Error::MethodError(name, ..)) if nobody_there(&name) => {
            return Some(Condition::Absent(NO_SERVICE));
        }
        Err(_) => return None,
    };
    if collection.as_str() == "/" {
        return Some(Condition::Absent(NO_COLLECTION));
    }
    let locked = bus.call_method(
        Some(BUS_NAME),
        &collection,
        Some("org.freedesktop.DBus.Properties"),
        "Get",
        &("org.freedesktop.Secret.Collection", "Locked"),
    );
    let locked: OwnedValue = locked.ok()?.body().deserialize().ok()?;
    let locked = bool::try_from(locked).ok()?;
    Some(if locked { Condition::Locked } else { Condition::Open })
}

/// The bus's own errors when nobody owns a name and nobody can be started for it (D-Bus Specification, Message
/// Bus Starting Services).
fn nobody_there(error: &str) -> bool {
    let Some(error) = error.strip_prefix("org.freedesktop.DBus.Error.") else { return false };
    matches!(error, "ServiceUnknown" | "NameHasNoOwner") || error.starts_with("Spawn.")
}
