//! A re-pointing that is killed, or refused by the disk, at every single call that changes a file.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moorline_tests::faults::{Call, Fault, strike, survey};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::story::{PERSONS_CONFIG, PERSONS_KNOWN_HOSTS};
use moorline_tests::tree::{self, Entry};
use moorline_tests::{Outcome, Stage};

const ARGUMENTS: [&str; 5] = ["add", "colab", "--from", "-", "--yes"];

type Tree = BTreeMap<PathBuf, Entry>;

/// A person who follows a runtime that is being re-pointed to another place and key, and the three states of
/// their home that matter.
struct Crash {
    stage: Stage,
    paste: String,
    old: Tree,
    new: Tree,
    calls: Vec<Call>,
}

impl Crash {
    fn set_the_stage() -> Self {
        let stage = Stage::new();
        stage.put(".ssh/config", PERSONS_CONFIG);
        stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
        let keys = stage.runtime_dir();
        // Nobody listens there: what is pasted is enough, and no network makes the runs differ.
        let paste = |name: &str| {
            let key = KeyPair::generate(&keys.join(name), "ed25519");
            let port = free_port();
            format!("ssh -p {port} root@127.0.0.1\n[127.0.0.1]:{port} {}\n", key.public())
        };
        let (first, second) = (paste("first"), paste("second"));
        stage
            .moorline_reads(&ARGUMENTS, &first)
            .works("a runtime that cannot be reached is added all the same");
        let old = tree::content(&stage.home());
        let (calls, outcome) = survey(&stage, &ARGUMENTS, &second);
        outcome.works("the re-pointing itself works");
        let new = tree::content(&stage.home());
        let changed = std::iter::zip(ssh_files(&old), ssh_files(&new)).all(|(old, new)| old != new);
        assert!(changed, "the re-pointing changes both files");
        assert!(calls.len() >= 8, "a re-pointing writes, syncs and renames; seen were only {calls:?}");
        Self { stage, paste: second, old, new, calls }
    }

    /// Every chosen call, struck by the fault: old or new, and the next run heals.
    fn survives(&self, fault: Fault) {
        for call in &self.calls {
            tree::restore(&self.stage.home(), &self.old);
            let struck = strike(&self.stage, call, fault, &ARGUMENTS, &self.paste);
            let after = tree::content(&self.stage.home());
            self.files_are_whole(&after, call, &struck);
            if matches!(fault, Fault::Error(_)) {
                assert!(struck.code.is_some_and(|code| code <= 2), "no crash at {}:\n{struck}", call.text);
            }
            let healed = self.stage.moorline_reads(&ARGUMENTS, &self.paste);
            let healed = healed.works(&format!("the next run heals what happened at {}", call.text));
            let home = tree::content(&self.stage.home());
            assert_eq!(ssh_files(&home), ssh_files(&self.new), "healed after {}:\n{healed}", call.text);
            assert_eq!(names(&home), names(&self.new), "nothing is left lying about after {}", call.text);
        }
    }

    fn files_are_whole(&self, after: &Tree, call: &Call, outcome: &Outcome) {
        for name in [".ssh/config", ".ssh/known_hosts"] {
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

#[test]
fn killed_at_every_change() {
    Crash::set_the_stage().survives(Fault::Kill);
}

#[test]
fn disk_full_at_every_change() {
    Crash::set_the_stage().survives(Fault::Error("ENOSPC"));
}

#[test]
fn disk_read_only_at_every_change() {
    Crash::set_the_stage().survives(Fault::Error("EROFS"));
}
