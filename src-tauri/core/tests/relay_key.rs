//! A relay that was prepared for a runtime, with a real sshd in its place: what the runtime's key can do there, and
//! what it cannot.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::relay_identity::relay_place;
use moorline_core::ssh::relay_setup::{Prepared, Retired, RuntimeKey, prepare, retire};
use moorline_ssh_files::HostKey;

use support::{LIMIT, Sshd, block_on, free_port, keygen, relay};

const KID: &str = "Ab-_0123abcd";

/// A relay, the person's ssh for it, and the runtime's key.
struct Stage {
    front: Sshd,
    person: tempfile::TempDir,
    ssh: SystemSsh,
    port: u16,
}

impl Stage {
    fn new() -> Self {
        Self::with("")
    }

    /// With further settings of the relay's sshd.
    fn with(settings: &str) -> Self {
        let settings = format!("Subsystem sftp internal-sftp\n{settings}");
        let (front, person) = (Sshd::with(&["ed25519"], &settings), tempfile::tempdir().unwrap());
        let ssh = front.friend(person.path());
        keygen("ed25519", &person.path().join("runtime"));
        Self { front, person, ssh, port: free_port() }
    }

    /// A relay that is prepared.
    fn prepared() -> Self {
        let stage = Self::new();
        assert_eq!(stage.prepare(&stage.key()), Prepared::Added);
        stage
    }

    fn key(&self) -> RuntimeKey {
        RuntimeKey {
            session: "colab".parse().unwrap(),
            kid: KID.parse().unwrap(),
            key: public(&self.person.path().join("runtime")),
            port: self.port.try_into().unwrap(),
        }
    }

    fn prepare(&self, key: &RuntimeKey) -> Prepared {
        block_on(prepare(&self.ssh, &relay(), key, LIMIT)).unwrap()
    }

    fn authorized_keys(&self) -> PathBuf {
        self.front.home().join(".ssh/authorized_keys")
    }

    fn announced(&self) -> String {
        std::fs::read_to_string(self.front.home().join(".moorline").join(KID)).unwrap_or_default()
    }

    /// `ssh` as the runtime runs it.
    fn runtime(&self, arguments: &[&str]) -> Command {
        self.runtime_runs("ssh", arguments)
    }

    fn runtime_runs(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(["-F", "none", "-i"]).arg(self.person.path().join("runtime"));
        let known = format!("UserKnownHostsFile={}", self.person.path().join(".ssh/known_hosts").display());
        for option in ["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=yes", &known] {
            command.args(["-o", option]);
        }
        command.args(["-o", &format!("Port={}", self.front.port)]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end with this on its standard input.
    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let login = login();
        let arguments: Vec<&str> =
            arguments.iter().map(|a| if *a == "RELAY" { login.as_str() } else { *a }).collect();
        ended(self.runtime(&arguments), input)
    }

    /// Runs a program that wants to talk to one at the far end, and gets to the announcing command instead, which
    /// waits for the end of an announcement.
    fn waits_in_vain(&self, mut command: Command, input: &[u8]) {
        let forced = || self.front.log().matches("Starting session: forced-command (key-option)").count();
        let before = forced();
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        awaits("the one command to be started", || forced() > before);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A forwarding that goes on, if it is let; what ssh says of it otherwise.
    fn forward(&self, arguments: &[&str]) -> Child {
        let login = login();
        let all = [&["-N", "-T", "-o", "ExitOnForwardFailure=yes"], arguments, &[login.as_str()]].concat();
        self.runtime(&all).spawn().unwrap()
    }
}

fn login() -> String {
    format!("{}@127.0.0.1", support::user())
}

fn ended(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn public(path: &Path) -> HostKey {
    let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ").parse().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn announcement(filling: &str) -> String {
    format!("ml1.{KID}.{filling}.mac\n")
}

/// Waits for something that takes a while.
fn awaits(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn preparing_adds_one_line_and_undoing_leaves_no_trace() {
    let stage = Stage::new();
    let dotfiles = stage.person.path().join("dotfiles");
    let before = "# mine\r\nssh-ed25519 AAAA me\n\n";
    std::fs::create_dir_all(stage.authorized_keys().parent().unwrap()).unwrap();
    std::fs::write(&dotfiles, before).unwrap();
    std::fs::set_permissions(&dotfiles, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&dotfiles, stage.authorized_keys()).unwrap();
    let held = || std::fs::read_to_string(stage.authorized_keys()).unwrap();

    let key = stage.key();
    assert_eq!(stage.prepare(&key), Prepared::Added);
    assert_eq!(held(), format!("{before}{}\n", key.line()));
    let written = std::fs::metadata(&dotfiles).unwrap().modified().unwrap();
    assert_eq!(stage.prepare(&key), Prepared::Unchanged);
    assert_eq!(std::fs::metadata(&dotfiles).unwrap().modified().unwrap(), written, "nothing was written");

    assert!(stage.run(&["RELAY"], announcement("old").as_bytes()).status.success());
    let newer =
        RuntimeKey { kid: "Bb-_0123abcd".parse().unwrap(), port: free_port().try_into().unwrap(), ..key };
    assert_eq!(stage.prepare(&newer), Prepared::Replaced);
    assert_eq!(held(), format!("{before}{}\n", newer.line()));
    assert_eq!(stage.announced(), "", "what was announced under the older key is gone with it");
    let backup = stage.authorized_keys().with_extension("moorline-backup");
    assert!(backup.exists() || stage.front.home().join(".ssh/authorized_keys.moorline-backup").exists());

    let undo = || block_on(retire(&stage.ssh, &relay(), &newer.session, &[], LIMIT)).unwrap();
    assert_eq!(undo(), Retired::Removed);
    assert_eq!(held(), before);
    assert!(stage.authorized_keys().is_symlink(), "the symlink stays");
    assert_eq!(std::fs::metadata(&dotfiles).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(undo(), Retired::Unchanged);
    let left: Vec<_> = walk(&stage.front.home());
    assert_eq!(left, [".ssh", ".ssh/authorized_keys"], "nothing else is left");
}

fn walk(folder: &Path) -> Vec<String> {
    let output = Command::new("find").args([".", "-mindepth", "1"]).current_dir(folder).output().unwrap();
    let mut all: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|l| l.trim_start_matches("./").to_owned())
        .collect();
    all.sort();
    all
}

#[test]
fn what_another_session_announced_stays() {
    let stage = Stage::prepared();
    let other = RuntimeKey {
        session: "trainer".parse().unwrap(),
        kid: "Tb-_0123abcd".parse().unwrap(),
        ..stage.key()
    };
    let line = other.line();
    assert_eq!(stage.prepare(&other), Prepared::Added);
    assert!(
        stage.run(&["RELAY"], announcement("x").as_bytes()).status.success(),
        "the older line still counts"
    );
    let undo = block_on(retire(&stage.ssh, &relay(), &other.session, &[], LIMIT)).unwrap();
    assert_eq!(undo, Retired::Removed);
    assert_eq!(stage.announced(), announcement("x"));
    let held = std::fs::read_to_string(stage.authorized_keys()).unwrap();
    assert!(held.contains(&stage.key().line()) && !held.contains(&line), "{held}");
}

#[test]
fn the_runtime_s_key_runs_one_command_and_no_other() {
    let stage = Stage::prepared();
    let target = stage.person.path().join("reached");
    let reach = format!("touch {0}; id > {0}", target.display());
    for command in
        [reach.as_str(), "id", "sh -i", "/bin/sh", "exec bash", "scp -t /tmp", "internal-sftp", "moorline"]
    {
        let output = stage.run(&["RELAY", command], b"id\n");
        assert!(!output.status.success(), "{command}");
        let said = said(&output);
        assert!(
            said.contains("one line of at most 2048 bytes") && !said.contains("uid="),
            "{command}: {said}"
        );
        assert!(output.stdout.is_empty(), "{command}: {said}");
    }
    assert!(!target.exists(), "no command ran");
    assert_eq!(stage.announced(), "");

    let output = stage.run(&["-tt", "RELAY"], announcement("x").as_bytes());
    assert!(said(&output).contains("PTY allocation request failed"), "{}", said(&output));
    let mut subsystem = stage.runtime(&["-s", &login(), "sftp"]);
    subsystem.stdin(Stdio::null());
    let output = subsystem.spawn().unwrap().wait_with_output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{}", said(&output));
}

#[test]
fn files_cannot_be_copied_with_it() {
    let stage = Stage::prepared();
    let (mine, theirs) = (stage.person.path().join("mine"), stage.front.home().join("theirs"));
    std::fs::write(&mine, "x").unwrap();
    std::fs::write(&theirs, "y").unwrap();
    let (mine, stolen) = (mine.display().to_string(), stage.person.path().join("stolen"));
    let stolen_at = stolen.display().to_string();
    for old_protocol in [true, false] {
        let way = if old_protocol { "-O" } else { "-s" };
        for (from, to) in [
            (mine.clone(), format!("{}:{}", login(), stage.front.home().join("put").display())),
            (format!("{}:{}", login(), theirs.display()), stolen_at.clone()),
        ] {
            stage.waits_in_vain(stage.runtime_runs("scp", &[way, &from, &to]), b"");
        }
    }
    let batch = format!(
        "put {mine} {0}\nget {1} {stolen_at}\n",
        stage.front.home().join("put").display(),
        theirs.display()
    );
    stage.waits_in_vain(stage.runtime_runs("sftp", &["-b", "-", &login()]), batch.as_bytes());
    assert!(!stolen.exists() && !stage.front.home().join("put").exists());
}

#[test]
fn it_forwards_one_port_of_the_loopback_and_nothing_else() {
    let stage = Stage::prepared();
    let port = stage.port;
    for bind in [
        format!("127.0.0.1:{}", free_port()),
        format!("0.0.0.0:{port}"),
        format!("*:{port}"),
        format!("[::1]:{port}"),
        format!("localhost:{port}"),
        format!("127.0.0.2:{port}"),
        "127.0.0.1:0".to_owned(),
        "0".to_owned(),
    ] {
        let child = stage.forward(&["-R", &format!("{bind}:127.0.0.1:1")]);
        let output = child.wait_with_output().unwrap();
        assert!(said(&output).contains("remote port forwarding failed"), "{bind}: {}", said(&output));
        assert!(!output.status.success(), "{bind}");
    }
    // Not even the whole range of the one socket family that it may use, by SOCKS from the far end.
    let output = stage.forward(&["-R", &free_port().to_string()]).wait_with_output().unwrap();
    assert!(said(&output).contains("remote port forwarding failed"), "{}", said(&output));

    let behind = support::listen(|mut stream| drop(stream.write_all(b"runtime\n")));
    let mut tunnel = stage.forward(&["-R", &format!("127.0.0.1:{port}:127.0.0.1:{behind}")]);
    let mut heard = String::new();
    awaits("the tunnel", || {
        heard.clear();
        let stream = TcpStream::connect(("127.0.0.1", port));
        stream.is_ok_and(|mut stream| stream.read_to_string(&mut heard).is_ok() && heard == "runtime\n")
    });
    tunnel.kill().unwrap();
    tunnel.wait().unwrap();
}

#[test]
fn nothing_behind_the_relay_can_be_reached_with_it() {
    let stage = Stage::prepared();
    let inside = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    inside.set_nonblocking(true).unwrap();
    let place = format!("127.0.0.1:{}", inside.local_addr().unwrap().port());
    let socket = stage.front.home().join("inside.sock");
    let unix = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    unix.set_nonblocking(true).unwrap();

    for target in [place.as_str(), "127.0.0.1:22", &format!("127.0.0.1:{}", stage.front.port)] {
        let output = stage.run(&["-W", target, "RELAY"], b"x");
        assert!(!output.status.success() && output.stdout.is_empty(), "-W {target}: {}", said(&output));
    }
    let (local, socks, to_unix) = (free_port(), free_port(), free_port());
    let forwards = [
        ["-L".to_owned(), format!("127.0.0.1:{local}:{place}")],
        ["-L".to_owned(), format!("127.0.0.1:{to_unix}:{}", socket.display())],
        ["-D".to_owned(), format!("127.0.0.1:{socks}")],
    ];
    let arguments: Vec<&str> = forwards.iter().flatten().map(String::as_str).collect();
    let mut forwarding = stage.forward(&arguments);
    for at in [local, to_unix, socks] {
        let mut stream = None;
        awaits("the local end", || {
            stream = TcpStream::connect(("127.0.0.1", at)).ok();
            stream.is_some()
        });
        let mut stream = stream.unwrap();
        if at == socks {
            let port: u16 = place.rsplit_once(':').unwrap().1.parse().unwrap();
            stream
                .write_all(&[&[5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1][..], &port.to_be_bytes()].concat())
                .unwrap();
        }
        let mut heard = Vec::new();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let _ = stream.read_to_end(&mut heard);
        // A SOCKS server greets (5, 0) before it knows where to; success would be 5, 0 again.
        assert!(heard.len() <= 2 || heard.get(3) != Some(&0), "{at}: {heard:?}");
    }
    forwarding.kill().unwrap();
    forwarding.wait().unwrap();
    assert!(inside.accept().is_err(), "nobody came to the port inside");
    assert!(unix.accept().is_err(), "nor to the socket");
}

/// OpenSSH has no option for a key line that would forbid this; SECURITY.md says so.
#[test]
fn unix_sockets_are_for_the_relay_s_own_settings_to_forbid() {
    let stage = Stage::with("AllowStreamLocalForwarding no");
    stage.prepare(&stage.key());
    let socket = stage.front.home().join("made.sock");
    let forward = format!("{}:127.0.0.1:1", socket.display());
    let output = stage.forward(&["-R", &forward]).wait_with_output().unwrap();
    assert!(!output.status.success() && !socket.exists(), "{}", said(&output));

    let open = Stage::prepared();
    let socket = open.front.home().join("made.sock");
    let mut child = open.forward(&["-R", &format!("{}:127.0.0.1:1", socket.display())]);
    awaits("sshd's word", || socket.exists() || child.try_wait().unwrap().is_some());
    assert!(socket.exists(), "sshd has learned to refuse this: take the limit out of SECURITY.md");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn neither_agent_nor_display_are_forwarded_with_it() {
    let stage = Stage::prepared();
    let socket = stage.person.path().join("agent.sock");
    let mut agent =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    awaits("the agent", || socket.exists());
    let mut command = stage.runtime(&["-A", "-Y", &login()]);
    command.env("SSH_AUTH_SOCK", &socket).env("DISPLAY", "127.0.0.1:99");
    let output = ended(command, announcement("x").as_bytes());
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(said(&output).contains("X11 forwarding request failed"), "{}", said(&output));
    awaits("sshd's word about the agent", || stage.front.log().contains("agent forwarding disabled"));
}

#[test]
fn an_announcement_is_kept_and_everything_else_is_refused() {
    let stage = Stage::prepared();
    let good = announcement("body");
    assert!(stage.run(&["RELAY"], good.as_bytes()).status.success());
    let refused: [(&str, Vec<u8>); 6] = [
        ("3 KiB", announcement(&"x".repeat(3072)).into_bytes()),
        ("a megabyte", announcement(&"x".repeat(1 << 20)).into_bytes()),
        ("binary", (0..=255).cycle().take(4096).collect()),
        ("two lines", format!("{good}{good}").into_bytes()),
        ("another key's", good.replace(KID, "Zb-_0123abcd").into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (what, input) in refused {
        let output = stage.run(&["RELAY"], &input);
        assert!(
            !output.status.success() && said(&output).contains("one line of at most"),
            "{what}: {}",
            said(&output)
        );
        assert_eq!(stage.announced(), good, "{what}");
    }
    assert!(stage.run(&["RELAY"], announcement("second").as_bytes()).status.success());
    assert_eq!(stage.announced(), good + &announcement("second"));
}

#[test]
fn the_relay_s_own_key_is_the_one_that_the_person_s_ssh_has_verified() {
    let stage = Stage::new();
    let place = block_on(relay_place(&stage.ssh, &relay(), LIMIT)).unwrap();
    assert_eq!(place.key, stage.front.host_key("ed25519"));
    assert_eq!(place.place.to_string(), format!("[127.0.0.1]:{}", stage.front.port));
    assert_eq!((place.user.as_str(), place.behind_another), (support::user().as_str(), false));

    std::fs::write(stage.person.path().join(".ssh/known_hosts"), "").unwrap();
    let error = block_on(relay_place(&stage.ssh, &relay(), LIMIT)).unwrap_err();
    assert!(error.to_string().contains("is not in your known_hosts"), "{error}");
}

#[test]
fn a_relay_that_refuses_the_person_is_not_changed_and_named() {
    let stage = Stage::new();
    std::fs::write(stage.front.authorized_keys(), "").unwrap();
    let error = block_on(prepare(&stage.ssh, &relay(), &stage.key(), LIMIT)).unwrap_err();
    assert!(error.to_string().contains("refused the login"), "{error}");
    assert!(!stage.authorized_keys().exists());
}
