//! The command line as people and programs use it.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::story::{PERSONS_CONFIG, PERSONS_KNOWN_HOSTS};
use moorline_tests::{Stage, Story, tree};

const ADD: [&str; 5] = ["add", "colab", "--from", "-", "--yes"];

/// A paste that needs no network: nobody listens there, and the key stands in it.
fn paste_with_key(stage: &Stage, name: &str) -> String {
    let key = KeyPair::generate(&stage.runtime_dir().join(name), "ed25519");
    let port = free_port();
    format!("ssh -p {port} root@127.0.0.1\n[127.0.0.1]:{port} {}\n", key.public())
}

fn person() -> Stage {
    let stage = Stage::new();
    stage.put(".ssh/config", PERSONS_CONFIG);
    stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
    stage
}

#[test]
fn add_update_forget_leaves_the_files_as_they_were() {
    let stage = person();
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "two")).works("it is updated");
    stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    assert_eq!(stage.text(".ssh/config"), PERSONS_CONFIG, "the config is as it was");
    assert_eq!(stage.text(".ssh/known_hosts"), PERSONS_KNOWN_HOSTS, "known_hosts is as it was");
}

#[test]
fn a_home_without_ssh_gets_private_files_and_keeps_none_of_them() {
    let stage = Stage::new();
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    let made = tree::content(&stage.ssh_dir());
    let mode = |name: &str| made.get(std::path::Path::new(name)).map(|entry| entry.mode);
    assert_eq!(mode(""), Some(0o700), "~/.ssh is the person's alone");
    assert_eq!(mode("config"), Some(0o600), "so is the config");
    assert_eq!(mode("known_hosts"), Some(0o600), "and known_hosts");
    stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    let left = tree::content(&stage.ssh_dir());
    let has = |name: &str| left.contains_key(std::path::Path::new(name));
    assert!(!has("config") && !has("known_hosts"), "what was made for it is gone: {:?}", left.keys());
}

#[test]
fn the_same_text_twice_writes_nothing() {
    let stage = person();
    let paste = paste_with_key(&stage, "one");
    stage.moorline_reads(&ADD, &paste).works("it is added");
    let before = tree::fingerprint(&stage.ssh_dir());
    stage.moorline_reads(&ADD, &paste).works("the same again is fine");
    assert_eq!(tree::fingerprint(&stage.ssh_dir()), before, "no file was touched");
}

#[test]
fn a_runtime_that_cannot_be_reached_is_added_within_seconds() {
    let stage = person();
    let start = Instant::now();
    let outcome = stage.moorline_reads(&ADD, &format!("ssh -p {} root@127.0.0.1\n", free_port()));
    outcome.works("it is added all the same");
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    stage.run("ssh", &["-G", "colab"]).works("ssh knows it").says("hostname 127.0.0.1");
}

#[test]
fn a_paste_that_would_re_target_a_session_needs_a_yes() {
    let stage = person();
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    let before = tree::fingerprint(&stage.ssh_dir());
    let arguments = ["add", "colab", "--from", "-"];
    let refused = stage.moorline_reads(&arguments, &paste_with_key(&stage, "two"));
    refused.fails_with(1, "nobody confirmed it").says("--yes");
    assert_eq!(tree::fingerprint(&stage.ssh_dir()), before, "nothing was written");
}

#[test]
fn text_without_a_runtime_is_refused_with_one_sentence() {
    let stage = person();
    let before = tree::fingerprint(&stage.home());
    let refused = stage.moorline_reads(&ADD, "hello\n").fails_with(1, "there is nothing in it");
    assert_eq!(refused.stderr.trim_end().lines().count(), 1, "one sentence:\n{refused}");
    assert_eq!(tree::fingerprint(&stage.home()), before, "nothing was changed");
}

#[test]
fn wrong_usage_exits_with_2_and_unknown_sessions_with_1() {
    let stage = person();
    for wrong in
        [&["frobnicate"][..], &["add", "--bogus"], &["open", "colab", "--in", "emacs-on-the-moon"], &[]]
    {
        stage.moorline(wrong).fails_with(2, "that is no usage");
    }
    for unknown in [
        &["repair", "nobody"][..],
        &["forget", "nobody", "--yes"],
        &["status", "nobody"],
        &["open", "nobody", "--dry-run"],
    ] {
        stage.moorline(unknown).fails_with(1, "there is no such session").says("nobody");
    }
}

#[test]
fn machines_read_json() {
    let stage = person();
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    for arguments in [&["status", "--json"][..], &["status", "colab", "--json"], &["doctor", "--json"]] {
        let outcome = stage.moorline(arguments);
        let value: Result<serde_json::Value, _> = serde_json::from_str(&outcome.stdout);
        assert!(value.is_ok(), "it is JSON: {value:?}\n{outcome}");
        assert!(!outcome.stdout.contains('\u{1b}'), "without colour");
    }
    let failed = stage.moorline(&["status", "nobody", "--json"]).fails_with(1, "there is no such session");
    let value: serde_json::Value = serde_json::from_str(&failed.stdout).expect("a failure is JSON, too");
    assert!(value["error"].is_string(), "it says why: {value}");
}

#[test]
fn editors_are_shown_without_being_started() {
    let stage = person();
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    let vscode = stage.moorline(&["open", "colab", "--in", "vscode", "/content/my work", "--dry-run"]);
    vscode.works("it says what it would start").says("ssh-remote+colab/content/my%20work");
}

#[test]
fn completions_are_printed() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish"] {
        stage.moorline(&["completions", shell]).works("completions are printed").says("moorline");
    }
}

#[test]
fn the_demo_tells_the_whole_story_and_leaves_no_trace() {
    let stage = person();
    let before = tree::fingerprint(&stage.home());
    let outcome = stage.moorline(&["demo"]).works("the demo plays to its end");
    assert!(
        outcome.stdout.contains("+Host") || outcome.stdout.contains("+    HostName"),
        "a diff is shown:\n{outcome}"
    );
    assert_eq!(tree::fingerprint(&stage.home()), before, "the person's home is untouched");
}

#[test]
fn secrets_are_set_listed_and_deleted() {
    let story = Story::begin();
    let stage = &story.stage;
    stage.moorline_reads(&ADD, &paste_with_key(stage, "one")).works("it is added");
    stage.hide("correct-horse-battery");
    stage.moorline_reads(&["secret", "set", "colab"], "correct-horse-battery\n").works("it is stored");
    let listed = stage.moorline(&["secret", "list"]).works("it is listed").says("colab");
    assert!(!listed.said().contains("correct-horse"), "by name alone");
    stage.moorline(&["secret", "delete", "colab"]).works("it is deleted");
    let listed = stage.moorline(&["secret", "list"]).works("the list can be empty");
    assert!(!listed.stdout.contains("password"), "it is gone:\n{listed}");
}
