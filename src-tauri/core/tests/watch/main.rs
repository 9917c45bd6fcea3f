//! Watchers over real connections: OpenSSH's server, the practice runtime, and sockets that misbehave.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod stage;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod ways;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use moorline_core::ssh::practice::{PracticeOptions, PracticeRuntime};
use moorline_core::watch::network::{self, WaysOut};
use moorline_core::watch::order::Sight::{Dialling, Failed, Lost, Online};
use moorline_model::cause::{Loss, Obstacle};
use moorline_model::session::{Link, RelayLink};
use moorline_ssh_files::Place;
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::{Machine, free_port};
use tokio::sync::mpsc;

use stage::{Home, direct, machine, order, public};
use support::{LIMIT, block_on, listen};

fn logins(machine: &Machine) -> usize {
    machine.log().matches("Accepted publickey").count()
}

#[test]
fn a_machine_that_goes_and_comes_back_is_followed() {
    let home = Home::new();
    let (mut machine, key) = machine(&home);
    let (port, user) = (machine.port(), machine.user().to_owned());
    block_on(async {
        let mut watching = home.watch(order(direct(port), &user, &[public(&key)]));
        watching.expect(&[Dialling, Online]).await;
        let vitals = watching.vitals().await;
        assert!(vitals.memory.is_some_and(|memory| memory.used > 0), "{vitals:?}");
        assert!(vitals.disk.is_some() && vitals.booted.is_some() && vitals.machine.is_some(), "{vitals:?}");
        assert_eq!(logins(&machine), 1, "one connection for everything:\n{}", machine.log());
        let killed = Instant::now();
        machine.stop();
        watching.expect(&[Lost(Loss::Closed)]).await;
        assert!(killed.elapsed() < Duration::from_secs(2), "seen after {:?}", killed.elapsed());
        watching.expect(&[Dialling, Failed(Obstacle::Refused)]).await;
        machine.serve(std::slice::from_ref(&key), Some(port));
        let passed = watching.until(&Online).await;
        assert!(
            passed.iter().all(|sight| matches!(sight, Dialling | Failed(Obstacle::Refused))),
            "{passed:?}"
        );
        watching.vitals().await;
    });
}

#[test]
fn a_new_key_is_shown_and_nobody_logs_in() {
    let home = Home::new();
    let (mut machine, old) = machine(&home);
    let (port, user) = (machine.port(), machine.user().to_owned());
    let new = KeyPair::generate(&machine.keys().join("new"), "ed25519");
    machine.serve(std::slice::from_ref(&new), Some(port));
    let shown = || Failed(Obstacle::Key { key: public(&new), channel: false });
    block_on(async {
        for pinned in [vec![public(&old)], Vec::new()] {
            let mut watching = home.watch(order(direct(port), &user, &pinned));
            watching.expect(&[Dialling, shown()]).await;
            for trace in ["publickey", "Failed", "Accepted", "invalid user"] {
                assert!(!machine.log().contains(trace), "no login was tried:\n{}", machine.log());
            }
            // Once somebody vouches for it, it is used at once.
            if pinned.is_empty() {
                watching.handle.order(order(direct(port), &user, &[public(&new)]));
                watching.expect(&[Dialling, Online]).await;
            }
        }
    });
}

#[test]
fn a_machine_that_does_not_know_this_desktop_is_told_from_one_that_is_down() {
    let (home, other) = (Home::new(), Home::new());
    let (machine, key) = machine(&other);
    block_on(async {
        let mut watching = home.watch(order(direct(machine.port()), machine.user(), &[public(&key)]));
        watching.expect(&[Dialling, Failed(Obstacle::Login)]).await;
        machine.authorise(&home.key.public_line());
        watching.handle.redial();
        watching.expect(&[Dialling, Online]).await;
    });
}

#[test]
fn a_key_of_the_person_s_own_logs_in() {
    let home = Home::new();
    let (machine, key) = machine(&home);
    block_on(async {
        for kind in ["ed25519", "rsa"] {
            let own = KeyPair::generate(&machine.keys().join(kind), kind);
            machine.authorise(&own.public());
            let mut order = order(direct(machine.port()), machine.user(), &[public(&key)]);
            order.session.identity_file = Some(own.path.to_str().unwrap().parse().unwrap());
            let mut watching = home.watch(order.clone());
            watching.expect(&[Dialling, Online]).await;
            assert!(machine.log().contains(&own.fingerprint()), "{kind}:\n{}", machine.log());
            watching.handle.stop().await.unwrap();
        }
        let mut order = order(direct(machine.port()), machine.user(), &[public(&key)]);
        order.session.identity_file = Some("~/.ssh/nowhere".parse().unwrap());
        let mut watching = home.watch(order);
        watching.expect(&[Dialling]).await;
        let Failed(Obstacle::Other(said)) = watching.next().await else { panic!("it cannot be read") };
        assert!(said.contains("nowhere") && said.contains("identity_file"), "{said}");
    });
}

#[test]
fn what_accepts_and_does_not_speak_ssh_is_named() {
    let home = Home::new();
    let (_machine, key) = machine(&home);
    let mute = listen(|stream| drop(std::thread::spawn(move || hold(&stream))));
    let web = listen(|mut stream| drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    block_on(async {
        for (port, obstacle) in [
            (listen(drop), Obstacle::ClosedAtOnce),
            (web, Obstacle::NotSsh),
            (free_port(), Obstacle::Refused),
            (mute, Obstacle::Silent),
        ] {
            let mut watching = home.watch(order(direct(port), "root", &[public(&key)]));
            watching.expect(&[Dialling, Failed(obstacle)]).await;
        }
    });
}

/// Keeps a connection open until the other side is gone, and says nothing.
fn hold(mut stream: &std::net::TcpStream) {
    while matches!(std::io::Read::read(&mut stream, &mut [0; 1024]), Ok(1..)) {}
}

/// Runs this very test again under `wrapper`. `true` in that run.
fn again_under(wrapper: &[&str], test: &str) -> bool {
    if std::env::var_os("MOORLINE_TEST_AGAIN").is_some() {
        return true;
    }
    let [program, arguments @ ..] = wrapper else { panic!("a wrapper has a name") };
    let mut command = Command::new(program);
    command.args(arguments).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("MOORLINE_TEST_AGAIN", "1");
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{complaint}");
    false
}

#[test]
fn a_key_with_a_passphrase_is_the_agent_s() {
    if !again_under(&["ssh-agent"], "a_key_with_a_passphrase_is_the_agent_s") {
        return;
    }
    let home = Home::new();
    let (machine, key) = machine(&home);
    let ran = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    };
    block_on(async {
        for kind in ["ed25519", "rsa"] {
            let own = KeyPair::generate(&machine.keys().join(kind), kind);
            let path = own.path.to_str().unwrap();
            machine.authorise(&own.public());
            let bare = std::fs::read(path).unwrap();
            ran("ssh-keygen", &["-q", "-p", "-P", "", "-N", "a passphrase", "-f", path]);
            let mut order = order(direct(machine.port()), machine.user(), &[public(&key)]);
            order.session.identity_file = Some(path.parse().unwrap());
            let mut watching = home.watch(order);
            watching.expect(&[Dialling]).await;
            let Failed(Obstacle::Other(said)) = watching.next().await else { panic!("nobody knows the key") };
            assert!(said.contains("agent") && said.contains(path), "{said}");
            let open = machine.keys().join(format!("{kind}-open"));
            std::fs::write(&open, bare).unwrap();
            std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o600)).unwrap();
            ran("ssh-add", &["-q", open.to_str().unwrap()]);
            watching.handle.redial();
            watching.expect(&[Dialling, Online]).await;
            assert!(machine.log().contains(&own.fingerprint()), "{kind}:\n{}", machine.log());
        }
    });
}

#[test]
fn the_practice_runtime_is_watched_like_any_other() {
    let home = Home::new();
    let authorized_keys = vec![home.key.public_line()];
    let options = PracticeOptions { authorized_keys, ..PracticeOptions::default() };
    let mut runtime = PracticeRuntime::start(options).unwrap();
    block_on(async {
        let link = Link::Direct(runtime.place());
        let mut watching =
            home.watch(order(link, runtime.user().as_str(), std::slice::from_ref(runtime.host_key())));
        watching.expect(&[Dialling, Online]).await;
        assert!(watching.vitals().await.disk.is_some());
        runtime.restart_at_same_port().unwrap();
        let new = Failed(Obstacle::Key { key: runtime.host_key().clone(), channel: false });
        watching.expect(&[Lost(Loss::Closed)]).await;
        let passed = watching.until(&new).await;
        assert!(
            passed.iter().all(|sight| matches!(sight, Dialling | Failed(Obstacle::Refused))),
            "{passed:?}"
        );
    });
}

#[test]
fn this_computer_s_own_network_is_told_from_a_runtime_that_is_gone() {
    let alone = ["unshare", "--net", "--map-root-user"];
    if !again_under(&alone, "this_computer_s_own_network_is_told_from_a_runtime_that_is_gone") {
        return;
    }
    let home = Home::new();
    let key = KeyPair::generate(&home.dir.path().join("host"), "ed25519");
    let port = "22".parse().unwrap();
    let at = |host: &str| Link::Direct(Place { host: host.parse().unwrap(), port });
    let behind =
        |relay: &str| Link::Relay(RelayLink { relay: relay.parse().unwrap(), port, mine_alone: false });
    assert!(WaysOut::now().none());
    block_on(async {
        for link in
            [at("203.0.113.7"), at("runtime.example"), behind("me@203.0.113.7"), behind("relay.example")]
        {
            let mut watching = home.watch(order(link, "root", &[public(&key)]));
            watching.expect(&[Dialling, Failed(Obstacle::OwnNetwork)]).await;
        }
        let (out, mut told) = mpsc::channel(4);
        let noticing = tokio::spawn(network::watch("changed", out));
        // It takes its first look before anything changes.
        tokio::task::yield_now().await;
        for arguments in
            ["link set lo up", "addr add 203.0.113.5/32 dev lo", "route add default dev lo src 203.0.113.5"]
        {
            let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
            assert!(status.success(), "ip {arguments}");
        }
        let change = tokio::time::timeout(LIMIT, told.recv()).await.unwrap();
        assert_eq!(change, Some("changed"));
        assert!(!WaysOut::now().none());
        noticing.abort();
    });
}
