//! Options of the person's that hold for every host, and what becomes of a session under them.
#![cfg(target_os = "linux")]

use std::net::TcpListener;

use moorline_tests::machine::Machine;
use moorline_tests::{Story, tree};

fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password())
}

/// Each of these alone kept plain ssh from a runtime that takes the login key.
#[test]
fn what_would_keep_plain_ssh_out_is_overruled() {
    if !Machine::takes_passwords() {
        return; // Ready is said only once the key is installed
    }
    let mut story = Story::begin();
    story.person_writes_config(
        "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  CheckHostIP yes\n  PubkeyAuthentication no\n  PreferredAuthentications password\n  RemoteCommand exit 7\n",
    );
    story.paste(&["add", "colab"], &cell(&story)).works("it is added").says("Ready: ssh colab");
    story.all_is_well();
}

#[test]
fn ready_is_said_only_if_plain_ssh_agrees() {
    if !Machine::takes_passwords() {
        return; // as above
    }
    let mut story = Story::begin();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    story.person_writes_config(&format!(
        "Host *\n  ExitOnForwardFailure yes\n  LocalForward 127.0.0.1:{port} 127.0.0.1:1\n"
    ));
    let added = story.paste(&["add", "colab"], &cell(&story)).works("it is added all the same");
    assert!(!added.said().contains("Ready: ssh"), "plain ssh fails:\n{added}");
    added.says("your own `ssh colab` does not");
    let repaired = story.stage.moorline(&["repair", "colab", "--json"]).works("the files are in order");
    let value: serde_json::Value = serde_json::from_str(&repaired.stdout).expect("it is JSON");
    assert_eq!((&value["login"], &value["ssh_works"]), (&"key-works".into(), &false.into()), "{value}");

    drop(taken);
    let repaired = story.stage.moorline(&["repair", "colab", "--json"]).works("nothing is in the way now");
    let value: serde_json::Value = serde_json::from_str(&repaired.stdout).expect("it is JSON");
    assert_eq!(value["ssh_works"], true, "{value}");
}

#[test]
fn a_list_that_leaves_the_pinned_key_out_is_named_before_anything_is_written() {
    let mut story = Story::begin();
    story.person_writes_config("Host *\n  HostKeyAlgorithms rsa-sha2-512\n");
    let before = tree::fingerprint(&story.stage.ssh_dir());
    let refused = story.paste(&["add", "colab"], &cell(&story));
    refused.fails_with(1, "ssh would refuse the runtime").says("hostkeyalgorithms").says("Host * !colab");
    assert_eq!(tree::fingerprint(&story.stage.ssh_dir()), before, "nothing was written");
}

#[test]
fn a_revoked_key_is_refused_before_anything_is_written_or_sent() {
    let story = Story::begin();
    let revoked = format!("# bad\n@revoked * {}\n", story.runtime.host_key().public());
    story.stage.put(".ssh/known_hosts", revoked);
    let before = tree::fingerprint(&story.stage.ssh_dir());
    story.paste(&["add", "colab"], &cell(&story)).fails_with(1, "the key is worthless").says("line 2 of ");
    assert_eq!(tree::fingerprint(&story.stage.ssh_dir()), before, "nothing was written");
    let log = story.runtime.machine().log();
    assert!(!log.contains("password for"), "no password was sent:\n{log}");
}
