//! What the SSH tests share: a real sshd on loopback, small listeners, an own client.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use moorline_core::ssh::{Prompts, Route, SystemSsh};
use moorline_model::session::RelayTarget;
use moorline_ssh_files::{HostKey, Place};
use tempfile::TempDir;

/// Long enough for a loaded machine; only a failing test waits for it.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Runs async test code as the program does.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub fn tcp(port: u16) -> Route {
    Route::Tcp(Place { host: "127.0.0.1".parse().unwrap(), port: port.try_into().unwrap() })
}

/// The user that runs the tests.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// OpenSSH's server with fresh keys in a temporary directory; key logins for the current user only.
pub struct Sshd {
    dir: TempDir,
    child: Child,
    log: Arc<Mutex<String>>,
    pub port: u16,
}

impl Sshd {
    pub fn start() -> Self {
        Self::with(&["ed25519"], "")
    }

    /// With host keys of these kinds and further configuration lines.
    pub fn with(kinds: &[&str], extra: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        for kind in kinds {
            keygen(kind, Path::new(&at(&format!("host_{kind}"))));
        }
        keygen("ed25519", Path::new(&at("id")));
        std::fs::copy(at("id.pub"), at("authorized_keys")).unwrap();
        // Only needed, and only possible, as root.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = free_port();
        let host_keys: Vec<_> =
            kinds.iter().map(|kind| format!("HostKey {}", at(&format!("host_{kind}")))).collect();
        let host_keys = host_keys.join("\n");
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\n{host_keys}\nPidFile none\nAuthorizedKeysFile {} {}\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             UsePAM no\nStrictModes no\nLogLevel DEBUG1\n{extra}\nSetEnv HOME={}\n",
            at("authorized_keys"),
            at("home/.ssh/authorized_keys"),
            at("home")
        );
        std::fs::create_dir(at("home")).unwrap();
        std::fs::write(at("sshd_config"), config).unwrap();
        let (child, log) = serve(Path::new(&at("sshd_config")));
        Self { dir, child, log, port }
    }

    /// Goes down with every connection that it holds, and comes back on the same port.
    pub fn restart(&mut self) {
        let children = format!("pkill -KILL -P {0}; kill -KILL {0}", self.child.id());
        Command::new("sh").args(["-c", &children]).status().unwrap();
        self.child.wait().unwrap();
        (self.child, self.log) = serve(&self.dir.path().join("sshd_config"));
    }

    pub fn route(&self) -> Route {
        tcp(self.port)
    }

    pub fn host_key(&self, kind: &str) -> HostKey {
        let text = std::fs::read_to_string(self.dir.path().join(format!("host_{kind}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").parse().unwrap()
    }

    pub fn identity(&self) -> PathBuf {
        self.dir.path().join("id")
    }

    pub fn authorized_keys(&self) -> PathBuf {
        self.dir.path().join("authorized_keys")
    }

    /// The home of whoever logs in: never the tests' own. Keys in its `authorized_keys` are taken, too.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The person's `ssh` in a home where `Host relay` is this server and its key is known.
    pub fn friend(&self, home: &Path) -> SystemSsh {
        let dir = home.join(".ssh");
        std::fs::create_dir_all(&dir).unwrap();
        let config = format!(
            "Host relay\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n",
            self.port,
            user(),
            self.identity().display()
        );
        std::fs::write(dir.join("config"), config).unwrap();
        let key = self.host_key("ed25519");
        let known = format!("[127.0.0.1]:{} {} {}\n", self.port, key.algorithm().as_str(), key.base64());
        std::fs::write(dir.join("known_hosts"), known).unwrap();
        let ssh = SystemSsh::find(Some(home)).unwrap();
        assert_eq!(ssh.prompts, Prompts::Never, "a test must never wait for a person");
        ssh
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn serve(config: &Path) -> (Child, Arc<Mutex<String>>) {
    let mut child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(config)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (log, ready) = follow(child.stderr.take().unwrap(), "Server listening on");
    ready.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("sshd does not start: {}", log.lock().unwrap()));
    (child, log)
}

pub fn relay() -> RelayTarget {
    "relay".parse().unwrap()
}

/// Makes a key pair without a passphrase.
pub fn keygen(kind: &str, path: &Path) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f"]).arg(path).status().unwrap();
    assert!(made.success(), "ssh-keygen -t {kind}");
}

/// A port that was free a moment ago, and is below those which systems give out by themselves (from 32768 or 49152): no
/// other test is given it meanwhile, and nobody remembers another's service there.
pub fn free_port() -> u16 {
    loop {
        // Every hasher of the standard library starts from randomness of its own.
        let random = RandomState::new().build_hasher().finish() % 20_000;
        let port = 12_000 + u16::try_from(random).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Accepts connections for ever and gives each to `serve`.
pub fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    port
}

/// Answers like a web server: reads a line, says 400, closes.
pub fn web_server() -> u16 {
    listen(|mut stream| {
        let _ = stream.read(&mut [0; 256]);
        let _ =
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<h1>\x1b[31mno</h1>\r\n");
    })
}

fn follow(
    stderr: impl Read + Send + 'static,
    sign: &'static str,
) -> (Arc<Mutex<String>>, mpsc::Receiver<()>) {
    let log = Arc::new(Mutex::new(String::new()));
    let (say, ready) = mpsc::channel();
    let kept = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            kept.lock().unwrap().extend([line.as_str(), "\n"]);
            if line.contains(sign) {
                let _ = say.send(());
            }
        }
    });
    (log, ready)
}
