//! Killed, or refused by the system, at every call that changes a file: the files are the old or the new ones, and
//! the next run heals. The worker is this test binary under strace's fault injection.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up must stop")]
#![allow(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use moorline_ssh_files::SshDir;

use common::{Home, NEW_KEY, OLD_KEY, Session, session};

const HOME: &str = "MOORLINE_TEST_HOME";
const CONFIG: &[u8] = b"User alice\nHost a\n  Port 1";
/// More calls of one kind than an edit makes; the loop ends earlier, when nothing was injected any more.
const MOST_CALLS: usize = 60;

fn before() -> Session {
    session("colab", "h.example", 7423, &[OLD_KEY])
}

fn after() -> Session {
    session("colab", "g.example", 7424, &[NEW_KEY])
}

fn known_hosts() -> Vec<u8> {
    // With an entry of somebody else that goes, so that backups are part of it.
    format!("a.example {OLD_KEY}\n[g.example]:7424 {OLD_KEY}\nb.example {OLD_KEY}").into_bytes()
}

/// Not a test by itself: what runs under strace.
#[test]
fn worker() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let ssh = SshDir::new(home.join(".ssh"), home.join("state/backups"));
    ssh.write(&after().pin(Some(&before())), &[after().entry()]).unwrap();
}

/// Runs the worker with one fault; tells whether it was met.
fn run_with(home: &Home, calls: &str, effect: &str, count: usize) -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qqq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={calls}"))
        .arg("-e")
        .arg(format!("inject={calls}:{effect}:when={count}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "worker"])
        .env(HOME, home.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

fn strace_works() -> bool {
    Command::new("strace").args(["-qqq", "-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success())
}

/// One run with each call of the kind failing in turn; returns how many were met.
fn every_call(calls: &str, effect: &str, fresh: bool) -> usize {
    for count in 1..=MOST_CALLS {
        let home = if fresh {
            Home::without_ssh_dir()
        } else {
            let home = Home::new().with_config(CONFIG).with_known_hosts(&known_hosts());
            home.write(&before(), None);
            home
        };
        let read = |file: &str| std::fs::read(home.path(file)).ok();
        let old = (read("known_hosts"), read("config"));
        let met = run_with(&home, calls, effect, count);
        let now = (read("known_hosts"), read("config"));
        let healed = home.ssh().write(&after().pin(Some(&before())), &[after().entry()]).unwrap();
        let new = (healed.known_hosts.after().map(Vec::from), healed.config.after().map(Vec::from));
        let place = format!("{calls} {effect} {count}, fresh: {fresh}");
        assert!(now.0 == old.0 || now.0 == new.0, "{place}: known_hosts is neither old nor new");
        assert!(now.1 == old.1 || now.1 == new.1, "{place}: config is neither old nor new");
        assert!(now.0 == new.0 || now.1 == old.1, "{place}: known_hosts comes first");
        assert_eq!((read("known_hosts"), read("config")), new);
        assert!(home.leftovers().is_empty(), "{place}: {:?}", home.leftovers());
        home.forget(&after());
        if fresh {
            assert_eq!((read("known_hosts"), read("config")), (None, None), "{place}");
        } else {
            assert_eq!(read("config").as_deref(), Some(CONFIG), "{place}");
        }
        if !met {
            return count - 1;
        }
    }
    panic!("{calls}: more than {MOST_CALLS} calls");
}

fn each(faults: &[(&str, &str)], fresh: bool) {
    if !strace_works() {
        return;
    }
    for (calls, effect) in faults {
        let met = every_call(calls, effect, fresh);
        println!("{calls} {effect}: {met} calls, fresh: {fresh}");
        // A fresh machine has no mode to keep.
        assert!(met > 0 || (*calls == "fchmod" && fresh), "no fault was met, so nothing was tested");
    }
}

// One call each: strace counts every call of a set by itself.
const KILLS: [(&str, &str); 8] = [
    ("write", "signal=KILL"),
    ("fsync", "signal=KILL"),
    ("rename", "signal=KILL"),
    ("renameat2", "signal=KILL"),
    ("unlink", "signal=KILL"),
    ("fchmod", "signal=KILL"),
    ("flock", "signal=KILL"),
    ("mkdir", "signal=KILL"),
];

const REFUSALS: [(&str, &str); 7] = [
    ("write", "error=ENOSPC"),
    ("fsync", "error=EIO"),
    ("rename", "error=EROFS"),
    ("renameat2", "error=EROFS"),
    ("fchmod", "error=EPERM"),
    ("flock", "error=ENOLCK"),
    ("mkdir", "error=EROFS"),
];

#[test]
fn killed_while_updating() {
    each(&KILLS, false);
}

#[test]
fn killed_on_a_fresh_machine() {
    each(&KILLS, true);
}

#[test]
fn refused_while_updating() {
    each(&REFUSALS, false);
}

#[test]
fn refused_on_a_fresh_machine() {
    each(&REFUSALS, true);
}
