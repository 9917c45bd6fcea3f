//! Who is trusted with a new host key, and who is not.
#![cfg(target_os = "linux")]

use std::process::Stdio;

use moorline_tests::clients::Client;
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::{Machine, free_port};
use moorline_tests::processes::{Program, until};
use moorline_tests::{Relay, Story, tree};

/// A runtime at an address that it keeps, already followed.
fn followed() -> Story {
    let story = Story::begin();
    let cell = cell(&story);
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    story
}

fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password())
}

#[test]
fn yes_alone_trusts_nobody() {
    let mut story = followed();
    let old = story.runtime.host_key().fingerprint();
    story.runtime.restart_on_same_port();
    let before = tree::fingerprint(&story.stage.ssh_dir());
    let refused = story.stage.moorline(&["repair", "colab", "--yes"]);
    let refused = refused.fails_with(1, "a key that nobody vouched for is not taken");
    let (new, said) = (story.runtime.host_key().fingerprint(), refused.said());
    assert!(said.contains(&old) && said.contains(&new), "both fingerprints are shown to compare:\n{refused}");
    assert_eq!(tree::fingerprint(&story.stage.ssh_dir()), before, "nothing was written");
    let log = story.runtime.machine().log();
    assert!(!log.contains("password for"), "no password was tried on a host that nobody vouched for:\n{log}");
}

#[test]
fn a_fingerprint_that_does_not_match_is_refused() {
    let mut story = followed();
    let old = story.runtime.host_key().fingerprint();
    story.runtime.restart_on_same_port();
    let before = tree::fingerprint(&story.stage.ssh_dir());
    let refused = story.stage.moorline(&["repair", "colab", "--yes", "--fingerprint", &old]);
    refused.fails_with(1, "the approval was for another key").says(&story.runtime.host_key().fingerprint());
    assert_eq!(tree::fingerprint(&story.stage.ssh_dir()), before, "nothing was written");
}

#[test]
fn the_matching_fingerprint_repairs() {
    let mut story = followed();
    story.runtime.restart_on_same_port();
    Client::OpenSsh.refuses_host_key(&story.stage, "colab");
    let new = story.runtime.host_key().fingerprint();
    story.stage.moorline(&["repair", "colab", "--yes", "--fingerprint", &new]).works("the person compared");
    story.cell_authorises_login_key();
    story.all_is_well();
    story.former_key_is_refused(1);
}

#[test]
fn first_use_has_to_be_said() {
    let mut story = followed();
    story.runtime.restart_on_same_port();
    story.stage.moorline(&["repair", "colab", "--trust-first-use"]).works("the person said so");
    story.cell_authorises_login_key();
    story.all_is_well();
}

#[test]
fn a_first_key_is_not_taken_unasked_either() {
    let story = Story::begin();
    let cell = cell(&story);
    story.stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], &cell);
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert_eq!(known_hosts, moorline_tests::story::PERSONS_KNOWN_HOSTS, "no key was pinned");
    let log = story.runtime.machine().log();
    assert!(!log.contains("password for"), "no password was tried:\n{log}");
}

/// Another user of the relay took the port: what answers there proves nothing, whatever the person said.
#[test]
fn a_port_of_the_relay_that_somebody_else_holds_is_not_trusted() {
    if !Machine::takes_passwords() {
        return; // becoming another user needs root
    }
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{}", moorline_tests::story::PERSONS_CONFIG));
    story.person_knows_hosts();
    let port = free_port();
    let mut squatter = std::process::Command::new("setpriv");
    squatter.args(["--pdeathsig", "KILL", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    squatter.args(["/usr/bin/python3", "-c", SQUATTER, &port.to_string(), &story.runtime.port().to_string()]);
    squatter.stderr(Stdio::inherit());
    let mut squatter = Program::start(squatter);
    squatter.await_ready(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), String::new);
    let cell = format!("ssh -p{port} {}@127.0.0.1\n", story.runtime.user());
    let arguments = ["add", "colab", "--relay", "relay", "--relay-is-mine-alone", "--from", "-", "--yes"];
    story.stage.moorline_reads(&arguments, &cell);
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(!known_hosts.contains("colab"), "no key of somebody else's port was pinned:\n{known_hosts}");
}

/// For people who hop on from the relay's own shell.
#[test]
fn the_relays_own_known_hosts_is_repaired_on_request() {
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{}", moorline_tests::story::PERSONS_CONFIG));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let cell = format!("ssh -p{port} {}@127.0.0.1\n", story.runtime.user());
    let arguments = ["add", "colab", "--relay", "relay", "--relay-is-mine-alone", "--from", "-", "--yes"];
    story.stage.moorline_reads(&arguments, &cell).works("the relay vouches for the key");
    let other = "bastion.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLDA0ODxAREhMUFRYXGBka";
    let before = format!("{other}\n[127.0.0.1]:{port} {}\n", story.runtime.host_key().public());
    let path = relay.machine().disk().join(".ssh/known_hosts");
    std::fs::write(&path, before).expect("the relay has a known_hosts");
    story.runtime.restart();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    story.stage.moorline(&["repair", "colab", "--yes", "--relay-known-hosts"]).works("both are repaired");
    let after = std::fs::read_to_string(&path).expect("it is still there");
    assert_eq!(
        after,
        format!("{other}\n[127.0.0.1]:{port} {}\n", story.runtime.host_key().public()),
        "the relay's own file names the new key, and nothing else changed"
    );
}

/// The keyring is asked anew after its daemon came back.
#[test]
fn a_keyring_that_was_restarted_still_gives_the_password() {
    if !Machine::takes_passwords() {
        return; // see the practice server's tests
    }
    let mut story = followed();
    story.desktop.restart_keyring(&story.stage);
    story.runtime.restart_on_same_port();
    let new = story.runtime.host_key().fingerprint();
    story.stage.moorline(&["repair", "colab", "--yes", "--fingerprint", &new]).works("the person compared");
    let mut log = String::new();
    until("the server to have written its log", || {
        log = story.runtime.machine().log();
        log.contains("Accepted")
    });
    story.all_is_well();
}

/// An impostor that holds the runtime's former key and place still cannot be told from it: that is why the old
/// key goes from the files at once when a new one is pinned.
#[test]
fn only_the_new_key_is_left_in_the_files() {
    let mut story = followed();
    let former: KeyPair = story.runtime.host_key().clone();
    story.runtime.restart_on_same_port();
    let new = story.runtime.host_key().fingerprint();
    story.stage.moorline(&["repair", "colab", "--yes", "--fingerprint", &new]).works("the person compared");
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(!known_hosts.contains(&former.public()), "the former key is gone:\n{known_hosts}");
    assert!(known_hosts.contains(&story.runtime.host_key().public()), "the new one is there:\n{known_hosts}");
}

/// Forwards a port to another, as a user who is not the relay's owner.
const SQUATTER: &str = "
import socket, sys, threading
door = socket.create_server(('127.0.0.1', int(sys.argv[1])))
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    b.close()
while True:
    visitor, _ = door.accept()
    inner = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    for pair in ((visitor, inner), (inner, visitor)): threading.Thread(target=pump, args=pair, daemon=True).start()
";
