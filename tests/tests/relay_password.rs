//! A relay that takes nothing but a password: from the vault, or typed by the person.
#![cfg(target_os = "linux")]

use moorline_tests::machine::{Machine, free_port};
use moorline_tests::secrets::ProcessWatch;
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::{Relay, Story, Terminal};

/// A runtime behind a relay, followed but not reached: the relay wants a password, and none is stored.
fn followed(story: &mut Story) -> Relay {
    let relay = Relay::start();
    story.stage.hide(relay.password());
    let entry = relay.befriend_without_key(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let cell = format!(
        "ssh -p{port} {}@127.0.0.1\nRoot password: {}\n",
        story.runtime.user(),
        story.runtime.password()
    );
    let added = story.paste(&["add", "colab", "--relay", "relay"], &cell);
    added.works("it is added all the same").says("secret set");
    let log = relay.machine().log();
    assert!(!log.contains("password for"), "no password was tried:\n{log}");
    relay
}

fn repair(story: &Story) -> [String; 4] {
    ["repair", "colab", "--fingerprint", &story.runtime.host_key().fingerprint()].map(str::to_owned)
}

#[test]
fn the_password_comes_from_the_vault() {
    if !Machine::takes_passwords() {
        return; // only root can give sshd a password of its own
    }
    let mut story = Story::begin();
    let relay = followed(&mut story);
    let watch = ProcessWatch::start(story.stage.secrets());
    let stored = story.stage.moorline_reads(&["secret", "set", "colab", "relay-password"], relay.password());
    stored.works("it is stored");
    let repaired = repair(&story);
    let repaired =
        story.stage.moorline(&repaired.each_ref().map(String::as_str)).works("the relay is entered");
    let (rounds, found) = watch.finish();
    assert!(rounds > 20, "the process list was looked through {rounds} times only");
    assert!(found.is_empty(), "the password was seen in {found:?}");
    assert!(!repaired.said().contains(relay.password()), "it is not printed");
    assert!(relay.machine().log().contains("Accepted password"), "the relay took it");
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&story.runtime.host_key().public()), "the key is pinned:\n{known_hosts}");
    story.foreign_bytes_are_kept();
}

#[test]
fn a_wrong_password_is_tried_once() {
    if !Machine::takes_passwords() {
        return; // only root can give sshd a password of its own
    }
    let mut story = Story::begin();
    let relay = followed(&mut story);
    let wrong = "not-the-password-of-the-relay";
    story.stage.hide(wrong);
    story.stage.moorline_reads(&["secret", "set", "colab", "relay-password"], wrong).works("it is stored");
    let repair = repair(&story);
    let refused = story.stage.moorline(&repair.each_ref().map(String::as_str));
    refused.fails_with(1, "the relay refuses").says("refused the login");
    let log = relay.machine().log();
    assert_eq!(log.matches("Failed password").count(), 1, "once:\n{log}");
}

/// ssh asks through the same program for whatever else it wants; nobody but the relay gets the password.
#[test]
fn other_questions_get_no_answer() {
    let mut story = Story::begin();
    let relay = followed(&mut story);
    let stored = story.stage.moorline_reads(&["secret", "set", "colab", "relay-password"], relay.password());
    stored.works("it is stored");
    story.stage.set_env("MOORLINE_ASKPASS", "colab");
    story.stage.set_env("MOORLINE_ASKPASS_RELAY", "relay");
    let user = relay.user();
    let relays = format!("{user}@{}'s password: ", moorline_tests::machine::RELAY_NAME);
    let answer = story.stage.moorline(&[&relays]).works("the relay's own question is answered");
    assert!(answer.stdout == format!("{}\n", relay.password()), "with the password and nothing else");
    for question in [
        format!("{user}@jump.example.net's password: "),
        format!("somebody@{}'s password: ", moorline_tests::machine::RELAY_NAME),
        "Enter passphrase for key '/home/me/.ssh/id_relay': ".to_owned(),
        "Are you sure you want to continue connecting (yes/no/[fingerprint])? ".to_owned(),
        "status".to_owned(),
    ] {
        let answer = story.stage.moorline(&[&question]).fails_with(1, "it is not the relay's question");
        assert!(answer.said().is_empty(), "nothing is said:\n{answer}");
    }
    story.stage.moorline(&["status", "colab"]).works("a command proper is not taken for a question");
}

#[test]
fn a_person_may_type_it() {
    if !Machine::takes_passwords() {
        return; // only root can give sshd a password of its own
    }
    let mut story = Story::begin();
    let relay = followed(&mut story);
    let mut terminal = Terminal::moorline(&story.stage, &["repair", "colab", "--dry-run"]);
    terminal.awaits("so ssh asks you");
    terminal.awaits("'s password:");
    terminal.awaits_no_echo();
    terminal.types(&format!("{}\n", relay.password()));
    terminal.awaits("host key");
    assert!(terminal.echoes(), "ssh has turned the echo on again");
    let shown = terminal.ends().works("the relay is entered").says("Nothing was changed");
    assert!(!shown.stdout.contains(relay.password()), "the password does not show");
}
