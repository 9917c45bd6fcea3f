//! Mount namespaces: one machine that looks like several.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::person::is_root;
use crate::weather::Weather;

/// What a namespace shows differently from the machine around it.
#[derive(Debug, Clone)]
pub enum Mount {
    /// `from` is seen at `at`, too.
    Bind {
        /// What is shown.
        from: PathBuf,
        /// Where; must exist and be of the same kind.
        at: PathBuf,
    },
    /// An empty folder covers `at`.
    Empty {
        /// Where.
        at: PathBuf,
    },
}

/// A mount namespace that lasts as long as this value (or a process inside).
#[derive(Debug)]
pub struct Namespace {
    holder: Holder,
}

/// The process that keeps it.
#[derive(Debug)]
enum Holder {
    Own(Child),
    /// It is on a network of its own, too, and ends with that.
    On {
        _network: Weather,
        id: u32,
    },
}

impl Namespace {
    /// Makes a namespace with these mounts, done in the order given.
    ///
    /// Root does it directly; anybody else in a user namespace that maps them to themselves.
    ///
    /// # Panics
    /// When the system does not allow it: a container needs the right to mount, and Ubuntu 24.04 needs
    /// `sysctl kernel.apparmor_restrict_unprivileged_userns=0` unless root runs the tests.
    pub fn new(mounts: &[Mount]) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]);
        if !is_root() {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        // The script gets its paths as arguments, so that no path is ever read as shell.
        command.args(["sh", "-euc", HOLDER, "sh"]).args(words(mounts));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut holder = command.spawn().expect("setpriv and unshare (package util-linux) are installed");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the namespace says that it is ready");
        assert_eq!(line, "ready\n", "a mount namespace is needed; see the message above for what is missing");
        Self { holder: Holder::Own(holder) }
    }

    /// As [`Namespace::new`], with this network instead of the one around it.
    pub fn on(weather: &Weather, mounts: &[Mount]) -> Self {
        Self { holder: Holder::On { _network: weather.clone(), id: weather.hold(HOLDER, &words(mounts)) } }
    }

    /// A long-running program, which dies with the test even if the test is killed.
    pub fn server(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("/usr/bin/setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    }

    /// A command that will run inside, in the folder `/`, with an empty environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("/usr/bin/nsenter");
        let id = match &self.holder {
            Holder::Own(child) => child.id(),
            Holder::On { id, .. } => {
                command.arg("--net");
                *id
            }
        };
        command.arg("--target").arg(id.to_string()).arg("--mount");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program).env_clear();
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let Holder::Own(holder) = &mut self.holder else { return };
        let _ = holder.kill();
        let _ = holder.wait();
    }
}

/// What the holder is told.
fn words(mounts: &[Mount]) -> Vec<OsString> {
    let three = |mount: &Mount| match mount {
        Mount::Bind { from, at } => ["bind".into(), from.clone().into(), at.clone().into()],
        Mount::Empty { at } => ["empty".into(), "-".into(), at.clone().into()],
    };
    mounts.iter().flat_map(three).collect()
}

/// Mounts what its arguments say (kind, source, place), says so, and stays until its input ends.
const HOLDER: &str = r#"
while [ $# -gt 0 ]; do
    case $1 in
        bind) mount --bind "$2" "$3" ;;
        empty) mount -t tmpfs -o mode=755 tmpfs "$3" ;;
    esac
    shift 3
done
echo ready
exec cat >/dev/null
"#;
