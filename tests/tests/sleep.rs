//! A computer that sleeps, or whose clock is set, loses no session by it.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::Duration;

use moorline_tests::processes::until;
use moorline_tests::{Story, Watching};
use serde_json::Value;

/// Longer than any connection may be silent.
const NAP: Duration = Duration::from_secs(32);

fn followed() -> Story {
    let story = Story::begin();
    story.follow("colab", "127.0.0.1");
    story
}

/// Waits until the session is online, its files are checked and its vitals are read, so that nothing is under way.
fn at_rest(mut watching: Watching) -> Watching {
    let has = |watching: &Watching, kind: &str| watching.lines().iter().any(|event| event["event"] == kind);
    watching.health("colab", "online");
    until("the files and the vitals", || has(&watching, "files") && has(&watching, "vitals"));
    watching.catch_up();
    watching
}

/// Insists that the session came online, and that nothing happened since that a person would notice.
#[track_caller]
fn undisturbed(watching: &Watching) {
    let lines = watching.lines();
    let states = lines.iter().filter(|event| event["event"] == "health");
    let mut states: Vec<&str> = states.filter_map(|event| event["health"]["state"].as_str()).collect();
    states.dedup();
    assert_eq!((&states[..], watching.told()), (&["connecting", "online"][..], Vec::new()), "{lines:#?}");
}

#[test]
fn a_connection_that_outlives_sleep_is_not_called_lost() {
    let mut story = followed();
    let mut watching = at_rest(Watching::start(&story.stage));
    watching.freeze();
    // Time itself is what this is about.
    std::thread::sleep(NAP);
    watching.thaw();
    // The first one may have been sent during the nap, and says nothing of the connection now.
    for reading in ["the first reading", "one that was made afterwards"] {
        watching.event(reading, |event| event["event"] == "vitals");
    }
    undisturbed(&watching);
    // Afterwards all is watched as before.
    story.runtime.stop();
    watching.health("colab", "suspect");
}

#[test]
fn a_connection_that_dies_in_sleep_is_replaced_without_a_word() {
    let mut story = followed();
    let mut watching = at_rest(Watching::start(&story.stage));
    watching.freeze();
    story.runtime.serve_keys_of(0);
    std::thread::sleep(NAP);
    watching.thaw();
    watching.event("a reading over a new connection", |event| event["event"] == "vitals");
    assert!(story.runtime.machine().log().contains("Accepted publickey"), "it logged in anew");
    undisturbed(&watching);
}

/// With the wall clock of `moorline watch` an hour ahead all of a sudden, and then back again.
#[test]
fn a_clock_that_is_set_is_no_drop() {
    let story = followed();
    let offset = story.stage.runtime_dir().join("clock");
    std::fs::write(&offset, "+0").expect("the clock is right");
    let library = preload();
    let path = offset.display().to_string();
    let env = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", path.as_str()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut watching = at_rest(Watching::start_with_env(&story.stage, &env));
    let first = watching.lines().swap_remove(0);
    for (ahead, minutes) in [("+1h", 60), ("+0", 0)] {
        std::fs::write(&offset, ahead).expect("the clock is set");
        let next = watching.event("the next reading", |event| event["event"] == "vitals");
        let passed = (minute_of_day(&next) + 24 * 60 - minute_of_day(&first)) % (24 * 60);
        assert!((minutes..minutes + 10).contains(&passed), "it saw the other time: {first} {next}");
    }
    undisturbed(&watching);
}

fn minute_of_day(event: &Value) -> u32 {
    let at = event["at"].as_str().unwrap_or_default();
    let part = |range| at.get(range).and_then(|digits: &str| digits.parse::<u32>().ok());
    let (Some(hours), Some(minutes)) = (part(11..13), part(14..16)) else { panic!("a time: {event}") };
    hours * 60 + minutes
}

/// The library of the package faketime.
fn preload() -> String {
    let machine = std::env::consts::ARCH;
    let places = [format!("/usr/lib/{machine}-linux-gnu/faketime"), "/usr/lib64/faketime".to_owned()];
    let found =
        places.iter().map(|place| format!("{place}/libfaketimeMT.so.1")).find(|p| Path::new(p).exists());
    found.unwrap_or_else(|| panic!("the package faketime is missing: make test installs it"))
}
