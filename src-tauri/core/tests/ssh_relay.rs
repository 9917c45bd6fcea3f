//! The relay, with a real sshd in its place: who holds a port, and its own `known_hosts`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use moorline_core::ssh::relay::{channel_key, listeners};
use moorline_core::ssh::relay_known_hosts::repair_relay_known_hosts;
use moorline_core::ssh::{ChannelError, RelayRepair, RelayRepairError, SshFailure, SshRunError, SystemSsh};
use moorline_model::session::RelayLink;
use moorline_ssh_files::{HostKey, Port};

use support::{LIMIT, Sshd, block_on, free_port, relay};

fn link(port: u16, mine_alone: bool) -> RelayLink {
    RelayLink { relay: relay(), port: port.try_into().unwrap(), mine_alone }
}

#[test]
fn the_relay_tells_who_holds_a_port() {
    let (front, home) = (Sshd::start(), tempfile::tempdir().unwrap());
    let ssh = front.friend(home.path());
    let ask =
        |port: u16| block_on(listeners(&ssh, &relay(), port.try_into().unwrap(), LIMIT)).unwrap().unwrap();
    assert_eq!(ask(front.port).login_uid, rustix::process::getuid().as_raw());
    assert_eq!(ask(front.port).solely_mine(), Ok(()), "this sshd runs as the tests' own user");
    assert_eq!(ask(free_port()).solely_mine(), Err(None));
}

#[test]
fn a_key_has_trust_channel_only_from_an_own_port_of_a_declared_relay() {
    let (front, behind, home) = (Sshd::start(), Sshd::start(), tempfile::tempdir().unwrap());
    let ssh = front.friend(home.path());
    let fetch = |link: &RelayLink| {
        let route = ssh.relay_route(&link.relay, link.port);
        block_on(channel_key(&ssh, link, &route, &[], LIMIT))
    };
    assert_eq!(fetch(&link(behind.port, true)).unwrap(), behind.host_key("ed25519"));
    assert!(matches!(fetch(&link(behind.port, false)), Err(ChannelError::NotDeclared { .. })));
    assert!(matches!(fetch(&link(free_port(), true)), Err(ChannelError::NobodyListens { .. })));
}

/// Someone else on the relay who listens first; only root can play that.
fn squat(address: &str, port: u16) -> Option<Child> {
    let script = "import os,socket,sys\n\
        os.setuid(65534)\n\
        s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n\
        s.bind((sys.argv[1],int(sys.argv[2])));s.listen()\n\
        print('ready',flush=True);sys.stdin.read()\n";
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut child = Command::new("python3")
        .args(["-c", script, address, &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "the squatter listens on {address}");
    Some(child)
}

#[test]
fn a_port_that_another_user_holds_is_not_trusted() {
    let (front, behind, home) = (Sshd::start(), Sshd::start(), tempfile::tempdir().unwrap());
    let ssh = front.friend(home.path());
    // On [::1] beside the own tunnel, and in its place.
    for (address, port) in [("::1", behind.port), ("127.0.0.1", free_port())] {
        let Some(mut squatter) = squat(address, port) else { continue };
        let link = link(port, true);
        let route = ssh.relay_route(&link.relay, link.port);
        let error = block_on(channel_key(&ssh, &link, &route, &[], LIMIT)).unwrap_err();
        squatter.kill().unwrap();
        squatter.wait().unwrap();
        assert!(matches!(error, ChannelError::HeldByAnother { uid: 65534, .. }), "{address}: {error:?}");
    }
}

#[test]
fn a_fresh_home_without_a_config_can_reach_a_relay() {
    let (front, home) = (Sshd::start(), tempfile::tempdir().unwrap());
    let ssh = front.friend(home.path());
    std::fs::remove_file(home.path().join(".ssh/config")).unwrap();
    let target = format!("{}@127.0.0.1:{}", support::user(), front.port).parse().unwrap();
    // Reached, and refused there: the identity stood in the config.
    let error = block_on(listeners(&ssh, &target, Port::SSH, LIMIT)).unwrap_err();
    assert!(matches!(error, SshRunError::Ssh { failure: SshFailure::PermissionDenied, .. }), "{error:?}");
    assert!(
        error.to_string().contains(&format!("`ssh -p {} {}@127.0.0.1`", front.port, support::user())),
        "{error}"
    );
}

#[test]
fn a_relay_that_cannot_be_asked_is_named_with_the_next_step() {
    let (front, home) = (Sshd::start(), tempfile::tempdir().unwrap());
    let ssh = front.friend(home.path());
    let ask = |ssh: &SystemSsh| block_on(listeners(ssh, &relay(), Port::SSH, LIMIT)).unwrap_err();
    let failure = |error: &SshRunError| match error {
        SshRunError::Ssh { failure, .. } => failure.clone(),
        other => panic!("{other:?}"),
    };
    std::fs::write(front.authorized_keys(), "").unwrap();
    let error = ask(&ssh);
    assert_eq!(failure(&error), SshFailure::PermissionDenied, "{error}");

    let known_hosts = home.path().join(".ssh/known_hosts");
    let right = std::fs::read_to_string(&known_hosts).unwrap();
    std::fs::write(&known_hosts, "").unwrap();
    let error = ask(&ssh);
    assert_eq!(failure(&error), SshFailure::HostKeyUnknown, "{error}");
    assert!(error.to_string().contains("`ssh relay`"), "{error}");

    let stranger = Sshd::start().host_key("ed25519");
    let place = right.split(' ').next().unwrap();
    std::fs::write(
        &known_hosts,
        format!("{place} {} {}\n", stranger.algorithm().as_str(), stranger.base64()),
    )
    .unwrap();
    let error = ask(&ssh);
    assert_eq!(failure(&error), SshFailure::HostKeyChanged, "{error}");

    drop(front);
    let error = ask(&ssh);
    assert_eq!(failure(&error), SshFailure::Refused, "{error}");
}

/// A relay whose login has `far` as its home, and the person's ssh for it.
struct Far {
    _front: Sshd,
    _home: tempfile::TempDir,
    disk: tempfile::TempDir,
    ssh: SystemSsh,
}

impl Far {
    fn new() -> Self {
        let (far, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(far.path().join(".ssh")).unwrap();
        let front = Sshd::with(&["ed25519"], &format!("SetEnv HOME={}", far.path().display()));
        let ssh = front.friend(home.path());
        Self { _front: front, _home: home, disk: far, ssh }
    }

    fn file(&self) -> PathBuf {
        self.disk.path().join(".ssh/known_hosts")
    }

    fn repair(&self, key: &HostKey) -> Result<RelayRepair, RelayRepairError> {
        let port = "7423".parse().unwrap();
        block_on(repair_relay_known_hosts(&self.ssh, &relay(), port, key, LIMIT))
    }
}

fn fresh_key(dir: &Path, name: &str) -> HostKey {
    support::keygen("ed25519", &dir.join(name));
    let text = std::fs::read_to_string(dir.join(name).with_extension("pub")).unwrap();
    text.rsplit_once(' ').unwrap().0.parse().unwrap()
}

fn line(names: &str, key: &HostKey) -> String {
    format!("{names} {} {}\n", key.algorithm().as_str(), key.base64())
}

#[test]
fn the_relay_s_own_known_hosts_is_repaired() {
    let far = Far::new();
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (fresh_key(dir.path(), "old"), fresh_key(dir.path(), "new"));
    assert_eq!(far.repair(&new).unwrap(), RelayRepair::Unchanged, "no file, nothing to do");
    assert!(!far.file().exists());

    let other = line("git.example", &old);
    let before =
        format!("# mine\n{}{other}{}", line("[127.0.0.1]:7423", &old), line("[localhost]:7423", &old));
    let target = far.disk.path().join("dotfiles");
    std::fs::write(&target, &before).unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&target, far.file()).unwrap();

    assert_eq!(far.repair(&new).unwrap(), RelayRepair::Written { dropped: 2, narrowed: 0, added: 1 });
    let after = std::fs::read_to_string(&target).unwrap();
    assert!(after.contains(&line("[127.0.0.1]:7423", &new)) && after.contains(&other), "{after}");
    assert!(after.starts_with("# mine\n") && !after.contains("localhost"), "{after}");
    assert!(far.file().is_symlink(), "the symlink stays");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    let backup = far.disk.path().join(".ssh/known_hosts.moorline-backup");
    assert_eq!(std::fs::read_to_string(backup).unwrap(), before);
    assert_eq!(far.repair(&new).unwrap(), RelayRepair::Unchanged, "a second run writes nothing");
    let left: Vec<_> = std::fs::read_dir(far.disk.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
}

#[test]
fn whoever_never_hopped_from_there_gets_no_new_line() {
    let far = Far::new();
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (fresh_key(dir.path(), "old"), fresh_key(dir.path(), "new"));
    let kept = line("git.example", &old);
    std::fs::write(far.file(), format!("{kept}{}", line("[localhost]:7423", &old))).unwrap();
    assert_eq!(far.repair(&new).unwrap(), RelayRepair::Written { dropped: 1, narrowed: 0, added: 0 });
    assert_eq!(std::fs::read_to_string(far.file()).unwrap(), kept);
}
