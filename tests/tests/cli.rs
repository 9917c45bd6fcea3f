//! The command line as people and programs use it.
#![cfg(target_os = "linux")]

use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::processes::Program;
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
fn the_help_says_when_watch_prints_json() {
    let help = Stage::new().moorline(&["watch", "--help"]);
    help.works("there is help").says("Into a pipe or a file each is a JSON object");
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

#[test]
fn what_is_no_regular_file_is_said_and_does_not_hang() {
    let stage = person();
    let fifo = |path: &str| {
        let path = stage.home_inside().join(path).display().to_string();
        stage.run("rm", &["-f", &path]).works("the place is free");
        stage.run("mkfifo", &["-m", "600", &path]).works("there is a FIFO");
    };
    stage.moorline_reads(&ADD, &paste_with_key(&stage, "one")).works("it is added");
    stage.put(".config/Code/User/settings.json", "{}");
    fifo(".config/Code/User/settings.json");
    let editor = stage.programs().join("code");
    std::fs::write(&editor, "#!/bin/sh\nexit 0\n").expect("an editor");
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    let other = paste_with_key(&stage, "two");
    let limited = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["20", "moorline"].into_iter().chain(arguments.iter().copied()).collect();
        stage.run_with_input("timeout", &arguments, &other)
    };
    limited(&["open", "colab"]).works("the editor opens").says("not a regular file");
    fifo(".ssh/config");
    limited(&ADD).fails_with(1, "nothing can be written there").says("not a regular file");
    let doctor = limited(&["doctor"]);
    assert!(doctor.code.is_some_and(|code| code < 2), "the doctor ends by itself:\n{doctor}");
}

#[test]
fn the_lock_is_never_somebodys_letter() {
    let stage = person();
    stage.put("letter", "dear");
    stage.put(".local/state/moorline/pins.json", "{\"version\":1,\"sessions\":{}}");
    let link = stage.home().join(".local/state/moorline/lock");
    std::os::unix::fs::symlink(stage.home_inside().join("letter"), link).expect("a link");
    let refused = stage.moorline_reads(&ADD, &paste_with_key(&stage, "one"));
    refused.fails_with(1, "that is no lock").says("not a regular file");
    assert_eq!(stage.text("letter"), "dear", "what the link leads to is not ours");
}

#[test]
fn a_home_that_is_no_text_is_refused_with_one_sentence() {
    let stage = person();
    let home = std::ffi::OsStr::from_bytes(b"/tmp/moorline-home-\xff");
    let dir = tempfile::TempDir::new_in("/tmp").expect("/tmp is writable");
    let home = dir.path().join(std::path::Path::new(home).file_name().expect("it has a name"));
    std::fs::create_dir(&home).expect("a home");
    stage.set_env("HOME", &home);
    let refused = stage.moorline_reads(&ADD, &paste_with_key(&stage, "one"));
    assert_eq!(
        refused.stderr.lines().filter(|line| line.contains("UTF-8")).count(),
        1,
        "said once:\n{refused}"
    );
    refused.fails_with(1, "ssh's config cannot name it");
    assert!(!home.join(".ssh/config").exists(), "nothing was written");
}

#[test]
fn a_relay_s_own_files_are_mended_by_a_repair_that_pastes_nothing() {
    let stage = person();
    let wrong = ["repair", "colab", "--from", "-", "--relay-known-hosts"];
    stage.moorline(&wrong).fails_with(2, "these exclude each other").says("cannot be used with");
}

#[test]
fn wrong_usage_is_json_too() {
    let stage = person();
    for wrong in [
        &["--json"][..],
        &["add", "--bogus", "--json"],
        &["--json", "status", "-x"],
        &["--json", "add", "a b"],
    ] {
        let outcome = stage.moorline(wrong).fails_with(2, "that is no usage");
        let value: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        assert!(value["error"].as_str().is_some_and(|text| !text.contains('\n')), "one sentence: {value}");
        assert_eq!(outcome.stderr, "", "and nothing else");
    }
}

#[test]
fn output_that_is_lost_is_a_failure() {
    let stage = person();
    for arguments in ["status", "status --json", "completions bash"] {
        let script = format!("moorline {arguments} >/dev/full");
        let outcome = stage.run("sh", &["-c", &script]).fails_with(1, "the device takes nothing");
        outcome.says("cannot write the output");
    }
    let closed = stage.run("sh", &["-c", "{ moorline completions bash; echo ended with $? >&2; } | true"]);
    let closed = closed.works("a reader may stop");
    assert!(!closed.stderr.contains("cannot write"), "which is no news:\n{closed}");
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let stage = person();
        let place = stage.home().join("throw-away");
        std::fs::create_dir(&place).expect("a place");
        stage.set_env("TMPDIR", stage.home_inside().join("throw-away"));
        let mut command = stage.command("moorline");
        command.arg("demo").stdout(stage.log("demo")).stderr(stage.log("demo"));
        let mut demo = Program::start(command);
        demo.await_ready(
            || tree::content(&place).keys().any(|path| path.ends_with(".ssh/moorline_ed25519")),
            || stage.read_log("demo"),
        );
        stage.run("kill", &[signal, &demo.id().to_string()]).works("it is told to end");
        let ended = demo.wait_in_time("moorline demo");
        assert_eq!(ended.code(), Some(status), "as a shell says it:\n{}", stage.read_log("demo"));
        let left = tree::content(&place);
        assert_eq!(left.len(), 1, "the private key and all else is gone: {:?}", left.keys());
    }
}

#[test]
fn after_an_uninstall_nothing_was_ever_there() {
    for ssh in [None, Some(""), Some(PERSONS_CONFIG)] {
        let story = Story::begin();
        let stage = &story.stage;
        std::fs::remove_dir_all(stage.ssh_dir()).expect("the home is emptied");
        match ssh {
            None => {}
            Some("") => {
                std::fs::create_dir(stage.ssh_dir()).expect("an empty ~/.ssh");
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
                std::fs::set_permissions(stage.ssh_dir(), mode).expect("its mode");
            }
            Some(config) => {
                stage.put(".ssh/config", config);
                stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
            }
        }
        let person_s = || {
            let mut content = tree::content(&stage.home());
            // The keyring's own files, which are encrypted anew with every change.
            content.retain(|path, _| !path.starts_with(".local/share/keyrings"));
            content
        };
        let before = person_s();
        let runtime_before = tree::content(&stage.runtime_dir());
        let text = format!("{}Root password: correct-horse-battery\n", paste_with_key(stage, "one"));
        stage.hide("correct-horse-battery");
        stage.moorline_reads(&ADD, &text).works("it is added");
        stage.moorline(&["secret", "list"]).works("the password is kept").says("colab/password");
        stage.moorline(&["uninstall", "--yes"]).works("all of it goes");
        assert_eq!(person_s(), before, "the home is as it was");
        let kept: Vec<_> = tree::content(&stage.runtime_dir()).into_keys().collect();
        let ours = |path: &&std::path::PathBuf| path.to_string_lossy().contains("moorline");
        assert_eq!(kept.iter().find(ours), None, "nor is anything left of {:?}", runtime_before.keys());
        let listed = stage.moorline(&["secret", "list"]).works("the keyring answers");
        assert!(!listed.stdout.contains("colab"), "it holds nothing of Moorline's:\n{listed}");
    }
}
