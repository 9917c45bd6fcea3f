//! `moorline watch` in the foreground, its lines, and its door.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::processes::Program;
use crate::stage::Stage;

/// A watcher's backoff may take its time.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running `moorline watch`.
#[derive(Debug)]
pub struct Watching {
    program: Program,
    log: PathBuf,
    /// Lines that were looked at.
    read: usize,
}

/// A conversation with the agent.
#[derive(Debug)]
pub struct Call {
    stream: BufReader<UnixStream>,
    calls: u64,
}

impl Watching {
    /// Starts it, and waits until it watches.
    pub fn start(stage: &Stage) -> Self {
        Self::start_with_env(stage, &[])
    }

    /// As [`Watching::start`], with these variables more.
    pub fn start_with_env(stage: &Stage, env: &[(&str, &str)]) -> Self {
        static STARTS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let nth = STARTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = stage.runtime_dir().join(format!("watch.{nth}"));
        let mut command = stage.command("moorline");
        command.arg("watch").stdin(Stdio::null()).stderr(stage.log("watch"));
        command.envs(env.iter().copied());
        command.stdout(File::create(&log).expect("its lines go to a file"));
        let mut watching = Self { program: Program::start(command), log, read: 0 };
        watching.event("it to watch", |event| event["event"] == "watching");
        watching
    }

    /// All that it printed.
    pub fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }

    /// Passes over all that it has printed by now.
    pub fn catch_up(&mut self) {
        self.read = self.lines().len();
    }

    /// What people were told of sessions, but not how full the disk of this computer is and how long it has been running,
    /// which plays the runtime.
    pub fn told(&self) -> Vec<Value> {
        let own = |event: &Value| event["kind"] == "disk" || event["kind"] == "lifetime";
        let told = |event: &Value| event["event"] == "notice" && !own(event);
        self.lines().into_iter().filter(told).collect()
    }

    /// Waits for the next line that is wanted; those before it are passed over.
    ///
    /// # Panics
    /// When it does not come; all that was said is shown then.
    pub fn event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut all = self.lines();
            if let Some(at) = all.iter().skip(self.read).position(&wanted) {
                let at = self.read + at;
                self.read = at + 1;
                return all.swap_remove(at);
            }
            if Instant::now() > deadline {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("waited in vain for {what}; it said:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a session's health is this.
    pub fn health(&mut self, session: &str, state: &str) -> Value {
        self.event(&format!("{session} to be {state}"), |event| {
            event["session"] == session && event["health"]["state"] == state
        })
    }

    /// Waits for a notification of this kind.
    pub fn notice(&mut self, kind: &str) -> Value {
        self.event(&format!("a notice `{kind}`"), |event| event["event"] == "notice" && event["kind"] == kind)
    }

    /// Asks it to end, as Ctrl-C does, and waits for that.
    pub fn interrupt(mut self) -> ExitStatus {
        self.signal(Signal::INT);
        self.program.wait_in_time("moorline watch")
    }

    /// Takes it away, as when the system runs out of memory.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.program.wait_in_time("moorline watch");
    }

    /// Stops it in its tracks, as sleep does.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// The process id of the agent.
    pub fn agent(&self) -> u32 {
        let process = self.lines()[0]["process"].as_u64().expect("it says who it is");
        process.try_into().expect("a process id")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.agent()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it can be reached");
    }
}

impl Call {
    /// Calls the agent of this stage as the command line does.
    pub fn open(stage: &Stage) -> Self {
        let socket = stage.runtime_dir().join("moorline/agent.sock");
        let stream = UnixStream::connect(socket).expect("the agent lets people in");
        let mut call = Self { stream: BufReader::new(stream), calls: 0 };
        let welcome = call.say(&json!({ "protocol": 1, "role": "window" }));
        assert_eq!(welcome["say"], "welcome", "{welcome}");
        call
    }

    /// Asks for something; what it says comes back.
    pub fn ask(&mut self, request: &Value) -> Value {
        self.call(&json!({ "call": "ask", "request": request }))
    }

    /// Makes a call.
    pub fn call(&mut self, call: &Value) -> Value {
        self.calls += 1;
        let mut call = call.clone();
        call["id"] = self.calls.into();
        self.say(&call)
    }

    fn say(&mut self, line: &Value) -> Value {
        writeln!(self.stream.get_mut(), "{line}").expect("the agent listens");
        let mut answer = String::new();
        self.stream.read_line(&mut answer).expect("the agent answers");
        serde_json::from_str(&answer).expect("in JSON")
    }
}
