//! A runtime that its setup cell announces: Moorline follows it, and nobody pastes anything.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::cells::{AUTHTOKEN, HOST_KEY, KEY, Person, read};
use moorline_tests::clients::{self, Client};
use moorline_tests::edge::CloudflareEdge;
use moorline_tests::machine::free_port;
use moorline_tests::notebook::NotebookRuntime;
use moorline_tests::processes::until;
use moorline_tests::{Internet, Ntfy, Relay, Terminal, Watching};

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
fn over_a_quick_tunnel_of_cloudflare_and_an_ntfy_topic() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    let internet = Internet::start(&person.stage);
    let _edge = CloudflareEdge::quick(&internet, &person.noted_tunnels());
    person.begins(&["--link", "cloudflare"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let notebook = person.notebook();
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    follows(&person, &mut runtime, &notebook);
    // A kernel that restarts cuts nobody off; a runtime whose tunnel dies is followed to its new name.
    let mut watching = Watching::start(&person.stage);
    watching.health("colab", "online");
    runtime.restart_kernel();
    runtime.run_notebook(&notebook).works("the cell runs in the new kernel");
    Client::OpenSsh.connects(&person.stage, "colab");
    let before = person.tunnels().len();
    runtime
        .run_cell("import subprocess\nsubprocess.run(['pkill', '-f', 'cloudflared tunnel'])")
        .works("it dies");
    until("another tunnel", || person.tunnels().len() > before);
    let (host, _) = person.tunnels().pop().expect("it is noted");
    until("the session to lead there", || {
        person.stage.text(".config/moorline/config.toml").contains(&format!("host = \"{host}\""))
    });
    for client in clients::ALL {
        client.connects(&person.stage, "colab");
    }
    let asked = internet.asked();
    let fine = |name: &String| name.ends_with(".trycloudflare.com");
    assert!(asked.iter().all(fine), "nobody else is asked: {asked:?}");
}

/// The session key as its person reads it off the terminal.
fn shown_key(person: &Person) -> String {
    let terminal = Terminal::moorline(&person.stage, &["secret", "show-session-key", "colab"]);
    let said = terminal.ends().works("a person on a terminal sees it").stdout;
    let shown =
        said.lines().find_map(|line| line.trim().strip_prefix("Value: ").map(str::trim).map(str::to_owned));
    shown.unwrap_or_else(|| panic!("a key is shown:\n{said}"))
}

/// What ssh says at the relay to whoever shows the key in the file `stolen`.
fn knocks(person: &Person, relay: &Relay) -> String {
    let mut login = relay.arguments_for_login();
    login[1] = person.stage.home_inside().join("stolen").display().to_string();
    let place = format!("{}@{}", relay.user(), relay.address());
    let options = ["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"];
    let arguments: Vec<&str> =
        options.into_iter().chain(login.iter().map(String::as_str)).chain([&*place]).collect();
    person.stage.run("ssh", &arguments).stderr
}

#[test]
fn a_new_session_key_takes_the_old_one_s_place_on_the_relay() {
    let person = Person::new();
    let relay = Relay::start();
    person.stage.put(".ssh/config", relay.befriend(&person.stage, "relay"));
    let port = free_port().to_string();
    person.begins(&["--link", "relay", "--relay", "relay", "--port", &port, "--prepare-relay"]);
    let mut old = NotebookRuntime::start(&[("MOORLINE_COLAB", KEY)]);
    let mut watching = Watching::start(&person.stage);
    comes_up(&person, &mut watching, &mut old, &person.notebook());
    let keys = || read(&relay.machine().disk().join(".ssh/authorized_keys"));
    let ours = |text: &str| {
        text.lines().filter(|line| line.ends_with(" moorline:colab")).map(str::to_owned).collect()
    };
    let (known, before): (_, Vec<String>) = (person.stage.text(".ssh/known_hosts"), ours(&keys()));

    let copy = std::fs::copy(old.file("colab", "relay_key"), person.stage.home().join("stolen"));
    assert!(copy.is_ok(), "the runtime's own way in there: {copy:?}");
    assert!(!knocks(&person, &relay).contains("Permission denied"), "it opens the relay");

    person.stage.moorline(&["secret", "new-session-key", "colab", "--rotate"]).works("the key is rotated");
    let trusted = person.stage.text(".ssh/known_hosts");
    assert!(!trusted.contains(HOST_KEY), "what follows from the old key is trusted no more:\n{trusted}");
    person.stage.run("ssh", &["colab", "true"]).fails("so the runtime with the old key is refused");
    watching.health("colab", "new-host-key");
    assert!(knocks(&person, &relay).contains("Permission denied"), "it opened the relay");
    let after: Vec<String> = ours(&keys());
    assert_eq!((before.len(), after.len()), (1, 1), "one line, in place of the old one");
    assert_ne!(before, after);
    let new_key = shown_key(&person);
    person.stage.hide(&new_key);
    assert!(new_key.starts_with("mlk1-2-"), "the next generation");

    // The old key opens nothing any more: not the relay, and not the session.
    old.reclaim();
    let refused = old.run_notebook(&person.notebook());
    assert!(
        !refused.ok && refused.said.contains("another session's key, or an older one"),
        "{}",
        refused.said
    );
    old.stop();
    let mut new = NotebookRuntime::start(&[("MOORLINE_COLAB", &new_key)]);
    comes_up(&person, &mut watching, &mut new, &person.notebook());
    for client in clients::ALL {
        client.connects(&person.stage, "colab");
    }
    let now = person.stage.text(".ssh/known_hosts");
    assert_eq!(now, trusted, "the files knew the new host key before its runtime was there");
    assert_ne!(now, known);
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
    let (seen, told) = (watching.lines().len(), watching.told());
    runtime.restart_kernel();
    runtime.run_notebook(&notebook).works("the cell runs in the new kernel");
    until("the second announcement to be judged", || {
        watching.lines()[seen..].iter().any(|event| event["event"] == "announcement")
    });
    Client::OpenSsh.connects(&person.stage, "colab");
    assert_eq!(watching.told(), told, "nobody is told anything");
}
