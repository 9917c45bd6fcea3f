//! A re-pointing that is killed, or refused by the disk, at any single call that changes a file: at a sample of them
//! each time, and at every one in `make sweep`.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moorline_tests::faults::{Call, Fault, strike, survey};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::sample::sample;
use moorline_tests::story::{PERSONS_CONFIG, PERSONS_KNOWN_HOSTS};
use moorline_tests::tree::{self, Entry};
use moorline_tests::{Outcome, Stage};

const ADD: [&str; 5] = ["add", "colab", "--from", "-", "--yes"];

/// One call in so many is struck.
const EVERY: usize = 4;

type Tree = BTreeMap<PathBuf, Entry>;

/// A command that changes the ssh files, and the states of the home before and after it.
struct Crash {
    stage: Stage,
    arguments: Vec<&'static str>,
    paste: String,
    old: Tree,
    new: Tree,
    calls: Vec<Call>,
}

impl Crash {
    /// A person without Moorline adds a runtime.
    fn of_the_first_add() -> Self {
        let stage = person();
        let paste = paste(&stage, "first");
        Self::of(stage, ADD.to_vec(), paste)
    }

    /// The runtime came back with another place and key.
    fn of_a_re_pointing() -> Self {
        let stage = person();
        stage
            .moorline_reads(&ADD, &paste(&stage, "first"))
            .works("what cannot be reached is added all the same");
        let paste = paste(&stage, "second");
        Self::of(stage, ADD.to_vec(), paste)
    }

    /// The session goes.
    fn of_a_forgetting() -> Self {
        let stage = person();
        stage
            .moorline_reads(&ADD, &paste(&stage, "first"))
            .works("what cannot be reached is added all the same");
        Self::of(stage, vec!["forget", "colab", "--yes"], String::new())
    }

    fn of(stage: Stage, arguments: Vec<&'static str>, paste: String) -> Self {
        let old = tree::content(&stage.home());
        let (calls, outcome) = survey(&stage, &arguments, &paste);
        outcome.works("the command itself works");
        let new = tree::content(&stage.home());
        let changed = std::iter::zip(ssh_files(&old), ssh_files(&new)).all(|(old, new)| old != new);
        assert!(changed, "the command changes both files");
        for part in ["write", "fsync", "rename", "unlink"] {
            let seen = calls.iter().any(|call| call.name.contains(part));
            assert!(seen, "a change writes, syncs, renames and removes; seen were only {calls:?}");
        }
        Self { stage, arguments, paste, old, new, calls }
    }

    /// The calls of a sample, struck by the fault one by one: old or new, and the next run heals.
    fn survives(&self, fault: Fault) {
        for call in sample(self.calls.iter().collect(), EVERY) {
            tree::restore(&self.stage.home(), &self.old);
            let struck = strike(&self.stage, call, fault, &self.arguments, &self.paste);
            let after = tree::content(&self.stage.home());
            self.files_are_whole(&after, call, &struck);
            if matches!(fault, Fault::Error(_)) {
                assert!(struck.code.is_some_and(|code| code <= 2), "no crash at {}:\n{struck}", call.text);
            }
            let healed = self.stage.moorline_reads(&self.arguments, &self.paste);
            let home = tree::content(&self.stage.home());
            assert_eq!(ssh_files(&home), ssh_files(&self.new), "healed after {}:\n{healed}", call.text);
            assert_eq!(names(&home), names(&self.new), "nothing is left lying about after {}", call.text);
        }
    }

    fn files_are_whole(&self, after: &Tree, call: &Call, outcome: &Outcome) {
        for name in [".ssh/config", ".ssh/known_hosts", ".config/moorline/config.toml"] {
            let path = Path::new(name);
            let now = after.get(path);
            let whole = now == self.old.get(path) || now == self.new.get(path);
            assert!(whole, "{name} is neither old nor new after {}: {now:?}\n{outcome}", call.text);
        }
    }
}

/// What ssh reads.
fn ssh_files(home: &Tree) -> [Option<&Entry>; 2] {
    [".ssh/config", ".ssh/known_hosts"].map(|name| home.get(Path::new(name)))
}

/// Every name in the home, without the backups, whose names hold a time.
fn names(home: &Tree) -> Vec<&Path> {
    let kept = |path: &&Path| !path.components().any(|part| part.as_os_str() == "backups");
    home.keys().map(PathBuf::as_path).filter(kept).collect()
}

fn person() -> Stage {
    let stage = Stage::new();
    stage.put(".ssh/config", PERSONS_CONFIG);
    stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
    stage
}

/// Nobody listens there: what is pasted is enough, and no network makes the runs differ.
fn paste(stage: &Stage, name: &str) -> String {
    let key = KeyPair::generate(&stage.runtime_dir().join(name), "ed25519");
    // A port of its own for each text: the system may give the same one twice in a row.
    let port = if name == "first" { free_port() } else { 1 };
    format!("ssh -p {port} root@127.0.0.1\n[127.0.0.1]:{port} {}\n", key.public())
}

#[test]
fn killed_at_a_change_of_a_re_pointing() {
    Crash::of_a_re_pointing().survives(Fault::Kill);
}

#[test]
fn killed_at_a_change_of_the_first_add() {
    Crash::of_the_first_add().survives(Fault::Kill);
}

#[test]
fn killed_at_a_change_of_a_forgetting() {
    Crash::of_a_forgetting().survives(Fault::Kill);
}

#[test]
fn disk_full_at_a_change() {
    Crash::of_a_re_pointing().survives(Fault::Error("ENOSPC"));
}

#[test]
fn disk_read_only_at_a_change() {
    Crash::of_a_re_pointing().survives(Fault::Error("EROFS"));
}
