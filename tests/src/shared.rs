//! A person whose connections share one slot, and what they do with them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::machine::free_port;
use crate::outcome::Outcome;
use crate::processes::until;
use crate::runtime::Runtime;
use crate::slot::Slot;
use crate::stage::Stage;
use crate::story::Story;

const PROXY: &str = "ProxyCommand=moorline-proxy --shared colab";

/// A person who follows a runtime behind an edge with one slot.
#[derive(Debug)]
pub struct Shared {
    /// The person and the runtime.
    pub story: Story,
    /// The edge.
    pub slot: Slot,
}

impl Shared {
    /// The edge enforces its one slot from here on.
    pub fn begin() -> Self {
        Self::begin_with("")
    }

    /// ssh goes to the runtime itself, and so does the hub.
    pub fn beside_the_edge() -> Self {
        let story = Story::begin();
        let port = story.runtime.port();
        let shared = Self { story, slot: Slot::start(port) };
        shared.follow(port);
        shared
    }

    /// With these lines before all others in the runtime's `sshd_config`.
    pub fn begin_with(options: &str) -> Self {
        let mut story = Story::begin();
        story.runtime.serve_with_options(options);
        let slot = Slot::start(story.runtime.port());
        let shared = Self { story, slot };
        shared.follow(shared.slot.port());
        shared.slot.enforce();
        shared
    }

    fn follow(&self, port: u16) {
        let Self { story, .. } = self;
        let (user, password) = (story.runtime.user(), story.runtime.password());
        let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {password}\n");
        story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
        story.help_login_without_root();
        story.stage.set_env("MOORLINE_HUB_IDLE", "30");
    }

    /// The person's machine.
    pub fn stage(&self) -> &Stage {
        &self.story.stage
    }

    /// `ssh …` through the hub.
    pub fn ssh(&self, arguments: &[&str]) -> Command {
        let mut command = self.stage().command("ssh");
        command.args(["-o", PROXY, "-o", "BatchMode=yes", "-o", "ConnectTimeout=40"]).args(arguments);
        command
    }

    /// `ssh …` as the person's config has it.
    pub fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = self.stage().command("ssh");
        command.args(["-o", "BatchMode=yes"]).args(arguments);
        command
    }

    /// `ssh …` through the hub, to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let output = self.ssh(arguments).stdin(Stdio::null()).output().expect("ssh runs");
        Outcome::new(format!("ssh {}", arguments.join(" ")), &output)
    }

    /// A shell that repeats what it is told.
    pub fn session(&self) -> Session {
        Session::open(self.ssh(&["colab", "echo ready; cat"]))
    }

    /// The session's hubs, by their process ids.
    pub fn hubs(&self) -> Vec<i32> {
        hubs(self.stage())
    }

    /// The only one.
    pub fn the_hub(&self) -> Pid {
        let hubs = self.hubs();
        assert_eq!(hubs.len(), 1, "there is one hub: {hubs:?}");
        Pid::from_raw(hubs[0]).expect("a process")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        end_hubs(self.stage());
    }
}

/// A person in a shell on the runtime.
#[derive(Debug)]
pub struct Session {
    /// Their ssh.
    pub child: Child,
    input: Option<ChildStdin>,
    /// What it prints.
    pub output: BufReader<ChildStdout>,
}

impl Session {
    /// Starts this ssh.
    pub fn open(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ssh runs");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, input, output }
    }

    /// Its input, for somebody else to write to.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Waits for the word that its command begins with.
    pub fn is_ready(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the session can be read");
        assert_eq!(line, "ready\n", "the session opens, but: {}", self.complaint());
    }

    /// Sends a line, and gives how long it took to come back.
    pub fn echoes(&mut self, line: &str) -> Duration {
        let sent = Instant::now();
        writeln!(self.input.as_mut().expect("the session has an input"), "{line}")
            .expect("the session takes it");
        let mut back = String::new();
        self.output.read_line(&mut back).expect("the session can be read");
        assert_eq!(back.trim_end(), line, "what was said comes back");
        sent.elapsed()
    }

    /// Ends it as a person does.
    pub fn ends_well(mut self) {
        drop(self.input.take());
        let status = self.child.wait().expect("ssh ends");
        assert!(status.success(), "{status}: {}", self.complaint());
    }

    /// ssh ends by itself, and says that something is wrong.
    pub fn ends_badly(mut self) {
        let mut ended = None;
        until("ssh to notice", || {
            ended = self.child.try_wait().expect("ssh can be asked");
            ended.is_some()
        });
        assert!(!ended.expect("it has ended").success(), "ssh says that it was cut off");
    }

    fn complaint(&mut self) -> String {
        let mut said = String::new();
        let ended = self.child.try_wait().is_ok_and(|ended| ended.is_some());
        if let Some(stderr) = self.child.stderr.as_mut().filter(|_| ended) {
            let _ = stderr.read_to_string(&mut said);
        }
        said
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stage's hubs, by their process ids.
pub fn hubs(stage: &Stage) -> Vec<i32> {
    let own = format!("XDG_RUNTIME_DIR={}", stage.runtime_dir().display());
    let is_hub = |id: &i32| {
        let of = |what: &str| fs::read(format!("/proc/{id}/{what}")).unwrap_or_default();
        let parts = |bytes: Vec<u8>| -> Vec<String> {
            bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
        };
        let words = parts(of("cmdline"));
        words.get(1).is_some_and(|word| word == "hub") && parts(of("environ")).contains(&own)
    };
    let all = fs::read_dir("/proc").expect("/proc is there").flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(is_hub).collect()
}

/// Ends a stage's hubs, as the end of the system does.
pub fn end_hubs(stage: &Stage) {
    for hub in hubs(stage) {
        let _ = kill_process(Pid::from_raw(hub).expect("a process"), Signal::TERM);
    }
    until("the hubs to be gone", || hubs(stage).is_empty());
}

/// Makes this computer's last connection to a Colab runtime ten minutes old.
pub fn long_ago(stage: &Stage, runtime: &str) {
    let note = stage.runtime_dir().join("moorline").join(format!("slot-{runtime}"));
    let note = File::options().append(true).open(note).expect("it was noted");
    note.set_modified(SystemTime::now() - Duration::from_secs(600)).expect("its age can be set");
}

/// Twenty sessions, two large transfers and an editor with a SOCKS proxy, all at once and all of them whole.
pub fn a_lot_at_once(ssh: impl Fn(&[&str]) -> Command, runtime: &Runtime) {
    let mut sessions: Vec<Session> =
        (0..20).map(|_| Session::open(ssh(&["colab", "echo ready; cat"]))).collect();
    sessions.iter_mut().for_each(Session::is_ready);

    let port = free_port();
    let socks = format!("127.0.0.1:{port}");
    let mut editor = Session::open(ssh(&["-D", &socks, "colab", "echo ready; cat"]));
    editor.is_ready();

    let noise = noise(24 * 1024 * 1024);
    let folder = tempfile::tempdir().expect("a folder for the transfers");
    let (up, down) = (folder.path().join("up"), folder.path().join("down"));
    fs::write(&up, &noise).expect("the file is written");
    fs::write(runtime.machine().disk().join("big"), &noise).expect("the runtime has a file");
    let upload = transfer(&ssh, "cat > copy", &up, Path::new("/dev/null"));
    let download = transfer(&ssh, "cat big", Path::new("/dev/null"), &down);
    for turn in 0..10 {
        for (nth, session) in sessions.iter_mut().enumerate() {
            session.echoes(&format!("{nth} says {turn}"));
        }
        assert_eq!(greeting_through(port, runtime.port()), "SSH-2.0-OpenSSH");
    }
    for mut transfer in [upload, download] {
        assert!(transfer.wait().expect("it ends").success(), "the transfers work");
    }
    assert!(fs::read(&down).expect("it came down") == noise, "the download is whole");
    let copy = fs::read(runtime.machine().disk().join("copy")).expect("it went up");
    assert!(copy == noise, "the upload is whole");

    editor.ends_well();
    sessions.into_iter().for_each(Session::ends_well);
}

/// Carries a file either way through a session of its own.
fn transfer(ssh: impl Fn(&[&str]) -> Command, command: &str, from: &Path, to: &Path) -> Child {
    let mut ssh = ssh(&["colab", command]);
    ssh.stdin(File::open(from).expect("it can be read")).stdout(File::create(to).expect("it can be written"));
    ssh.spawn().expect("ssh runs")
}

/// Bytes that no compression makes smaller and no mix-up leaves the same.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).expect("random bytes");
    bytes
}

/// How the sshd behind a SOCKS proxy greets (RFC 1928: no authentication, CONNECT, an IPv4 address).
fn greeting_through(socks: u16, target: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", socks)).expect("the proxy listens");
    stream.write_all(&[5, 1, 0]).expect("the proxy is greeted");
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).expect("the proxy greets");
    let [high, low] = target.to_be_bytes();
    stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, high, low]).expect("the proxy is asked");
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).expect("the proxy answers");
    assert_eq!(answer[1], 0, "the proxy reaches it");
    let mut greeting = [0; 15];
    stream.read_exact(&mut greeting).expect("sshd greets");
    String::from_utf8_lossy(&greeting).into_owned()
}

/// The processes among whose arguments are these two, one after the other.
pub fn processes_with(first: &str, second: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        if words.windows(2).any(|pair| pair == [first.as_bytes(), second.as_bytes()]) {
            found.push(id);
        }
    }
    found
}

/// The process that started this one.
pub fn parent(id: i32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}
