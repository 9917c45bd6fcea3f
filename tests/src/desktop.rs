//! A private session bus with a real gnome-keyring that is unlocked.

use std::io::Write;
use std::process::Stdio;

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::bus::session_bus;
use crate::processes::{Program, until};
use crate::stage::Stage;

/// The person's desktop session: bus and keyring, both inside the stage.
#[derive(Debug)]
pub struct Desktop {
    _bus: Program,
    keyring: Program,
}

/// Opens the keyring; as secret as the rest.
const KEYRING_PASSWORD: &str = "a-test-keyring-opens-with-this";

impl Desktop {
    /// Starts the bus where `XDG_RUNTIME_DIR` says clients look for it, and the keyring on it.
    pub fn start(stage: &Stage) -> Self {
        let address = format!("unix:path={}", stage.runtime_dir().join("bus").display());
        stage.set_env("DBUS_SESSION_BUS_ADDRESS", &address);
        let mut command = stage.command("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", &format!("--address={address}")]);
        command.stdout(Stdio::null()).stderr(stage.log("dbus-daemon"));
        let mut bus = Program::start(command);
        let socket = stage.runtime_dir().join("bus");
        bus.await_ready(|| socket.exists(), || stage.read_log("dbus-daemon"));
        let keyring = unlocked_keyring(stage);
        Self { _bus: bus, keyring }
    }

    /// The keyring daemon crashes and comes back, as it does when people update or log in anew.
    pub fn restart_keyring(&mut self, stage: &Stage) {
        self.keyring.kill();
        until("the keyring's name to be free", || !owns_secrets(stage));
        self.keyring = unlocked_keyring(stage);
    }

    /// The keyring is locked, as it is at login where nobody typed a password.
    pub fn lock_keyring(&self, stage: &Stage) {
        let bus = session_bus(stage);
        let collection = default_collection(&bus);
        let locked: (Vec<OwnedObjectPath>, OwnedObjectPath) =
            secret_service(&bus, SERVICE).call("Lock", &(vec![&collection],)).expect("the keyring locks");
        assert_eq!(locked.0, [collection], "without a dialog");
    }

    /// The person unlocks it. Their dialog's own way in is gnome-keyring's, and no dialog runs here.
    pub fn unlock_keyring(&self, stage: &Stage) {
        let bus = session_bus(stage);
        let collection = default_collection(&bus);
        let (_, session): (OwnedValue, OwnedObjectPath) = secret_service(&bus, SERVICE)
            .call("OpenSession", &("plain", Value::from("")))
            .expect("the keyring talks");
        let secret = (session, Vec::<u8>::new(), KEYRING_PASSWORD.as_bytes().to_vec(), "text/plain");
        secret_service(&bus, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
            .call::<_, _, ()>("UnlockWithMasterPassword", &(collection, secret))
            .expect("the keyring opens");
    }
}

const SERVICE: &str = "org.freedesktop.Secret.Service";

fn secret_service<'a>(bus: &Connection, interface: &'a str) -> Proxy<'a> {
    Proxy::new(bus, "org.freedesktop.secrets", "/org/freedesktop/secrets", interface).expect("valid names")
}

fn default_collection(bus: &Connection) -> OwnedObjectPath {
    secret_service(bus, SERVICE).call("ReadAlias", &"default").expect("there is a default collection")
}

fn unlocked_keyring(stage: &Stage) -> Program {
    let mut command = stage.command("gnome-keyring-daemon");
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(stage.log("keyring"));
    let mut child = command.spawn().expect("gnome-keyring-daemon is installed");
    let mut stdin = child.stdin.take().expect("its input is piped");
    stdin.write_all(KEYRING_PASSWORD.as_bytes()).expect("the keyring reads its password");
    drop(stdin);
    let mut keyring = Program::adopt(child, "gnome-keyring-daemon");
    keyring.await_ready(|| owns_secrets(stage), || stage.read_log("keyring"));
    stage.hide(KEYRING_PASSWORD);
    keyring
}

fn owns_secrets(stage: &Stage) -> bool {
    name_is_owned(stage, "org.freedesktop.secrets")
}

/// Whether somebody on the session bus goes by this name.
pub fn name_is_owned(stage: &Stage, name: &str) -> bool {
    let arguments = [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.NameHasOwner",
        &format!("string:{name}"),
    ];
    stage.run("dbus-send", &arguments).stdout.contains("boolean true")
}
