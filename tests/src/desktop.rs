//! A private session bus with a real gnome-keyring that is unlocked.

use std::io::Write;
use std::process::Stdio;

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
