//! What a setup cell does with its session key, played by another program than the one under test.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::keys::KeyPair;
use crate::stage::Stage;

/// One runtime's voice: its session key, its own name, its counter.
#[derive(Debug)]
pub struct Announcer {
    python: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    key: String,
    known: Value,
    runtime: String,
    born: i64,
    seq: u64,
}

impl Announcer {
    /// A runtime that was born now, with a fresh session key.
    pub fn new(stage: &Stage) -> Self {
        Self::with_key(stage, &random_key())
    }

    /// A runtime that was born now, with this session key.
    pub fn with_key(stage: &Stage, key: &str) -> Self {
        let mut python = Command::new(stage.python_outside())
            .args(["-c", include_str!("announcer.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test venv has Python");
        let asks = python.stdin.take().expect("it is piped");
        let answers = BufReader::new(python.stdout.take().expect("it is piped"));
        let (known, runtime) = (Value::Null, random_text(16));
        let key = key.to_owned();
        let mut announcer = Self { python, asks, answers, key, known, runtime, born: now(), seq: 0 };
        announcer.known = announcer.ask(&json!({ "key": announcer.key }));
        announcer
    }

    /// The session key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key id.
    pub fn kid(&self) -> &str {
        self.known["kid"].as_str().expect("a key id")
    }

    /// The ntfy topic.
    pub fn topic(&self) -> &str {
        self.known["topic"].as_str().expect("a topic")
    }

    /// The runtime's own name.
    pub fn runtime(&self) -> &str {
        &self.runtime
    }

    /// The derived host key, as a file that sshd takes.
    pub fn host_key(&self, folder: &Path) -> KeyPair {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("a folder for the key");
        let path = folder.join(format!("derived_{}", self.kid()));
        let text = |part: &str| self.known["host"][part].as_str().expect("a key").to_owned();
        fs::write(&path, text("private")).expect("the key is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
        fs::write(format!("{}.pub", path.display()), format!("{}\n", text("public")))
            .expect("its public half");
        KeyPair { path }
    }

    /// The same session's next runtime: another name, younger by at least a second.
    pub fn reborn(&mut self) {
        self.runtime = random_text(16);
        self.born = now().max(self.born + 1);
        self.seq = 0;
    }

    /// The next announcement of this kind (`up`, `beat`, `down`) with these endpoints.
    pub fn say(&mut self, kind: &str, endpoints: &Value, user: &str) -> String {
        self.seq += 1;
        let at = now().max(self.born);
        self.seal(&json!({
            "v": 1, "kind": kind, "runtime": self.runtime, "born": self.born, "seq": self.seq, "at": at,
            "endpoints": endpoints, "user": user,
        }))
    }

    /// The line for any body.
    pub fn seal(&mut self, body: &Value) -> String {
        let sealed = self.ask(&json!({ "key": self.key, "body": body }));
        sealed["line"].as_str().expect("a line").to_owned()
    }

    /// The parts of a body as it would be now, to be changed by the test.
    pub fn body(&self, endpoints: &Value, user: &str) -> Value {
        json!({
            "v": 1, "kind": "up", "runtime": self.runtime, "born": self.born, "seq": self.seq + 1, "at": now().max(self.born),
            "endpoints": endpoints, "user": user,
        })
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.asks, "{request}").expect("Python listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line).expect("in JSON")
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right");
    i64::try_from(since.as_secs()).expect("for a while yet")
}

/// A session key of the first generation.
pub fn random_key() -> String {
    format!("mlk1-1-{}", random_text(32))
}

/// So many random bytes as base64url without padding.
fn random_text(bytes: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = vec![0; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).expect("random bytes");
    let digit =
        |bits: u32, at: u32| char::from(ALPHABET[usize::try_from(bits >> at & 63).expect("six bits")]);
    let mut text = String::new();
    for three in random.chunks(3) {
        let bits = three.iter().enumerate().fold(0, |bits, (n, b)| bits | u32::from(*b) << (16 - 8 * n));
        text.extend((0..=three.len()).map(|n| digit(bits, 18 - 6 * u32::try_from(n).expect("small"))));
    }
    text
}
