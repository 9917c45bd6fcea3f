//! A machine with a real sshd: its own home, its own root password, its own names.

use std::collections::hash_map::RandomState;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::keys::KeyPair;
use crate::namespace::{Mount, Namespace};
use crate::person::{is_root, passwd_entry};
use crate::processes::{Program, descendants, until};
use crate::stage::venv;
use crate::weather::Weather;

/// The relay's name on the stage.
pub const RELAY_NAME: &str = "relay.example.net";

/// A machine in a mount namespace of its own. Its one user is whoever runs the tests.
#[derive(Debug)]
pub struct Machine {
    namespace: Namespace,
    root: TempDir,
    user: String,
    sshd: Option<Program>,
    /// Where sshd listens.
    address: &'static str,
    port: u16,
    starts: usize,
    options: String,
}

impl Machine {
    /// A machine with an empty home. The password works only when root runs the tests: sshd reads the shadow
    /// file, which nobody else can replace; see [`Machine::takes_passwords`].
    pub fn new(password: &str) -> Self {
        Self::made(password, None)
    }

    /// As [`Machine::new`], on a network with weather; sshd listens on all of its addresses.
    pub fn on(weather: &Weather, password: &str) -> Self {
        Self::made(password, Some(weather))
    }

    fn made(password: &str, weather: Option<&Weather>) -> Self {
        let (user, home) = passwd_entry();
        let root = tempfile::Builder::new().prefix("machine-").tempdir_in("/tmp").expect("/tmp is writable");
        let at = |name: &str| root.path().join(name);
        for name in ["disk", "keys", "logs", "programs", "venv"] {
            DirBuilder::new().mode(0o700).create(at(name)).expect("a fresh folder");
        }
        // The one name that a runtime must know.
        fs::write(at("hosts"), format!("127.0.0.1 localhost {RELAY_NAME}\n")).expect("its names");
        let mut mounts = vec![Mount::Bind { from: at("hosts"), at: PathBuf::from("/etc/hosts") }];
        // Where a second sshd looks.
        File::create(at("sshd_config")).expect("a fresh file");
        mounts.push(Mount::Bind { from: at("sshd_config"), at: PathBuf::from("/etc/ssh/sshd_config") });
        // Before the home is covered, below which it may lie.
        if venv().is_dir() {
            mounts.push(Mount::Bind { from: venv(), at: at("venv") });
        }
        mounts.push(Mount::Bind { from: at("disk"), at: home });
        if is_root() {
            let shadow =
                format!("{user}:{}:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n", hashed(password));
            fs::write(at("shadow"), shadow).expect("the password file is written");
            fs::set_permissions(at("shadow"), fs::Permissions::from_mode(0o600)).expect("its mode is set");
            mounts.push(Mount::Bind { from: at("shadow"), at: PathBuf::from("/etc/shadow") });
            // sshd insists on /run/sshd, which the system's own service may not have made.
            mounts.push(Mount::Empty { at: PathBuf::from("/run") });
        }
        let namespace = weather.map_or_else(|| Namespace::new(&mounts), |w| Namespace::on(w, &mounts));
        let address = if weather.is_some() { "0.0.0.0" } else { "127.0.0.1" };
        if is_root() {
            let made = namespace.command("/bin/mkdir").arg("/run/sshd").status();
            assert!(made.is_ok_and(|status| status.success()), "sshd gets its folder");
        }
        Self { namespace, root, user, sshd: None, address, port: 0, starts: 0, options: String::new() }
    }

    /// Whether people can log in with the password, rather than with a key alone.
    pub fn takes_passwords() -> bool {
        is_root()
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The home of its user, as the test sees it.
    pub fn disk(&self) -> PathBuf {
        self.root.path().join("disk")
    }

    /// A place for key pairs that outlive the disk.
    pub fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    /// A folder for programs that somebody installed on the machine, the same inside and outside.
    pub fn programs(&self) -> PathBuf {
        self.root.path().join("programs")
    }

    /// The Python of the test venv, as the machine sees it.
    pub fn python(&self) -> PathBuf {
        self.root.path().join("venv/bin/python3")
    }

    /// Where sshd listens on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A command that runs on the machine.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.namespace.server(program);
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin").env("LANG", "C.UTF-8");
        command
    }

    /// Starts sshd with these host keys, on this port or a free one.
    pub fn serve(&mut self, keys: &[KeyPair], port: Option<u16>) {
        self.stop();
        // Between finding a free port and listening on it, somebody else may take it.
        for _ in 0..5 {
            let candidate = port.unwrap_or_else(free_port);
            if self.try_serve(keys, candidate) {
                return;
            }
        }
        panic!("sshd does not start:\n{}", self.log());
    }

    /// From its next start on, sshd's configuration begins with these lines, which win over all others.
    pub fn prefer_options(&mut self, lines: &str) {
        lines.clone_into(&mut self.options);
    }

    /// Ends sshd and every session on it, as when the machine is taken away.
    pub fn stop(&mut self) {
        self.sshd = None;
    }

    /// Ends every session, and goes on to take new ones.
    pub fn hang_up(&self) {
        let Some(sshd) = &self.sshd else { return };
        for id in descendants(sshd.id()) {
            let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { continue };
            // One that ended meanwhile need not be ended.
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Empties the home.
    pub fn wipe(&self) {
        for entry in fs::read_dir(self.disk()).expect("the disk is there").flatten() {
            let path = entry.path();
            let wiped = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            wiped.expect("the disk can be emptied");
        }
    }

    /// Puts a program before all others of that name. The shell reads the file that says so also when ssh starts a
    /// command (bash(1), INVOCATION).
    pub fn put_program(&self, name: &str, script: &str) {
        let folder = self.disk().join("bin");
        fs::create_dir_all(&folder).expect("a folder for programs");
        fs::write(folder.join(name), script).expect("the program is written");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("it can be run");
        fs::write(self.disk().join(".bashrc"), "PATH=~/bin:$PATH\n").expect("the shell's file is written");
    }

    /// Lets this public key log in.
    pub fn authorise(&self, public: &str) {
        let folder = self.disk().join(".ssh");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder for the key");
        let mut file = File::options().create(true).append(true).open(folder.join("authorized_keys"));
        writeln!(file.as_mut().expect("the key file opens"), "{public}").expect("the key is written");
    }

    /// What sshd logged since its last start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.root.path().join(format!("logs/sshd.{}", self.starts))
    }

    fn try_serve(&mut self, keys: &[KeyPair], port: u16) -> bool {
        self.starts += 1;
        let config = self.root.path().join("sshd_config");
        fs::write(&config, format!("{}{}", self.options, sshd_config(keys, self.address, port)))
            .expect("sshd's config is written");
        let mut command = self.command("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(&config).stdout(Stdio::null());
        command.stderr(File::create(self.log_path()).expect("the log can be written"));
        let mut sshd = Program::start(command);
        let listening = format!("Server listening on {} port {port}.", self.address);
        let mut serves = false;
        until("sshd to listen or to give up", || {
            serves = self.log().contains(&listening);
            serves || !sshd.is_running()
        });
        if serves {
            (self.sshd, self.port) = (Some(sshd), port);
        }
        serves
    }
}

/// A port of `127.0.0.1` that nobody listens on. It is below those which systems give out by themselves (from 32768 or
/// 49152), so that no other test is given it meanwhile, and nobody remembers another's service there.
pub fn free_port() -> u16 {
    loop {
        // Every hasher of the standard library starts from randomness of its own.
        let random = RandomState::new().build_hasher().finish() % 20_000;
        let port = 12_000 + u16::try_from(random).expect("less than 20,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn sshd_config(keys: &[KeyPair], address: &str, port: u16) -> String {
    let paths = keys.iter().map(|key| format!("HostKey {}\n", Path::display(&key.path))).collect::<String>();
    format!(
        "ListenAddress {address}:{port}\n{paths}PidFile none\nAuthorizedKeysFile .ssh/authorized_keys\n\
         PermitRootLogin yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\nUsePAM no\n\
         StrictModes no\nAllowTcpForwarding yes\nGatewayPorts clientspecified\nMaxStartups 100\n\
         Subsystem sftp internal-sftp\nLogLevel VERBOSE\n"
    )
}

/// The password as the shadow file has it.
fn hashed(password: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["passwd", "-6", "-stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("openssl is installed");
    let mut stdin = child.stdin.take().expect("its input is piped");
    writeln!(stdin, "{password}").expect("openssl reads the password");
    drop(stdin);
    let output = child.wait_with_output().expect("openssl ends");
    String::from_utf8(output.stdout).expect("a hash is text").trim_end().to_owned()
}

/// A password like those that cells print.
pub fn random_password() -> String {
    let mut bytes = [0u8; 20];
    let mut source = File::open("/dev/urandom").expect("the system has random bytes");
    std::io::Read::read_exact(&mut source, &mut bytes).expect("random bytes are read");
    let alphabet = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}
