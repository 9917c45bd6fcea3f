//! The practice runtime, seen by the system's own ssh.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use moorline_core::ssh::practice::{PasswordBy, PracticeOptions, PracticeRuntime};
use moorline_core::ssh::{LoginKey, SystemSsh};
use secrecy::ExposeSecret;

use support::{LIMIT, block_on};

struct Visit {
    home: tempfile::TempDir,
    runtime: PracticeRuntime,
}

impl Visit {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = LoginKey::ensure(&home.path().join(".ssh/id")).unwrap();
        let authorized_keys = vec![key.public_line()];
        let options = PracticeOptions { authorized_keys, ..PracticeOptions::default() };
        Self { home, runtime: PracticeRuntime::start(options).unwrap() }
    }

    fn ssh(&self, words: &[&str]) -> Command {
        let place = self.runtime.place();
        let key = self.runtime.host_key();
        let known = self.home.path().join("known_hosts");
        let line = format!("{place} {} {}\n", key.algorithm().as_str(), key.base64());
        std::fs::write(&known, line).unwrap();
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(self.home.path().join(".ssh/id"))
            .args(["-p", &place.port.to_string(), "root@127.0.0.1"])
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.ssh(words).output().unwrap()
    }

    fn says(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn commands_run_with_the_disk_as_home_and_nothing_of_ours_around_them() {
    let visit = Visit::new();
    assert_eq!(visit.says(&["echo", "hello"]), "hello\n");
    assert_eq!(visit.says(&["pwd; echo $HOME"]).lines().next(), visit.runtime.home().to_str());
    assert!(visit.says(&["nvidia-smi"]).contains("practice runtime"));
    let env = visit.says(&["env"]);
    assert!(!env.contains("CARGO"), "the environment is its own: {env}");
    let output = visit.run(&["echo out; echo err >&2; exit 7"]);
    assert_eq!(
        (output.status.code(), output.stdout, output.stderr),
        (Some(7), b"out\n".into(), b"err\n".into())
    );
}

#[test]
fn bulk_data_comes_through_both_ways() {
    let visit = Visit::new();
    let file = visit.home.path().join("bulk");
    let bulk: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.to_le_bytes().into_iter().take(1)).collect();
    std::fs::write(&file, &bulk).unwrap();
    let output = visit.ssh(&["cat"]).stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
    assert!(output.stdout == bulk, "{} of {} bytes came back", output.stdout.len(), bulk.len());
}

#[test]
fn a_restart_is_a_new_machine() {
    let mut visit = Visit::new();
    let (place, key, password) =
        (visit.runtime.place(), visit.runtime.host_key().clone(), visit.runtime.password().clone());
    visit.says(&["touch work"]);
    let old_home = visit.runtime.home();
    visit.runtime.restart().unwrap();
    assert_ne!(visit.runtime.place(), place);
    assert_ne!(visit.runtime.host_key(), &key);
    assert_ne!(visit.runtime.password().expose_secret(), password.expose_secret());
    assert!(!old_home.exists(), "its disk is gone");
    assert_eq!(visit.says(&["ls"]), "", "the new disk is empty");
}

#[test]
fn stopping_ends_connections_and_their_commands() {
    let visit = Visit::new();
    let mut child = visit.ssh(&["echo $$; sleep 600 & wait"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    let home = visit.runtime.home();
    visit.runtime.stop();
    assert!(!child.wait().unwrap().success(), "ssh noticed");
    let process = format!("/proc/{}/stat", line.trim());
    let running = || std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z "));
    let deadline = std::time::Instant::now() + LIMIT;
    while running() {
        assert!(std::time::Instant::now() < deadline, "the command outlived its runtime");
        std::thread::yield_now();
    }
    assert!(!home.exists(), "nothing stays on disk");
}

#[test]
fn the_banner_is_what_a_cell_prints() {
    let visit = Visit::new();
    let banner = visit.runtime.banner_text();
    let place = visit.runtime.place();
    assert!(banner.expose_secret().contains(&format!("ssh -p {} root@127.0.0.1", place.port)));
    assert!(banner.expose_secret().contains(visit.runtime.password().expose_secret()));
    assert!(!format!("{:?}", visit.runtime).contains(visit.runtime.password().expose_secret()));
}

#[test]
fn strangers_are_kept_out() {
    let visit = Visit::new();
    LoginKey::ensure(&visit.home.path().join("other")).unwrap();
    let mut command = visit.ssh(&["true"]);
    let swapped: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    command = Command::new("ssh");
    let (own, other) = (visit.home.path().join(".ssh/id"), visit.home.path().join("other"));
    let swap = |word: std::ffi::OsString| {
        if Path::new(&word) == own { other.clone().into_os_string() } else { word }
    };
    command.args(["-o", "IdentitiesOnly=yes"]).args(swapped.into_iter().map(swap)).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Permission denied (publickey,password)"), "{said}");
    assert_eq!(PracticeOptions::default().password_by, PasswordBy::Password);
}

#[test]
fn the_system_s_ssh_tells_its_version_and_is_bounded_in_time() {
    let home = tempfile::tempdir().unwrap();
    let mut ssh = SystemSsh::find(Some(home.path())).unwrap();
    assert!(block_on(ssh.version(LIMIT)).unwrap().contains("OpenSSH"));
    let slow = home.path().join("slow");
    std::fs::write(&slow, "#!/bin/sh\nexec sleep 600\n").unwrap();
    let made = Command::new("chmod").arg("+x").arg(&slow).status().unwrap();
    assert!(made.success());
    ssh.program = slow;
    let started = std::time::Instant::now();
    let error = block_on(ssh.version(std::time::Duration::from_millis(300))).unwrap_err();
    assert!(matches!(error, moorline_core::ssh::SshRunError::TimedOut { .. }), "{error:?}");
    assert!(started.elapsed() < LIMIT);
}
