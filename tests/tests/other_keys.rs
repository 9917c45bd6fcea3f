//! Whichever of a runtime's keys the person names is the one that gets pinned, and every client takes it.
#![cfg(target_os = "linux")]

use moorline_tests::keys::KeyPair;
use moorline_tests::machine::Machine;
use moorline_tests::{Outcome, Story};

fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    format!("ssh -p {port} {user}@127.0.0.1\nRoot password: {}\n", story.runtime.password())
}

/// Adds with this fingerprint on the command line, and insists that this very key is pinned and everybody connects.
fn named_key_is_pinned(story: &Story, key: &KeyPair) {
    let arguments = ["add", "colab", "--from", "-", "--yes", "--fingerprint", &key.fingerprint()];
    story.stage.moorline_reads(&arguments, &cell(story)).works("the runtime holds the key that was named");
    story.help_login_without_root();
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&key.public()), "the named key is pinned:\n{known_hosts}");
    story.all_is_well();
}

/// The probe is shown the Ed25519 key; the cell (as remocolab's) printed another one's fingerprint.
#[test]
fn each_of_three_keys_can_vouch() {
    let mut story = Story::begin();
    let keys = story.runtime.hold_keys(&["ed25519", "ecdsa", "rsa"]);
    for key in &keys {
        named_key_is_pinned(&story, key);
        // What is pinned is what is looked for, though the server would rather show another.
        story.stage.moorline(&["status", "--check"]).works("the pinned key answers");
        story
            .stage
            .moorline(&["repair", "colab"])
            .works("nobody needs to be asked")
            .says("pinned key answers");
    }
}

#[test]
fn a_runtime_without_ed25519_is_followed() {
    let mut story = Story::begin();
    let keys = story.runtime.hold_keys(&["rsa", "ecdsa"]);
    for key in &keys {
        named_key_is_pinned(&story, key);
    }
}

#[test]
fn a_key_that_none_of_them_is_stays_refused() {
    let mut story = Story::begin();
    story.runtime.hold_keys(&["ed25519", "ecdsa", "rsa"]);
    let stranger = KeyPair::generate(&story.stage.runtime_dir().join("stranger"), "ecdsa");
    let arguments = ["add", "colab", "--from", "-", "--yes", "--fingerprint", &stranger.fingerprint()];
    let refused: Outcome = story.stage.moorline_reads(&arguments, &cell(&story));
    refused.fails_with(1, "it is another machine").says(&stranger.fingerprint());
    assert_eq!(
        story.stage.text(".ssh/known_hosts"),
        moorline_tests::story::PERSONS_KNOWN_HOSTS,
        "nothing was pinned"
    );
    if Machine::takes_passwords() {
        let log = story.runtime.machine().log();
        assert!(!log.contains("password for"), "no password was tried:\n{log}");
    }
}
