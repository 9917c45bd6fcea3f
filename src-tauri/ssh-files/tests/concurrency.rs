//! Several writers at once. The workers are this test binary, started again with its role in the environment.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up must stop")]
#![allow(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use moorline_ssh_files::{edit_file, known_hosts};

use common::{Home, NEW_KEY, OLD_KEY, session};

const WRITERS: usize = 4;
const EDITS: usize = 200;
/// Enough to meet every stage of the writers' work, few enough that the file stays a file of people.
const APPENDS: usize = 1000;
const ROLE: &str = "MOORLINE_TEST_ROLE";
const SSH_DIR: &str = "MOORLINE_TEST_SSH_DIR";
/// Longer than the test could take if locks were handed round fairly.
const PATIENCE: Duration = Duration::from_secs(60);

struct Worker(Child);

impl Worker {
    fn start(home: &Home, role: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker", "--nocapture"])
            .env(ROLE, role)
            .env(SSH_DIR, home.ssh_dir())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn succeed(mut self) {
        assert!(self.0.wait().unwrap().success(), "a worker failed; its words are above");
    }
}

/// Not a test by itself: what a worker process runs.
#[test]
fn worker() {
    let (Ok(role), Some(dir)) = (std::env::var(ROLE), std::env::var_os(SSH_DIR)) else { return };
    let dir = PathBuf::from(dir);
    match role.split_once(' ') {
        Some(("writer", n)) => writer(&dir, n.parse().unwrap()),
        Some(("appender", _)) => appender(&dir),
        Some(("remover", _)) => remover(&dir),
        _ => panic!("unknown role {role}"),
    }
}

/// Pins its own aliases in `known_hosts` and adds its own lines to `config`.
fn writer(dir: &Path, number: usize) {
    for edit in 0..EDITS {
        let one = session(&format!("w{number}-{edit}"), &format!("h{number}.test"), 7000, &[OLD_KEY]);
        edit_file(&dir.join("known_hosts"), PATIENCE, |text| {
            Ok(known_hosts::apply(text, &one.pin(None)).unwrap().bytes)
        })
        .unwrap();
        let line = format!("# w{number}-{edit}\n");
        edit_file(&dir.join("config"), PATIENCE, |text| {
            let there = memchr::memmem::find(text, line.as_bytes()).is_some();
            Ok(if there { text.to_vec() } else { [text, line.as_bytes()].concat() })
        })
        .unwrap();
    }
}

/// Appends as ssh does when it meets a new host: opens, writes one line, closes.
fn appender(dir: &Path) {
    for n in 0.. {
        if dir.join("stop").exists() {
            fs::write(dir.join("appended"), n.to_string()).unwrap();
            return;
        }
        if n == APPENDS {
            fs::write(dir.join("appended"), n.to_string()).unwrap();
            return;
        }
        let mut file =
            fs::OpenOptions::new().append(true).create(true).open(dir.join("known_hosts")).unwrap();
        if n % 7 == 0 {
            // A slow program: the file may be displaced between its opening and its writing.
            std::thread::sleep(Duration::from_millis(2));
        }
        file.write_all(format!("appended{n}.test {NEW_KEY}\n").as_bytes()).unwrap();
        drop(file);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Rewrites the file over and over, as people do.
fn remover(dir: &Path) {
    while !dir.join("stop").exists() {
        let file = dir.join("known_hosts");
        let mut open = fs::OpenOptions::new().append(true).open(&file).unwrap();
        open.write_all(format!("gone.test {OLD_KEY}\n").as_bytes()).unwrap();
        drop(open);
        Command::new("ssh-keygen").args(["-R", "gone.test", "-f"]).arg(file).output().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn run(home: &Home, foreign: Option<&str>) {
    let foreign = foreign.map(|role| Worker::start(home, role));
    let writers: Vec<_> = (0..WRITERS).map(|n| Worker::start(home, &format!("writer {n}"))).collect();
    writers.into_iter().for_each(Worker::succeed);
    fs::write(home.path("stop"), "").unwrap();
    if let Some(foreign) = foreign {
        foreign.succeed();
    }
}

fn first_fields(home: &Home) -> BTreeSet<String> {
    let text = String::from_utf8(home.known_hosts()).unwrap();
    text.lines().filter_map(|l| l.split([' ', ',']).next().map(str::to_owned)).collect()
}

fn lost(home: &Home) -> usize {
    let names = first_fields(home);
    let all = (0..WRITERS).flat_map(|w| (0..EDITS).map(move |e| format!("w{w}-{e}")));
    all.filter(|name| !names.contains(name)).count()
}

#[test]
fn writers_lose_nothing_and_neither_does_a_program_that_appends() {
    let home = Home::new().with_config(b"Host a\n").with_known_hosts(b"first.test x y\n");
    run(&home, Some("appender 0"));
    assert_eq!(lost(&home), 0, "of {} edits of known_hosts", WRITERS * EDITS);
    let config = String::from_utf8(home.config()).unwrap();
    let lines: BTreeSet<_> = config.lines().collect();
    assert_eq!((config.lines().count(), lines.len()), (1 + WRITERS * EDITS, 1 + WRITERS * EDITS));

    let appended: usize = fs::read_to_string(home.path("appended")).unwrap().parse().unwrap();
    assert!(appended > 50, "the appender was at work: {appended}");
    let names = first_fields(&home);
    let missing: Vec<_> = (0..appended).filter(|n| !names.contains(&format!("appended{n}.test"))).collect();
    assert!(missing.is_empty(), "of {appended} appended lines {missing:?} are gone");
    assert!(names.contains("first.test"));
    assert!(home.leftovers().is_empty(), "{:?}", home.leftovers());
}

/// `ssh-keygen -R` reads, and renames over the file later, whatever was written in between. What it undoes cannot be
/// kept by us; nothing else may be lost, and the file is whole at every moment.
#[test]
fn a_program_that_rewrites_the_file_undoes_at_most_what_it_had_not_read() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        return;
    }
    let home = Home::new().with_known_hosts(format!("first.test {OLD_KEY}\n").as_bytes());
    run(&home, Some("remover 0"));
    let text = String::from_utf8(home.known_hosts()).unwrap();
    assert!(text.starts_with("first.test ") && text.ends_with('\n'));
    assert!(text.lines().all(|l| l.ends_with(OLD_KEY)), "every line is whole");
    let lost = lost(&home);
    println!("undone by ssh-keygen -R: {lost} of {} edits", WRITERS * EDITS);
    // Each edit repeats itself at the agent's next look; here it is enough that most stand.
    assert!(lost < WRITERS * EDITS * 3 / 4, "{lost}");
    assert_eq!(
        String::from_utf8(home.config()).unwrap().lines().count(),
        WRITERS * EDITS,
        "config was not touched"
    );
}
