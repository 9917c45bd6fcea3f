//! Text that was made to harm: nothing of it may reach a file that ssh reads.
#![cfg(target_os = "linux")]

use std::fs;

use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::story::{PERSONS_CONFIG, PERSONS_KNOWN_HOSTS, split_block};
use moorline_tests::{Stage, tree};

/// The keywords that an entry of ours may hold.
const KEYWORDS: [&str; 19] = [
    "Host",
    "HostName",
    "Port",
    "User",
    "HostKeyAlias",
    "StrictHostKeyChecking",
    "UserKnownHostsFile",
    "UpdateHostKeys",
    "CheckHostIP",
    "ForwardAgent",
    "ControlPath",
    "RemoteCommand",
    "PubkeyAuthentication",
    "PreferredAuthentications",
    "IdentityFile",
    "IdentitiesOnly",
    "ServerAliveInterval",
    "ServerAliveCountMax",
    "ConnectTimeout",
];

fn person() -> Stage {
    let stage = Stage::new();
    stage.put(".ssh/config", PERSONS_CONFIG);
    stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
    // For a shell that takes a part of a text for a command.
    stage.put_program("evil", "#!/bin/sh\ntouch ~/evil\n");
    stage
}

/// Goes wherever the session leads, by ssh and by Moorline; a shell on the way would expand what it is given. Where
/// it ends is of no interest.
fn dial(stage: &Stage) {
    stage.run("ssh", &["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "colab", "true"]);
    if stage.text(".ssh/config").contains("Host colab\n") {
        stage.moorline(&["repair", "colab", "--yes"]);
    }
}

/// Whether a command of some text ran: in the home, in the working folder of the stage's commands, or in `/tmp`.
fn something_ran(stage: &Stage) -> bool {
    let places = [stage.home().join("evil"), "/evil".into(), "/tmp/moorline-evil".into()];
    places.iter().any(|place| fs::symlink_metadata(place).is_ok())
}

/// Pastes the text and insists that whatever came of it is harmless.
fn is_harmless(text: &str) {
    let stage = person();
    let outcome = stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], text);
    assert!(matches!(outcome.code, Some(0..=2)), "it ends well for {text:?}:\n{outcome}");
    let config = stage.text(".ssh/config");
    if config != PERSONS_CONFIG {
        let (block, rest) = split_block(&config);
        assert_eq!(rest, PERSONS_CONFIG, "the person's config is untouched by {text:?}");
        block_is_ours(&block, text);
    }
    for (path, entry) in tree::content(&stage.ssh_dir()) {
        let bytes = entry.content.unwrap_or_default();
        let content = String::from_utf8_lossy(&bytes);
        assert!(
            !content.to_lowercase().contains("evil"),
            "{} got it from {text:?}:\n{content}",
            path.display()
        );
    }
    known_hosts_is_ours(&stage.text(".ssh/known_hosts"), text);
    assert!(!something_ran(&stage), "adding {text:?} ran a command");
    dial(&stage);
    assert!(!something_ran(&stage), "dialling after {text:?} ran a command");
    // Were there a directive or a command in it, ssh would show or run it now.
    let resolved = stage.run("ssh", &["-G", "colab"]).works(&format!("ssh reads the config after {text:?}"));
    assert!(!resolved.stdout.to_lowercase().contains("evil"), "ssh sees it:\n{resolved}");
    let other = stage.run("ssh", &["-G", "somewhere.else"]).works("ssh reads the config");
    assert!(other.stdout.contains("hostname somewhere.else\n"), "no other host is captured:\n{other}");
}

#[track_caller]
fn block_is_ours(block: &str, text: &str) {
    for line in block.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let (keyword, value) = line.trim().split_once(' ').unwrap_or((line, ""));
        if keyword == "ProxyCommand" && value.ends_with("/.local/share/moorline/bin/moorline-proxy colab") {
            continue; // a tunnel's host name was in it; the command is ours, and holds nothing of the text
        }
        assert!(KEYWORDS.contains(&keyword), "{text:?} brought the line {line:?}");
        let hosts = ["colab", "*"];
        assert!(keyword != "Host" || hosts.contains(&value), "{text:?} brought the line {line:?}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-~/:*,".contains(c);
        assert!(value.chars().all(plain), "{text:?} brought the line {line:?}");
    }
}

#[track_caller]
fn known_hosts_is_ours(known_hosts: &str, text: &str) {
    let new = known_hosts.lines().filter(|line| !PERSONS_KNOWN_HOSTS.lines().any(|theirs| theirs == *line));
    for line in new {
        let names = line.split(' ').next().unwrap_or_default();
        let ours = names.split(',').all(|name| name == "colab" || name.starts_with("[127.0.0.1]:"));
        assert!(ours && line.split(' ').count() == 3, "{text:?} brought the line {line:?}");
    }
}

/// The proof that the other tests could fail.
#[test]
fn a_command_that_runs_is_noticed() {
    for trap in ["Match host colab exec evil\n", "Host colab\n  ProxyCommand evil\n"] {
        let stage = person();
        stage.put(".ssh/config", trap);
        assert!(!something_ran(&stage), "nothing ran yet");
        dial(&stage);
        assert!(something_ran(&stage), "{trap:?} ran unseen");
        let left = fs::read(stage.home().join("evil")).expect("it left a file");
        assert!(left.is_empty(), "of a kind that an empty read does not tell from none");
    }
}

#[test]
fn shell_characters_in_a_host_or_user() {
    for bad in
        ["$(touch ~/evil)", "`touch ~/evil`", "a|evil", "a&evil", "a>evil", "a;evil", "a<evil", "$evil"]
    {
        is_harmless(&format!("ssh -p 2222 root@{bad}"));
        is_harmless(&format!("ssh -p 2222 {bad}@127.0.0.1"));
        is_harmless(&format!("Host x\n    HostName {bad}\n    User root\n    Port 2222\n"));
        is_harmless(&format!("Host x\n    HostName 127.0.0.1\n    User {bad}\n    Port 2222\n"));
        is_harmless(&format!("ssh://{bad}@127.0.0.1:2222"));
        is_harmless(&format!("tcp://{bad}:2222"));
    }
}

#[test]
fn line_ends_that_would_bring_directives() {
    for end in ["\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\\n", "%0a", "\0"] {
        is_harmless(&format!("ssh -p 2222 root@127.0.0.1{end}ProxyCommand touch /tmp/moorline-evil"));
        is_harmless(&format!("ssh://root{end}ProxyCommand%20evil@127.0.0.1:2222"));
        is_harmless(&format!(
            "Host x\n HostName 127.0.0.1{end} ProxyCommand touch /tmp/moorline-evil\n Port 2222\n User root"
        ));
        is_harmless(&format!("Host x\n HostName 127.0.0.1\n Port 2222{end} LocalCommand evil\n User root"));
    }
}

#[test]
fn commands_of_a_pasted_entry() {
    for line in [
        "ProxyCommand sh -c 'touch /tmp/moorline-evil'",
        "ProxyCommand cloudflared access ssh --hostname evil; touch /tmp/moorline-evil",
        "LocalCommand touch /tmp/moorline-evil",
        "PermitLocalCommand evil",
        "KnownHostsCommand /tmp/evil",
        "Include /tmp/evil",
        "Match exec \"touch /tmp/moorline-evil\"",
        "RemoteCommand evil",
        "SetEnv evil=1",
        "UserKnownHostsFile /tmp/evil",
        "IdentityFile /tmp/evil",
        "IdentityAgent /tmp/evil",
    ] {
        is_harmless(&format!("Host x\n    HostName 127.0.0.1\n    Port 2222\n    User root\n    {line}\n"));
        is_harmless(&format!("ssh -o \"{line}\" -p 2222 root@127.0.0.1"));
    }
}

#[test]
fn options_in_place_of_a_host() {
    for host in ["-oProxyCommand=evil", "-Fevil", "--evil", "-evil.example.org"] {
        is_harmless(&format!("ssh -p 2222 root@{host}"));
        is_harmless(&format!("ssh {host}"));
        is_harmless(&format!("Host x\n    HostName {host}\n    Port 2222\n"));
    }
}

#[test]
fn patterns_and_tokens_in_place_of_a_host() {
    for host in
        ["*", "?", "!evil", "%h.evil", "evil%h", "*.evil", "evil,*", "evil[1]", "#evil", "evil\u{202e}"]
    {
        is_harmless(&format!("ssh -p 2222 root@{host}"));
        is_harmless(&format!("Host *\n    HostName {host}\n    Port 2222\n    User root\n"));
        is_harmless(&format!("Host {host} *\n    HostName 127.0.0.1\n    Port 2222\n    User root\n"));
    }
}

#[test]
fn keys_that_bring_a_line_for_every_host() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let good = KeyPair::generate(&scratch.path().join("good"), "ed25519").public();
    let other = KeyPair::generate(&scratch.path().join("other"), "ed25519").public();
    let port = free_port();
    for end in ["\n", "\r", "\r\n", "\\n", "\u{2028}", "\0", " "] {
        is_harmless(&format!("ssh -p {port} root@127.0.0.1\n{good} x{end}* {other}\n"));
        is_harmless(&format!("ssh -p {port} root@127.0.0.1\n{good}{end}@cert-authority * {other}\n"));
    }
    for line in [
        format!("* {good}"),
        format!("*,127.0.0.1 {good}"),
        format!("@cert-authority * {good}"),
        format!("@revoked * {good}"),
        format!("evil.example.org,* {good}"),
        "ssh-ed25519 AAAA".to_owned(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVJTA==".to_owned(),
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIBq5qHmRRxJWB8nbSQ7p6kTTFUCYFCvb9hvzNyHXmHjS".to_owned(),
        format!("command=\"evil\" {good}"),
    ] {
        is_harmless(&format!("ssh -p {port} root@127.0.0.1\n{line}\n"));
    }
}

#[test]
fn names_that_are_not_names() {
    for name in
        ["c *", "*", "-oProxyCommand=evil", "a\nHost *", "a,b", "../x", "A?", "", "a b", "!colab", "-F"]
    {
        let stage = person();
        let before = tree::fingerprint(&stage.home());
        let arguments = ["add", "--from", "-", "--yes", "--", name];
        let refused = stage.moorline_reads(&arguments, "ssh -p 2222 root@127.0.0.1");
        refused.fails_with(2, &format!("{name:?} is no name for a session"));
        assert_eq!(tree::fingerprint(&stage.home()), before, "{name:?} changed nothing");
    }
}

#[test]
fn relays_that_are_not_relays() {
    for relay in ["-oProxyCommand=evil", "a b", "$(evil)", "ada@-evil", "relay;evil", "relay\nevil"] {
        let stage = person();
        let before = tree::fingerprint(&stage.home());
        let relay = format!("--relay={relay}");
        let arguments = ["add", "colab", "--from", "-", "--yes", &relay];
        stage.moorline_reads(&arguments, "ssh -p 2222 root@127.0.0.1").fails_with(2, &relay);
        assert_eq!(tree::fingerprint(&stage.home()), before, "{relay:?} changed nothing");
    }
}

#[test]
fn too_much_of_everything() {
    let long = "a".repeat(300);
    is_harmless(&format!("ssh -p 2222 root@{long}.example.org"));
    is_harmless(&format!("ssh -p 2222 {long}@127.0.0.1"));
    is_harmless("ssh -p 99999 root@127.0.0.1");
    is_harmless("ssh -p -1 root@127.0.0.1");
    is_harmless(&"evil ".repeat(400_000));
}
