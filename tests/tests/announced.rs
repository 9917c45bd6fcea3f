//! Runtimes that announce themselves: what is followed with no hands at all, and what is refused.
#![cfg(target_os = "linux")]

use std::net::TcpListener;
use std::time::Duration;

use moorline_tests::announcer::{now, random_key};
use moorline_tests::clients::{self, Client};
use moorline_tests::machine::Machine;
use moorline_tests::processes::until;
use moorline_tests::watching::Call;
use moorline_tests::{Announcer, Desktop, Runtime, Scene, Stage, Watching};
use serde_json::json;

/// Waits for the next announcement that was judged, and insists on why it was refused.
#[track_caller]
fn refused(watching: &mut Watching, why: &str) {
    let judged = watching.event("an announcement", |event| event["event"] == "announcement");
    assert_eq!(judged["ok"], false, "{judged}");
    assert!(judged["problem"].as_str().is_some_and(|problem| problem.contains(why)), "{why}: {judged}");
}

/// Far more than the limit that the benchmark holds it to: tests share two cores, and this is no release build.
const AT_ONCE: Duration = Duration::from_secs(10);

/// One runtime after the other, over each channel.
fn followed_over(channels: &[&str], mut scene: Scene, mut watching: Watching) {
    scene.story.all_is_well();
    for channel in channels {
        let (took, alone) = scene.another_is_followed(&mut watching, channel);
        assert!(took.saturating_sub(alone) < AT_ONCE, "{channel}: {took:?}");
    }
    scene.story.all_is_well();
}

#[test]
fn a_runtime_that_announces_itself_is_followed_at_once_over_each_channel() {
    let (scene, watching) = Scene::online(&["ntfy", "folder"]);
    followed_over(&["ntfy", "folder"], scene, watching);
}

#[test]
fn a_server_on_this_computer_is_asked_behind_no_proxy() {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let scene = Scene::begin(&["ntfy"]);
    let address = format!("http://{}", proxy.local_addr().expect("it has one"));
    for name in ["http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        scene.story.stage.set_env(name, &address);
    }
    for name in ["no_proxy", "NO_PROXY"] {
        scene.story.stage.set_env(name, "");
    }
    let _watching = Watching::start(&scene.story.stage);
    scene.listened();
    proxy.set_nonblocking(true).expect("a listener can be asked");
    let asked = proxy.accept().map(|_| "the proxy was asked, and saw the topic's name");
    assert!(asked.is_err(), "{asked:?}");
}

#[test]
fn noise_is_little_heard_of_and_news_among_it_is_followed() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let topic = scene.voice.topic().to_owned();
    let line = scene.line("beat");
    let noise = |lines: usize| {
        for n in 0..lines {
            scene.ntfy.publish(&topic, &format!("{}{n}", &line[..line.len() - 5]));
        }
    };
    noise(1000);
    refused(&mut watching, "the announcement is");
    scene.another_machine();
    let news = scene.line("up");
    scene.ntfy.publish(&topic, &news);
    watching.event("the news", |event| event["event"] == "announcement" && event["ok"] == true);
    watching.notice("back");
    let refusals = watching
        .lines()
        .iter()
        .filter(|event| event["event"] == "announcement" && event["ok"] == false)
        .count();
    assert!((30..200).contains(&refusals), "{refusals} of 1000 are shown");
}

#[test]
fn behind_a_relay_it_is_followed_at_once_too() {
    let (scene, watching) = Scene::online_behind_relay(&["ntfy", "relay"]);
    followed_over(&["relay"], scene, watching);
}

#[test]
fn what_is_not_of_the_runtime_changes_nothing() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let topic = scene.voice.topic().to_owned();
    let before = scene.files();
    let (elsewhere, user) = (json!([{ "link": "direct", "host": "evil.example", "port": 22 }]), "root");

    // Under another key, with this session's key id: somebody who reads the topic and writes to it.
    let mut attacker = Announcer::new(&scene.story.stage);
    let foreign = attacker.say("up", &elsewhere, user);
    scene.ntfy.publish(&topic, &foreign);
    refused(&mut watching, "another session key");
    let forged = foreign.replacen(attacker.kid(), scene.voice.kid(), 1);
    scene.ntfy.publish(&topic, &forged);
    refused(&mut watching, "forged");

    // What the runtime said itself, once more, and earlier.
    let first = scene.line("beat");
    let second = scene.line("beat");
    scene.ntfy.publish(&topic, &second);
    watching.event("the beat", |event| event["event"] == "announcement" && event["ok"] == true);
    scene.ntfy.publish(&topic, &first);
    refused(&mut watching, "sent again");
    scene.ntfy.publish(&topic, &second[..second.len() - 5]);
    refused(&mut watching, "cut short");

    for (field, value, why) in [
        ("at", json!(now() - 25 * 3600), "more than a day ago"),
        ("at", json!(now() + 600), "in the future"),
        ("born", json!(now() + 200), "older than its own runtime"),
        ("endpoints", json!([{ "link": "direct", "host": "$(id)", "port": 22 }]), "cannot be understood"),
        ("host_keys", json!(["ssh-ed25519 AAAA\n* ssh-ed25519 AAAA"]), "cannot be understood"),
        ("run", json!("id"), "cannot be understood"),
    ] {
        let mut body = scene.voice.body(&scene.here(), scene.story.runtime.user());
        body[field] = value;
        if field == "at" {
            body["born"] = json!(now() - 26 * 3600);
        }
        let line = scene.voice.seal(&body);
        scene.ntfy.publish(&topic, &line);
        refused(&mut watching, why);
    }
    let mut body = scene.voice.body(&elsewhere, user);
    body["runtime"] = json!("AAECAwQFBgcICQoLDA0ODw");
    body["born"] = json!(now() - 3600);
    let older = scene.voice.seal(&body);
    scene.ntfy.publish(&topic, &older);
    refused(&mut watching, "older runtime");

    // And after a restart of the agent the same holds: what was accepted is on disk.
    assert!(watching.interrupt().success());
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    scene.listened();
    scene.ntfy.publish(&topic, &first);
    refused(&mut watching, "sent again");
    assert_eq!(scene.files(), before, "no key and no place went into a file");
    scene.story.all_is_well();
}

#[test]
fn an_attacker_at_the_old_endpoint_gets_no_connection_and_no_key_into_a_file() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let before = scene.files();
    scene.story.runtime.restart_on_same_port();
    let seen = watching.health("colab", "new-host-key");
    assert_eq!(seen["health"]["fingerprint"], scene.story.runtime.host_key().fingerprint());
    for client in clients::ALL {
        client.refuses_host_key(&scene.story.stage, "colab");
    }
    let log = scene.story.runtime.machine().log();
    assert!(!log.contains("Accepted") && !log.contains("password for"), "nothing was sent to it:\n{log}");
    assert_eq!(scene.files(), before);

    // The person's own runtime comes back elsewhere, and is followed without a question.
    scene.another_machine();
    let line = scene.line("up");
    scene.ntfy.publish(scene.voice.topic(), &line);
    watching.health("colab", "online");
    assert_eq!(scene.files(), before, "its key is the one that it always was");
    scene.story.all_is_well();
}

#[test]
fn the_first_runtime_is_followed_again_once_its_younger_successor_is_dead() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let (mut other, mut second) = scene.another_notebook();
    scene.story.runtime.stop();
    watching.health("colab", "down");
    watching.health("colab", "online");
    assert!(other.machine().log().contains("Accepted publickey"), "the other one is followed unasked");
    other.stop();
    watching.health("colab", "down");
    let there = json!([{ "link": "ngrok", "host": "127.0.0.1", "port": other.port() }]);
    let late = second.say("beat", &there, other.user());

    // It was only out of reach, and goes on at another endpoint.
    let key = scene.voice.host_key(&scene.story.runtime.machine().keys());
    scene.story.runtime.restart_with(&key);
    scene.story.cell_authorises_login_key();
    let line = scene.line("beat");
    scene.ntfy.publish(scene.voice.topic(), &line);
    watching.health("colab", "online");
    scene.story.all_is_well();
    // What the dead one said last arrives late, and waits for a person.
    scene.ntfy.publish(scene.voice.topic(), &late);
    let asked = watching.event("the question", |event| {
        event["event"] == "notice" && event["title"] == "colab: another runtime announces itself"
    });
    assert_eq!(asked["actions"][0], json!({ "take-over": ["colab", second.runtime()] }), "{asked}");
    scene.story.all_is_well();
}

#[test]
fn whoever_owns_the_relay_gets_no_connection_and_no_key_into_a_file() {
    let (mut scene, mut watching) = Scene::online_behind_relay(&["ntfy", "relay"]);
    let (config, before) = (scene.story.stage.text(".config/moorline/config.toml"), scene.files());
    let (first, second) = (scene.line("beat"), scene.line("beat"));
    scene.sends("relay", &second);
    watching.event("the beat", |event| event["event"] == "announcement" && event["ok"] == true);
    scene.story.runtime.stop();
    watching.health("colab", "down");
    // With the person's own login there, so that the port looks like theirs, on a relay that is said to be.
    let mut attacker = Runtime::start();
    scene.answers_on_relay(&mut attacker);
    let seen = watching.health("colab", "new-host-key");
    assert_eq!(seen["health"]["fingerprint"], attacker.host_key().fingerprint());

    // They also have the file of announcements.
    scene.sends("relay", &first);
    refused(&mut watching, "sent again");
    let mut stranger = Announcer::new(&scene.story.stage);
    let (there, user) = (json!([{ "link": "relay", "port": attacker.port() }]), attacker.user().to_owned());
    let forged = stranger.say("up", &there, &user).replacen(stranger.kid(), scene.voice.kid(), 1);
    scene.sends("relay", &forged);
    refused(&mut watching, "forged");

    for client in clients::ALL {
        client.refuses_host_key(&scene.story.stage, "colab");
    }
    let log = attacker.machine().log();
    assert!(log.contains("Connection"), "the attacker was visited:\n{log}");
    for word in ["Accepted", "password", "publickey", "Postponed"] {
        assert!(!log.contains(word), "somebody tried to log in at the attacker's:\n{log}");
    }
    assert_eq!(scene.files(), before, "no key and no place went into a file");
    assert_eq!(scene.story.stage.text(".config/moorline/config.toml"), config);

    attacker.stop();
    scene.another_machine();
    let line = scene.line("up");
    scene.sends("relay", &line);
    watching.health("colab", "online");
    scene.story.all_is_well();
}

#[test]
fn a_runtime_that_is_online_is_not_taken_over_unasked() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let (other, second) = scene.another_notebook();
    let asked = watching.event("the question", |event| {
        event["event"] == "notice" && event["title"] == "colab: another runtime announces itself"
    });
    assert_eq!(asked["actions"][0], json!({ "take-over": ["colab", second.runtime()] }), "{asked}");
    let config = scene.story.stage.text(".config/moorline/config.toml");
    assert!(
        config.contains(&format!("port = {}", scene.story.runtime.port())),
        "it still leads to the first"
    );
    // The first one goes on, and counts.
    let beat = scene.line("beat");
    scene.ntfy.publish(scene.voice.topic(), &beat);
    watching.event("the beat", |event| event["event"] == "announcement" && event["ok"] == true);

    let status = scene.story.stage.moorline(&["status"]).works("it is told");
    status.says("announces itself elsewhere").says("moorline repair colab --take-over");
    let mut window = Call::open(&scene.story.stage);
    let wrong = window.ask(&json!({ "take-over": ["colab", "AAECAwQFBgcICQoLDA0ODw"] }));
    assert_eq!(wrong["say"], "refused", "an answer is for the runtime that was asked about: {wrong}");
    let taken = scene.story.stage.moorline(&["repair", "colab", "--take-over"]);
    taken.works("the one that waits is followed").says("goes on where it announces itself");
    watching.event("the files", |event| event["event"] == "files" && event["ok"] == true);
    until("it to lead to the second", || {
        scene.story.stage.text(".config/moorline/config.toml").contains(&format!("port = {}", other.port()))
    });
    Client::OpenSsh.connects(&scene.story.stage, "colab");
    let beat = scene.line("beat");
    scene.ntfy.publish(scene.voice.topic(), &beat);
    refused(&mut watching, "older runtime");
    let refused =
        scene.story.stage.moorline(&["repair", "colab", "--take-over"]).fails("there is no other now");
    refused.says("announces itself nowhere else");
}

#[test]
fn a_tunnel_that_is_made_anew_is_no_drop_and_goodbye_is_told_at_once() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let key = scene.voice.host_key(&scene.story.runtime.machine().keys());
    let mut moved = Machine::new("unused-password");
    moved.authorise(scene.story.stage.text(".ssh/moorline_ed25519.pub").trim_end());
    moved.serve(&[key], None);
    let there = json!([{ "link": "ngrok", "host": "127.0.0.1", "port": moved.port() }]);
    let user = moved.user().to_owned();
    // The same runtime, another endpoint, and the way that stands is dead.
    scene.story.runtime.stop();
    let line = scene.voice.say("up", &there, &user);
    scene.ntfy.publish(scene.voice.topic(), &line);
    until("a login there", || moved.log().contains("Accepted publickey"));
    watching.health("colab", "online");
    assert!(watching.told().is_empty(), "nobody was told of a drop: {:?}", watching.lines());

    let line = scene.voice.say("down", &there, &user);
    moved.stop();
    scene.ntfy.publish(scene.voice.topic(), &line);
    let told = watching.notice("dropped");
    assert!(told["title"].as_str().is_some_and(|title| title.starts_with("colab dropped: ")), "{told}");
}

#[test]
fn whoever_has_the_session_key_leads_an_online_session_nowhere() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let key = scene.voice.host_key(&scene.story.runtime.machine().keys());
    let mut thief = Machine::new("unused-password");
    thief.authorise(scene.story.stage.text(".ssh/moorline_ed25519.pub").trim_end());
    thief.serve(&[key], None);
    let config = scene.story.stage.text(".config/moorline/config.toml");
    let (there, user) =
        (json!([{ "link": "ngrok", "host": "127.0.0.1", "port": thief.port() }]), thief.user().to_owned());
    // As the very runtime, then with a goodbye in its name while another runtime waits.
    let line = scene.voice.say("up", &there, &user);
    scene.ntfy.publish(scene.voice.topic(), &line);
    let asked = watching.event("the question", |event| {
        event["event"] == "notice" && event["title"] == "colab: its runtime says that it moved"
    });
    assert_eq!(asked["actions"][0], json!({ "take-over": ["colab", scene.voice.runtime()] }), "{asked}");
    let mut other = Announcer::with_key(&scene.story.stage, scene.voice.key());
    other.reborn();
    other.reborn();
    let line = other.say("up", &there, &user);
    scene.ntfy.publish(scene.voice.topic(), &line);
    let goodbye = scene.line("down");
    let elsewhere = scene.voice.say("up", &there, &user);
    for line in [goodbye, elsewhere] {
        scene.ntfy.publish(scene.voice.topic(), &line);
    }
    watching.health("colab", "down");
    watching.health("colab", "online");
    assert_eq!(scene.story.stage.text(".config/moorline/config.toml"), config, "it leads where it led");
    assert!(!thief.log().contains("Accepted"), "nobody logged in at the thief's:\n{}", thief.log());
    scene.story.all_is_well();
}

#[test]
fn ten_restarts_on_ten_endpoints_leave_known_hosts_alone_on_two_desktops() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    let second = Stage::new();
    let _keyring = Desktop::start(&second);
    scene.configure(&second, &["ntfy"]);
    scene.story.runtime.machine().authorise(second.text(".ssh/moorline_ed25519.pub").trim_end());
    let mut beside = Watching::start(&second);
    until("both to listen", || scene.ntfy.listeners(scene.voice.topic()) == 2);
    beside.event("the files", |event| event["event"] == "files" && event["ok"] == true);
    let before = (scene.files(), second.get(".ssh/known_hosts"), second.get(".ssh/config"));
    assert!(!before.1.is_empty(), "the derived key is there before the first connection");
    for restart in 0..10 {
        // A login that is under way when the machine ends can outlive its sshd: that machine would still be there, and
        // another one not be believed.
        let endpoint = format!("\"endpoint\": \"127.0.0.1:{}\"", scene.story.runtime.port());
        until("both to be online there", || {
            [&scene.story.stage, &second].iter().all(|stage| {
                let status = stage.moorline(&["status", "--json"]).stdout;
                status.contains(&endpoint) && status.contains("\"state\": \"online\"")
            })
        });
        scene.another_machine();
        scene.story.runtime.machine().authorise(second.text(".ssh/moorline_ed25519.pub").trim_end());
        let line = scene.line("up");
        scene.ntfy.publish(scene.voice.topic(), &line);
        let port = format!("port = {}\n", scene.story.runtime.port());
        until("both to lead there", || {
            [&scene.story.stage, &second]
                .iter()
                .all(|stage| stage.text(".config/moorline/config.toml").contains(&port))
        });
        // In turn: starting a Python takes longer than all the rest.
        clients::ALL[restart % clients::ALL.len()].connects(&second, "colab");
        let after = (scene.files(), second.get(".ssh/known_hosts"), second.get(".ssh/config"));
        assert_eq!(after, before, "neither known_hosts nor config changed");
    }
    watching.health("colab", "online");
    scene.story.all_is_well();
}

#[test]
fn the_stream_resumes_where_it_broke_and_waits_when_it_is_told_to() {
    let (mut scene, mut watching) = Scene::online(&["ntfy"]);
    assert_eq!(scene.ntfy.asked(), ["all"], "nothing that came before is lost");
    scene.ntfy.refuse(&[500]);
    scene.ntfy.hang_up();
    // While nobody listens, the runtime speaks.
    let line = scene.line("beat");
    scene.ntfy.publish(scene.voice.topic(), &line);
    watching.event("the beat", |event| event["event"] == "announcement" && event["ok"] == true);
    let asked = scene.ntfy.asked();
    assert!(asked.len() >= 3 && asked[1..].iter().all(|since| since == "id0000000001"), "{asked:?}");
    // Longer than it waits of itself after "too many requests".
    scene.ntfy.limit(20);
    scene.ntfy.hang_up();
    let line = scene.line("beat");
    scene.ntfy.publish(scene.voice.topic(), &line);
    watching.event("the beat", |event| event["event"] == "announcement" && event["ok"] == true);
    let waited = scene.ntfy.waited();
    assert!(
        waited.len() == 1 && waited[0] >= Duration::from_secs(18),
        "it waits as long as it is told: {waited:?}"
    );
}

#[test]
fn a_pasted_announcement_is_enough() {
    let mut scene = Scene::begin(&[]);
    let line = scene.line("up");
    let text = format!("Moorline: colab is up\n{line}\n");
    scene.story.stage.moorline_reads(&["repair", "colab", "--from", "-"], &text).works("it leads there");
    scene.story.cell_authorises_login_key();
    scene.story.all_is_well();
    scene.story.stage.moorline_reads(&["repair", "colab", "--from", "-"], &text).works("twice is no mistake");
    let mut stranger = Announcer::with_key(&scene.story.stage, &random_key());
    let there = json!([{ "link": "direct", "host": "evil.example", "port": 22 }]);
    let foreign = stranger.say("up", &there, "root");
    let refused = scene.story.stage.moorline_reads(&["repair", "colab", "--from", "-", "--yes"], &foreign);
    refused.fails("nobody here has that key");
    scene.story.all_is_well();
}
