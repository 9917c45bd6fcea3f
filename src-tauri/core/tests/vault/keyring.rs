//! A private D-Bus session with a home of its own, and a gnome-keyring on it.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use zbus::blocking::{Connection, fdo};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};

const INSIDE: &str = "MOORLINE_TEST_INSIDE_SESSION";
const SECRETS: &str = "org.freedesktop.secrets";
const PASSWORD: &str = "test-password";

/// A bus on which nothing can be started by its name, so that what is not started here is not there.
const BUS_CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=@DIR@</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Runs `body` in a fresh session. `test` is the calling test's own name: it is run again, inside.
pub fn in_session(test: &str, body: impl FnOnce(&Bus)) {
    if let Some(home) = env::var_os(INSIDE) {
        let connection = Connection::session().expect("the private bus answers");
        return body(&Bus { home: home.into(), connection });
    }
    for (program, package) in [("dbus-run-session", "dbus-daemon"), ("gnome-keyring-daemon", "gnome-keyring")]
    {
        let found = env::var_os("PATH")
            .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()));
        assert!(found, "{program} is missing: install the package {package}, or run `make test`, which does");
    }
    let temp = tempfile::tempdir().unwrap();
    let dir = |name: &str| {
        let path = temp.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    };
    let (home, runtime, bus) = (dir("home"), dir("runtime"), dir("bus"));
    let config = temp.path().join("bus.conf");
    fs::write(&config, BUS_CONFIG.replace("@DIR@", bus.to_str().unwrap())).unwrap();
    let output = Command::new("dbus-run-session")
        .arg(format!("--config-file={}", config.display()))
        .arg("--")
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, &home)
        .env("HOME", &home)
        .env("XDG_RUNTIME_DIR", &runtime)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("GNOME_KEYRING_CONTROL")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "inside the session:\n{said}");
}

/// The private session, from inside.
pub struct Bus {
    home: PathBuf,
    connection: Connection,
}

impl Bus {
    /// Starts the keyring; its collection is made at the first start, and open.
    pub fn start_unlocked(&self) -> Daemon {
        let daemon = self.spawn(&[]);
        wait_for_owner(&self.connection, true);
        daemon
    }

    /// Has a new keyring take the place of `old`, as `gnome-keyring-daemon --replace` does.
    pub fn replace(&self, mut old: Daemon) -> Daemon {
        let new = self.spawn(&["--replace"]);
        old.child.take().unwrap().wait().unwrap();
        wait_for_owner(&self.connection, true);
        new
    }

    fn spawn(&self, arguments: &[&str]) -> Daemon {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The daemon reads to the end of its input, without a line end.
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        Daemon { child: Some(child), connection: self.connection.clone() }
    }

    /// Locks the default collection.
    pub fn lock(&self) {
        let collection = self.collection();
        let _locked: (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.service("Lock", &(vec![ObjectPath::from(collection)],));
    }

    /// Takes the place of the program that shows unlock dialogs, and shows one that is never answered.
    pub fn prompt_for_ever(&self) {
        self.connection.request_name("org.gnome.keyring.SystemPrompter").unwrap();
    }

    /// The labels of the items with these attributes.
    pub fn labels(&self, attributes: &[(&str, &str)]) -> Vec<String> {
        let attributes: HashMap<&str, &str> = attributes.iter().copied().collect();
        let (open, _locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.service("SearchItems", &attributes);
        let label = |path: OwnedObjectPath| {
            let reply = self.connection.call_method(
                Some(SECRETS),
                path,
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.freedesktop.Secret.Item", "Label"),
            );
            let value: OwnedValue = reply.unwrap().body().deserialize().unwrap();
            String::try_from(value).unwrap()
        };
        open.into_iter().map(label).collect()
    }

    /// The content of every file below the home.
    pub fn files_below_home(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut files = Vec::new();
        collect(&self.home, &mut files);
        files.into_iter()
    }

    fn collection(&self) -> OwnedObjectPath {
        self.service("ReadAlias", &"default")
    }

    fn service<B, R>(&self, method: &str, body: &B) -> R
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let interface = Some("org.freedesktop.Secret.Service");
        let path = "/org/freedesktop/secrets";
        let reply = self.connection.call_method(Some(SECRETS), path, interface, method, body).unwrap();
        reply.body().deserialize().unwrap()
    }
}

/// A running keyring, which ends with this value.
pub struct Daemon {
    child: Option<Child>,
    connection: Connection,
}

impl Daemon {
    /// Kills it as a crash would, and waits until its name is free.
    pub fn kill(mut self) {
        self.end();
        wait_for_owner(&self.connection, false);
    }

    /// Stops it from answering.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until the keyring's name has, or no longer has, an owner.
fn wait_for_owner(connection: &Connection, wanted: bool) {
    let bus = fdo::DBusProxy::new(connection).unwrap();
    // Listening starts before asking, so that no change falls between the two.
    let mut changes = bus.receive_name_owner_changed_with_args(&[(0, SECRETS)]).unwrap();
    let mut owned = bus.name_has_owner(SECRETS.try_into().unwrap()).unwrap();
    while owned != wanted {
        owned = changes.next().unwrap().args().unwrap().new_owner().is_some();
    }
}

fn collect(dir: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(fs::read(&path).unwrap());
        }
    }
}
