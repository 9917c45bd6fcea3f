//! A session that `moorline cell` has begun; and where that fails half way, nothing is left behind, or the same command
//! goes on.
#![cfg(target_os = "linux")]

use moorline_tests::cells::{KEY, Person};
use moorline_tests::machine::free_port;
use moorline_tests::watching::Call;
use moorline_tests::{Ntfy, Relay, Stage, Watching};
use serde_json::{Value, json};

const CONFIG: &str = ".config/moorline/config.toml";

#[test]
fn before_its_cell_has_run_a_session_waits_for_that() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    let stage = &person.stage;
    person.begins(&["--link", "ngrok"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let mut watching = Watching::start(stage);
    let followed = watching.event("colab to be followed", |event| event["event"] == "following");
    let words = "waiting for you to run the cell";
    assert_eq!((&followed["health"]["state"], &followed["words"]), (&"waiting".into(), &words.into()));
    let state = |stage: &Stage| {
        let status = stage.moorline(&["status", "--json"]).works("the session is there");
        let status: Value = serde_json::from_str(&status.stdout).expect("one object");
        status["sessions"][0]["state"].clone()
    };
    assert_eq!(state(stage), words, "as the agent sees it");
    stage.moorline(&["status"]).works("in words, too").says(words);
    Call::open(stage).ask(&json!({ "repair": "colab" }));
    watching.event("the files to be in order", |event| event["event"] == "files");
    assert_eq!(state(stage), words, "a repair has nothing to dial");
    assert!(watching.lines().iter().all(|event| event["event"] != "health"), "{:?}", watching.lines());
    assert!(watching.told().is_empty(), "and nothing to tell");
    assert!(watching.interrupt().success(), "Ctrl-C is a good end");
    assert_eq!(state(stage), words, "nor without an agent");
    stage.moorline(&["status", "--check"]).fails_with(1, "nothing answers yet").says(words);
}

#[test]
fn a_relay_out_of_reach_leaves_no_half_of_a_session() {
    let person = Person::new();
    let stage = &person.stage;
    let relay = Relay::start();
    let entry = relay.befriend(stage, "relay");
    stage.moorline_reads(&["secret", "set", "colab", "session-key"], KEY).works("a key is there");
    let closed = format!("Host relay\n    HostName 127.0.0.1\n    Port {}\n", free_port());
    stage.put(".ssh/config", &closed);
    let port = free_port().to_string();
    let cell = ["cell", "colab", "--link", "relay", "--relay", "relay", "--port", &port];
    let relay_is_down = stage.moorline(&cell).fails_with(1, "the relay is out of reach");
    assert!(!stage.home().join(CONFIG).exists(), "no session was made:\n{relay_is_down}");
    assert_eq!(stage.text(".ssh/config"), closed, "and nothing is in ssh's config");

    stage.put(".ssh/config", &entry);
    let made = stage.moorline(&cell).works("the same command goes on");
    made.says("run this again with --prepare-relay");
    let config = stage.text(CONFIG);
    assert!(config.contains("channels = [\"relay\"]"), "{config}");
    let again = stage.moorline(&cell).works("and may be said again");
    again.says("run this again with --prepare-relay");
    assert_eq!(stage.text(CONFIG), config, "which changes nothing");
    stage.put(CONFIG, config.replace("channels = [\"relay\"]\n", ""));
    stage.moorline(&cell).works("also after a run that was broken off");
    assert_eq!(stage.text(CONFIG), config, "which it completes");
    let other = free_port().to_string();
    let elsewhere = ["cell", "colab", "--link", "relay", "--relay", "relay", "--port", &other];
    stage.moorline(&elsewhere).fails_with(1, "this is another way").says("leave the link away");
}
