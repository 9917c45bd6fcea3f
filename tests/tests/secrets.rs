//! No secret on disk, in the process list, or in what is printed.
#![cfg(target_os = "linux")]

use moorline_tests::processes::until;
use moorline_tests::secrets::ProcessWatch;
use moorline_tests::{Scene, Story};

fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password())
}

/// Every program that is started, with all its arguments and its whole environment, as the kernel was told.
#[test]
fn no_child_is_told_a_secret() {
    let story = Story::begin();
    let fingerprint = story.runtime.host_key().fingerprint();
    let log = story.stage.runtime_dir().join("execve.log");
    let log_name = log.to_str().expect("the log's name is text");
    let strace = ["-f", "-qq", "-v", "-s", "1000000", "-e", "trace=execve", "-o", log_name, "--", "moorline"];
    let moorline = ["add", "colab", "--from", "-", "--yes", "--fingerprint", &fingerprint];
    let arguments: Vec<&str> = strace.into_iter().chain(moorline).collect();
    story.stage.run_with_input("strace", &arguments, &cell(&story)).works("the runtime is added");
    let calls = std::fs::read(&log).expect("strace may trace");
    assert!(String::from_utf8_lossy(&calls).contains("execve("), "the programs that were started are known");
    let found = story.stage.secrets().in_bytes(&calls);
    assert!(found.is_empty(), "a program was started with a secret ({found:?})");
}

/// The whole life of a session, with an eye on the process list; the disk is searched when the stage ends.
#[test]
fn a_whole_life_leaves_no_secret() {
    let mut story = Story::begin();
    let stored = "a-service-token-for-the-keyring";
    story.stage.hide(stored);
    let watch = ProcessWatch::start(story.stage.secrets());
    let mut said = Vec::new();
    said.push(story.paste(&["add", "colab"], &cell(&story)).works("the runtime is added"));
    story.runtime.restart();
    said.push(story.paste(&["repair", "colab"], &cell(&story)).works("the runtime is repaired"));
    for arguments in
        [&["status"][..], &["status", "--json"], &["secret", "list"], &["doctor"], &["doctor", "--json"]]
    {
        said.push(story.stage.moorline(arguments));
    }
    said.push(story.stage.moorline_reads(&["secret", "set", "colab"], stored).works("a secret is stored"));
    said.push(story.stage.moorline(&["secret", "list"]).works("secrets are listed by name"));
    // Trouble must not make it talkative either.
    story.runtime.stop();
    said.push(story.paste(&["add", "colab"], &cell(&story)));
    said.push(story.stage.moorline(&["repair", "colab", "--yes"]));
    said.push(story.stage.moorline(&["forget", "colab", "--yes"]).works("the session is forgotten"));
    let (rounds, found) = watch.finish();
    assert!(rounds > 20, "the process list was looked through {rounds} times only");
    assert!(found.is_empty(), "secrets were seen in {found:?}");
    for outcome in said {
        let found = story.stage.secrets().in_bytes(outcome.said().as_bytes());
        assert!(found.is_empty(), "`{}` printed a secret ({found:?})", outcome.command);
    }
    let left = story.stage.run("secret-tool", &["search", "--all", "service", "moorline"]);
    assert!(!left.said().contains("secret ="), "forgetting leaves nothing in the keyring:\n{left}");
}

/// Without a keyring there is no plain-text fallback: it says what to do, and keeps nothing.
#[test]
fn without_a_keyring_nothing_is_kept() {
    let stage = moorline_tests::Stage::new();
    let arguments = ["add", "colab", "--from", "-", "--yes"];
    stage.moorline_reads(&arguments, "ssh -p 9 root@127.0.0.1").works("a session needs no keyring");
    let secret = "a-password-without-a-home";
    stage.hide(secret);
    let refused = stage.moorline_reads(&["secret", "set", "colab"], secret);
    refused.fails_with(1, "there is no keyring").says("keyring");
}

/// An account's secrets belong to no session, and a session key may have come before its session.
#[test]
fn an_uninstall_leaves_no_secret_of_an_account_either() {
    let story = Story::begin();
    let cell = cell(&story);
    story.paste(&["add", "colab"], &cell).works("the runtime is added");
    let secrets = [
        (&["ngrok-api-key"][..], "an-api-key-of-an-account"),
        (&["google-refresh-token"], "a-refresh-token-of-an-account"),
        (&["later", "session-key"], "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
    ];
    for (name, secret) in secrets {
        story.stage.hide(secret);
        let set = [&["secret", "set"][..], name].concat();
        story.stage.moorline_reads(&set, secret).works("it is stored");
    }
    let uninstalled = story.stage.moorline(&["uninstall", "--yes"]).works("all of it goes");
    uninstalled
        .says("deleted ngrok-api-key")
        .says("deleted later/session-key")
        .says("nothing of Moorline is left");
    let left = story.stage.run("secret-tool", &["search", "--all", "service", "moorline"]);
    assert!(!left.said().contains("secret ="), "the keyring holds nothing of it:\n{left}");
}

#[test]
fn a_session_key_that_is_deleted_is_used_no_more() {
    let (scene, _watching) = Scene::online(&["ntfy"]);
    scene.story.stage.moorline(&["secret", "delete", "colab", "session-key"]).works("it is deleted");
    until("nobody to listen with it", || scene.ntfy.listeners(scene.voice.topic()) == 0);
}
