//! What belongs to one machine stays with it: names, passwords, expectations.
#![cfg(target_os = "linux")]

use moorline_tests::clients::Client;
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::{Machine, free_port};
use moorline_tests::{Desktop, Runtime, Stage, tree};

/// A text that vouches for the runtime's key itself.
fn cell(runtime: &Runtime) -> String {
    let print = runtime.host_key().fingerprint();
    format!("ssh -p {} {}@127.0.0.1\nHost key fingerprint: {print}\n", runtime.port(), runtime.user())
}

/// A key that no machine here holds.
fn fresh_key(stage: &Stage) -> KeyPair {
    KeyPair::generate(&stage.runtime_dir().join("fresh"), "ed25519")
}

fn adds(stage: &Stage, text: &str) -> moorline_tests::Outcome {
    stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], text)
}

#[test]
fn a_text_never_captures_a_machine_of_the_person_s() {
    let stage = Stage::new();
    let key = fresh_key(&stage);
    stage.put(".ssh/config", "Include more\nHost gpu*\n  User me\n");
    stage.put(".ssh/more", "Host home\n  HostName 10.0.0.7\n");
    stage.put(".ssh/known_hosts", format!("home {0}\nattic,10.0.0.9 {0}\n", key.public()));
    let before = tree::fingerprint(&stage.home());
    for name in ["home", "attic", "gpu1"] {
        let text = format!("Host {name}\n  HostName bore.pub\n  Port 4242\n  User root\n");
        for arguments in [&["add", "--from", "-"][..], &["add", "--from", "-", "--yes"]] {
            stage.moorline_reads(arguments, &text).fails_with(1, "the name is a machine of the person's");
        }
        assert_eq!(tree::fingerprint(&stage.home()), before, "{name}: nothing was written");
    }
    let text = "Host trainer\n  HostName bore.pub\n  Port 4242\n  User root\n";
    stage
        .moorline_reads(&["add", "--from", "-"], text)
        .fails_with(1, "even a free name is asked about")
        .says("trainer");
    assert_eq!(tree::fingerprint(&stage.home()), before, "nothing was written");
}

#[test]
fn a_relay_with_a_session_s_name_is_refused() {
    let stage = Stage::new();
    let text = "ssh -fNT -R 7423:127.0.0.1:22 me@colab\n";
    let refused = stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], text);
    refused.fails_with(1, "ssh would call itself for ever").says("circles");
    assert!(stage.get(".ssh/config").is_empty(), "nothing was written");
}

#[test]
fn the_option_means_exactly_that_key() {
    let stage = Stage::new();
    let runtime = Runtime::start();
    let other = fresh_key(&stage).fingerprint();
    let arguments = ["add", "colab", "--from", "-", "--yes", "--fingerprint", &other];
    stage.moorline_reads(&arguments, &cell(&runtime)).fails_with(1, "the text says otherwise").says(&other);
    let (port, key) = (free_port(), runtime.host_key().public());
    let line = format!("ssh -p {port} root@127.0.0.1\n[127.0.0.1]:{port} {key}\n");
    stage.moorline_reads(&arguments, &line).fails_with(1, "so does a key line").says(&other);
    assert!(stage.get(".ssh/known_hosts").is_empty(), "no key was pinned");
}

#[test]
fn a_stored_password_does_not_follow_to_another_address() {
    if !Machine::takes_passwords() {
        return; // sshd checks passwords as root only
    }
    let stage = Stage::new();
    let _desktop = Desktop::start(&stage);
    let (first, second) = (Runtime::start(), Runtime::start());
    let text = format!("{}password: {}\n", cell(&first), first.password());
    adds(&stage, &text).works("the password installs the key");
    let outcome = adds(&stage, &cell(&second)).works("the person re-targets");
    outcome.says("was given for direct 127.0.0.1");
    for _ in 0..2 {
        let log = second.machine().log();
        assert!(
            !log.contains("password for"),
            "the first runtime's password was tried on the second:\n{log}"
        );
        stage.moorline(&["repair", "colab"]);
    }
    let secret = format!("{}\n", second.password());
    stage.moorline_reads(&["secret", "set", "colab"], &secret).works("given for this address");
    stage.moorline(&["repair", "colab"]).works("and used there");
    Client::OpenSsh.connects(&stage, "colab");
}

#[test]
fn what_was_expected_at_an_old_address_does_not_block_a_new_one() {
    let stage = Stage::new();
    let runtime = Runtime::start();
    let stale = fresh_key(&stage).fingerprint();
    let waiting = format!("ssh -p {} root@127.0.0.1\nHost key fingerprint: {stale}\n", free_port());
    adds(&stage, &waiting).works("what cannot be reached is added all the same");
    let arguments = ["add", "colab", "--from", "-", "--yes", "--trust-first-use"];
    let text = format!("ssh -p {} {}@127.0.0.1\n", runtime.port(), runtime.user());
    stage.moorline_reads(&arguments, &text).works("another address, of which nothing was expected");
}

#[test]
fn an_older_text_does_not_replace_a_pinned_key_at_the_same_address() {
    let stage = Stage::new();
    let mut runtime = Runtime::start();
    adds(&stage, &cell(&runtime)).works("pinned");
    let pinned = stage.text(".ssh/known_hosts");
    let (port, key) = (runtime.port(), fresh_key(&stage).public());
    let stale = format!("ssh -p {port} {}@127.0.0.1\n[127.0.0.1]:{port} {key}\n", runtime.user());
    runtime.stop();
    adds(&stage, &stale).works("it cannot be reached just now");
    assert_eq!(stage.text(".ssh/known_hosts"), pinned, "the key that worked is still the one");
}
