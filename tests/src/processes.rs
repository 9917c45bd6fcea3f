//! Child processes that end with the test, and waiting for what they do.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A server or other long-running program; it and all its descendants are killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    name: String,
}

impl Program {
    /// Starts the command with no standard input.
    pub fn start(mut command: Command) -> Self {
        let name = format!("{command:?}");
        let child = command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { child, name }
    }

    /// Takes over a child that was started elsewhere.
    pub fn adopt(child: Child, name: &str) -> Self {
        Self { child, name: name.to_owned() }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so.
    ///
    /// # Panics
    /// When the program ends before, or nothing happens for 20 seconds; `log` is shown then.
    pub fn await_ready(&mut self, mut ready: impl FnMut() -> bool, log: impl Fn() -> String) {
        until(&format!("{} to be ready", self.name), || {
            assert!(self.is_running(), "{} ended early:\n{}", self.name, log());
            ready()
        });
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come within 20 seconds.
    pub fn wait_in_time(&mut self, what: &str) -> ExitStatus {
        let mut ended = None;
        until(&format!("`{what}` to end"), || {
            ended = self.child.try_wait().expect("a child can be asked");
            ended.is_some()
        });
        ended.expect("it has ended")
    }

    /// Kills it with everything it started, and waits for its end.
    pub fn kill(&mut self) {
        let family = descendants(self.child.id());
        let _ = self.child.kill();
        for id in family {
            let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { continue };
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits, by asking every few milliseconds, until the condition holds.
///
/// # Panics
/// After 20 seconds.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited 20 s in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every process below `ancestor`, itself not included.
pub fn descendants(ancestor: u32) -> BTreeSet<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some(parent) = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) else {
            continue;
        };
        parents.push((id, parent.parse::<u32>().unwrap_or(0)));
    }
    let mut family = BTreeSet::from([ancestor]);
    loop {
        let before = family.len();
        for (id, parent) in &parents {
            if family.contains(parent) {
                family.insert(*id);
            }
        }
        if family.len() == before {
            break;
        }
    }
    family.remove(&ancestor);
    family
}
