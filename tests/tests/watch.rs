//! `moorline watch` against real machines: what it sees, mends and says.
#![cfg(target_os = "linux")]

use moorline_tests::machine::{Machine, free_port};
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::watching::Call;
use moorline_tests::{Relay, Story, Watching};
use serde_json::json;

/// A runtime at an address that it keeps, already followed.
fn followed() -> Story {
    let story = Story::begin();
    story.follow("colab", "127.0.0.1");
    story
}

/// A runtime behind a relay that the person declared theirs alone.
fn followed_behind_a_relay() -> (Story, Relay, u16) {
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh -p{port} {user}@127.0.0.1\nRoot password: {password}\n");
    let arguments = ["add", "colab", "--relay", "relay", "--relay-is-mine-alone"];
    story.paste(&arguments, &cell).works("the relay vouches for the key");
    story.help_login_without_root();
    (story, relay, port)
}

#[test]
fn a_drop_is_told_with_its_cause_and_the_return_after_the_files() {
    let mut story = followed();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    watching.event("the files to be checked", |event| event["event"] == "files" && event["ok"] == true);
    story.runtime.stop();
    watching.health("colab", "suspect");
    let down = watching.health("colab", "down");
    assert_eq!(down["health"]["cause"]["kind"], "no-server", "{down}");
    let told = watching.notice("dropped");
    assert!(told["title"].as_str().is_some_and(|title| title.starts_with("colab dropped: ")), "{told}");

    // Somebody breaks the entry meanwhile; who is told that colab is back can use it.
    let config = story.stage.text(".ssh/config").replace(&format!("Port {}", story.runtime.port()), "Port 9");
    story.stage.put(".ssh/config", config);
    story.runtime.serve_keys_of(0);
    let back = watching.notice("back");
    assert_eq!(back["title"], "colab is back on the same machine");
    story.all_is_well();
    let said = story.stage.moorline(&["status"]).works("the agent is asked");
    said.says("online");
    assert!(watching.interrupt().success(), "Ctrl-C is a good end");
    story.stage.moorline(&["status"]).works("without an agent as well");
}

#[test]
fn behind_one_s_own_relay_a_new_machine_is_taken_up_before_anybody_is_told() {
    let (mut story, relay, port) = followed_behind_a_relay();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    watching.event("the machine to be known", |event| event["event"] == "vitals");
    story.runtime.restart();
    if !Machine::takes_passwords() {
        story.cell_authorises_login_key();
    }
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    watching.event("the files to be written", |event| event["event"] == "files" && event["ok"] == true);
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&story.runtime.host_key().public()), "the new key is there:\n{known_hosts}");
    if Machine::takes_passwords() {
        let key = watching.event("the login key", |event| event["event"] == "login-key");
        assert_eq!(key["ok"], true, "the kept password installs it: {key}");
    }
    let back = watching.notice("back");
    assert_eq!(back["title"], "colab has a new machine; the disk is empty");
    story.all_is_well();
    let lines = watching.lines();
    assert!(!lines.iter().any(|event| event["kind"] == "needed"), "nobody was bothered: {lines:?}");
}

#[test]
fn a_key_that_nobody_vouched_for_waits_for_exactly_its_own_approval() {
    let mut story = followed();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    let pinned = story.runtime.host_key().fingerprint();
    story.runtime.restart_on_same_port();
    let shown = story.runtime.host_key().fingerprint();
    let seen = watching.health("colab", "new-host-key");
    assert_eq!(seen["health"]["fingerprint"], shown);
    watching.notice("needed");
    let log = story.runtime.machine().log();
    assert!(!log.contains("Accepted") && !log.contains("password for"), "nothing was sent to it:\n{log}");
    let mut window = Call::open(&story.stage);
    let both = window.call(&json!({ "call": "compare", "session": "colab" }));
    assert_eq!(both["answer"]["comparison"]["seen"], shown, "{both}");
    assert_eq!(both["answer"]["comparison"]["pinned"][0][0], pinned, "{both}");

    // While the person compares, another machine takes the place.
    story.runtime.restart_on_same_port();
    let swapped = story.runtime.host_key().fingerprint();
    window.call(&json!({ "call": "compare", "session": "colab" }));
    watching.event("the other key to be seen", |event| event["health"]["fingerprint"] == swapped);
    let refused = window.ask(&json!({ "approve": ["colab", shown] }));
    assert_eq!(refused["say"], "refused", "{refused}");
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(!known_hosts.contains(&story.runtime.host_key().public()), "nothing was pinned:\n{known_hosts}");
    watching.notice("needed");

    let approved = window.ask(&json!({ "approve": ["colab", swapped] }));
    assert_eq!(approved["answer"], "done", "{approved}");
    watching.event("the files to be written", |event| event["event"] == "files" && event["ok"] == true);
    story.help_login_without_root();
    watching.health("colab", "online");
    story.all_is_well();
}

#[test]
fn a_killed_agent_loses_nothing_and_is_in_nobody_s_way() {
    let story = followed();
    let before = story.stage.text(".ssh/known_hosts");
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    let second = story.stage.moorline(&["watch"]);
    second.fails_with(1, "there is one agent").says("runs already");
    let uninstall = story.stage.moorline(&["uninstall", "--yes"]);
    uninstall.fails_with(1, "the agent would go on, and write again").says("end it first");
    let mut window = Call::open(&story.stage);
    assert_eq!(window.ask(&json!({ "pause": "colab" }))["answer"], "done");
    watching.health("colab", "paused");
    moorline_tests::processes::until("it to be remembered", || {
        story.stage.text(".config/moorline/config.toml").contains("paused = true")
    });
    watching.kill();
    story.stage.moorline(&["status"]).works("the dead agent's socket does no harm").says("colab");

    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "paused");
    let mut window = Call::open(&story.stage);
    assert_eq!(window.ask(&json!({ "resume": "colab" }))["answer"], "done");
    watching.health("colab", "online");
    assert_eq!(story.stage.text(".ssh/known_hosts"), before);
    story.all_is_well();
}

/// A person may edit the file, and may err.
#[test]
fn what_stands_in_the_settings_is_taken_up_without_a_restart() {
    let story = followed();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    let good = story.stage.text(".config/moorline/config.toml");
    story
        .stage
        .put(".config/moorline/config.toml", format!("{good}\n[settings]\nlifetime_hours = \"long\"\n"));
    let told = watching.notice("needed");
    let body = told["body"].as_str().unwrap_or_default();
    assert!(body.contains("config.toml, line") && body.contains("lifetime_hours"), "{told}");
    story.stage.put(".config/moorline/config.toml", format!("{good}\n[settings]\nlifetime_hours = 24\n"));
    watching.event("it to be well again", |event| {
        event["event"] == "notice-over" && event["slot"] == told["slot"]
    });
    assert!(
        !watching.lines().iter().any(|event| event["health"]["state"] == "suspect"),
        "the session was left alone meanwhile"
    );
}

#[test]
fn what_the_command_line_changes_is_taken_up() {
    let mut story = Story::begin();
    let mut watching = Watching::start(&story.stage);
    let (port, user) = (story.runtime.port(), story.runtime.user().to_owned());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("it is added beside the agent");
    story.help_login_without_root();
    watching.event("colab to be followed", |event| event["event"] == "following");
    watching.health("colab", "online");
    story.runtime.restart_on_same_port();
    watching.health("colab", "new-host-key");
    let new = story.runtime.host_key().fingerprint();
    story.stage.moorline(&["repair", "colab", "--yes", "--fingerprint", &new]).works("the person compared");
    story.help_login_without_root();
    watching.health("colab", "online");
    story.stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    watching.event("it to be let go", |event| event["event"] == "forgotten" && event["session"] == "colab");
}

#[test]
fn a_refused_login_is_one_login_a_dial() {
    let story = Story::begin();
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\n");
    // The runtime does not know the login key, and no password is kept.
    let added = story.paste(&["add", "colab"], &cell);
    assert!(added.stdout.contains("colab") || added.stderr.contains("colab"), "{added:?}");
    let logins = || story.runtime.machine().log().matches("Connection from ").count();
    let before = logins();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "auth-failed");
    watching.notice("needed");
    assert_eq!(logins() - before, 1, "{}", story.runtime.machine().log());
}
