//! Several Moorlines, and a program that knows nothing of them, write at the same time.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use moorline_tests::Stage;
use moorline_tests::keys::KeyPair;
use moorline_tests::stage::feed;
use moorline_tests::story::{PERSONS_CONFIG, PERSONS_KNOWN_HOSTS, split_block};

const PROCESSES: usize = 4;
const SESSIONS: usize = 8;

#[test]
fn nothing_is_lost() {
    let stage = Stage::new();
    stage.put(".ssh/config", PERSONS_CONFIG);
    stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
    let key = KeyPair::generate(&stage.runtime_dir().join("key"), "ed25519").public();
    // A stage is not shared among threads; its commands are.
    let commands: Vec<Vec<_>> = (0..PROCESSES)
        .map(|process| {
            let names = (0..SESSIONS).map(|session| format!("s{process}-{session}"));
            let command = |name: String| {
                let mut command = stage.command("moorline");
                command.args(["add", &name, "--from", "-", "--yes"]);
                (name, command)
            };
            names.map(command).collect()
        })
        .collect();
    let known_hosts = stage.ssh_dir().join("known_hosts");
    let (finished, key) = (AtomicBool::new(false), &key);
    let appended = thread::scope(|scope| {
        let appender = scope.spawn(|| append_until(&finished, &known_hosts, key));
        let writers: Vec<_> =
            commands.into_iter().map(|commands| scope.spawn(|| add_all(commands, key))).collect();
        let added: Vec<bool> = writers.into_iter().map(|writer| writer.join().is_ok()).collect();
        finished.store(true, Ordering::Relaxed);
        assert!(added.iter().all(|added| *added), "every session is added");
        appender.join().expect("the other program goes on undisturbed")
    });
    let (block, rest) = split_block(&stage.text(".ssh/config"));
    assert_eq!(rest, PERSONS_CONFIG, "the person's config is untouched");
    let known_hosts = stage.text(".ssh/known_hosts");
    for process in 0..PROCESSES {
        for session in 0..SESSIONS {
            let name = format!("s{process}-{session}");
            assert!(block.contains(&format!("Host {name}\n")), "{name} is in the config");
            let line = format!("{name},[127.0.0.1]:{} ", port(&name));
            assert!(known_hosts.contains(&line), "{name} is in known_hosts");
        }
    }
    assert!(appended > 0, "the other program wrote meanwhile");
    for n in 0..appended {
        assert!(known_hosts.contains(&format!("foreign-{n}.example.org ")), "line {n} of {appended} is kept");
    }
    let names =
        std::fs::read_dir(stage.ssh_dir()).expect("it is there").flatten().map(|entry| entry.file_name());
    let ours: Vec<_> = names.filter(|name| name.to_string_lossy().contains("moorline-")).collect();
    assert!(ours.is_empty(), "nothing is left lying about: {ours:?}");
}

/// A closed port for each session; nobody listens below 1024 here but well-known servers.
fn port(name: &str) -> usize {
    let digits: usize =
        name.bytes().filter(u8::is_ascii_digit).fold(0, |all, digit| all * 10 + usize::from(digit - b'0'));
    900 + digits
}

fn add_all(commands: Vec<(String, Command)>, key: &str) {
    for (name, command) in commands {
        let port = port(&name);
        let text = format!("ssh -p {port} root@127.0.0.1\n[127.0.0.1]:{port} {key}\n");
        feed(command, &name, &text).works("the session is added");
    }
}

/// Adds lines as ssh does for a new host: open to append, write one line, close. A person does that now and then;
/// forty times a second is often enough to get in between, and leaves room to finish.
fn append_until(finished: &AtomicBool, path: &std::path::Path, key: &str) -> usize {
    let mut n = 0;
    while !finished.load(Ordering::Relaxed) {
        let line = format!("foreign-{n}.example.org {key}\n");
        let file = File::options().append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "known_hosts is always there: {written:?}");
        n += 1;
        thread::sleep(std::time::Duration::from_millis(25));
    }
    n
}
