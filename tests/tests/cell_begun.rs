//! `moorline cell` that fails half way: nothing is left behind, or the same command goes on.
#![cfg(target_os = "linux")]

use moorline_tests::Relay;
use moorline_tests::cells::{KEY, Person};
use moorline_tests::machine::free_port;

const CONFIG: &str = ".config/moorline/config.toml";

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
