//! A runtime that its setup cell announces: Moorline follows it, and nobody pastes anything.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::cells::{AUTHTOKEN, KEY, Person};
use moorline_tests::clients::{self, Client};
use moorline_tests::machine::free_port;
use moorline_tests::notebook::NotebookRuntime;
use moorline_tests::processes::until;
use moorline_tests::{Ntfy, Relay, Watching};

/// Generous: many tests share two cores, and a relay is asked again ever more slowly where nothing pushes.
const SOON: Duration = Duration::from_secs(60);

/// Runs the cell, and waits until the alias leads to that runtime.
fn comes_up(person: &Person, watching: &mut Watching, runtime: &mut NotebookRuntime, notebook: &str) {
    runtime.run_notebook(notebook).works("the cell runs");
    let announced = Instant::now();
    watching.health("colab", "online");
    let took = announced.elapsed();
    assert!(took < SOON, "the runtime was taken up only after {took:?}");
    let mark = runtime.machine().disk().join("mark");
    let marked = std::fs::write(&mark, format!("{announced:?}"));
    assert!(marked.is_ok(), "the runtime gets a mark: {marked:?}");
    let seen = person.stage.run("ssh", &["colab", "cat", "mark"]).works("the alias follows by itself");
    assert_eq!(seen.stdout, format!("{announced:?}"), "and leads to this very runtime");
}

/// Runs the cell on one machine after the other. The files' host key never changes.
fn follows(person: &Person, runtime: &mut NotebookRuntime, notebook: &str) {
    let mut watching = Watching::start(&person.stage);
    comes_up(person, &mut watching, runtime, notebook);
    let known = person.stage.text(".ssh/known_hosts");
    for client in clients::ALL {
        client.connects(&person.stage, "colab");
    }
    for _ in 0..2 {
        runtime.reclaim();
        watching.health("colab", "down");
        comes_up(person, &mut watching, runtime, notebook);
        assert_eq!(person.stage.text(".ssh/known_hosts"), known, "a restart leaves known_hosts alone");
    }
    let lines = watching.lines();
    assert!(!lines.iter().any(|event| event["kind"] == "needed"), "nobody was asked anything: {lines:?}");
    assert!(watching.interrupt().success(), "Ctrl-C is a good end");
}

#[test]
fn over_ngrok_and_an_ntfy_topic() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    person.begins(&["--link", "ngrok"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY), ("NGROK_AUTHTOKEN", AUTHTOKEN)]);
    follows(&person, &mut runtime, &person.notebook());
}

#[test]
fn over_ngrok_and_a_folder_that_is_kept_in_step() {
    let person = Person::new();
    person.begins(&["--link", "ngrok"]);
    let here = person.stage.home_inside().join("Drive");
    std::fs::create_dir(person.stage.home().join("Drive")).expect("a folder");
    let there = person.stage.home().join("Drive");
    person.configures(
        &format!("announce_folder = \"{}\"\n", here.display()),
        &format!("[session.colab.cell]\nfolder = \"{}\"\n", there.display()),
    );
    let changed = person.stage.moorline(&["cell", "colab", "--channel", "folder"]);
    changed.works("another channel is chosen");
    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY), ("NGROK_AUTHTOKEN", AUTHTOKEN)]);
    follows(&person, &mut runtime, &person.notebook());
}

#[test]
fn over_a_relay_that_knows_its_key() {
    let person = Person::new();
    let relay = Relay::start();
    let entry = relay.befriend(&person.stage, "relay");
    person.stage.put(".ssh/config", entry);
    let port = free_port().to_string();
    person.begins(&["--link", "relay", "--relay", "relay", "--port", &port, "--prepare-relay"]);
    let mut runtime = NotebookRuntime::start(&[("MOORLINE_COLAB", KEY)]);
    follows(&person, &mut runtime, &person.notebook());
}

#[test]
fn a_kernel_that_restarts_is_no_news() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    person.begins(&["--link", "ngrok"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let notebook = person.notebook();
    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY), ("NGROK_AUTHTOKEN", AUTHTOKEN)]);
    let mut watching = Watching::start(&person.stage);
    comes_up(&person, &mut watching, &mut runtime, &notebook);
    let seen = watching.lines().len();
    runtime.restart_kernel();
    runtime.run_notebook(&notebook).works("the cell runs in the new kernel");
    until("the second announcement to be judged", || {
        watching.lines()[seen..].iter().any(|event| event["event"] == "announcement")
    });
    Client::OpenSsh.connects(&person.stage, "colab");
    let after = watching.lines().split_off(seen);
    assert!(!after.iter().any(|event| event["event"] == "notice"), "nobody is told anything: {after:?}");
}
