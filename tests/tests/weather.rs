//! `moorline watch` on a network with weather: what each kind of failure is called, and what is no failure.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::machine::{Machine, free_port};
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::watching::Call;
use moorline_tests::{Relay, Story, Watching, Weather, weather};
use serde_json::{Value, json};

/// The name under which the runtime is dialled.
const NAME: &str = "runtime.example.net";

/// A runtime behind weather, followed while the weather is fair.
fn followed(weather: &Weather) -> Story {
    let story = Story::begin_on(weather);
    story.stage.knows_host(weather::RUNTIME, NAME);
    story.follow("colab", NAME);
    story
}

/// A runtime that is reached through a relay; the port there comes with it.
fn followed_behind_a_relay(weather: &Weather) -> (Story, Relay, u16) {
    let mut story = Story::begin_on(weather);
    let relay = Relay::start_on(weather);
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh -p{port} {user}@127.0.0.1\nRoot password: {password}\n");
    story.paste(&["add", "colab", "--relay", "relay"], &cell).works("it is added");
    story.help_login_without_root();
    (story, relay, port)
}

/// Whoever follows along.
struct Onlooker {
    watching: Watching,
}

impl Onlooker {
    /// Sees the session come online.
    fn of(story: &Story) -> Self {
        let mut watching = Watching::start(&story.stage);
        watching.health("colab", "online");
        Self { watching }
    }

    /// Sees the session lost, and hears why: a kind of cause, and the words for it.
    #[track_caller]
    fn sees_it_down(&mut self, kind: &str, words: &str) {
        let down = self.watching.health("colab", "down");
        assert_eq!(down["health"]["cause"]["kind"], kind, "{down}");
        assert!(down["words"].as_str().is_some_and(|said| said.contains(words)), "`{words}`: {down}");
    }

    /// As [`Onlooker::sees_it_down`], and the same words are told to the person.
    #[track_caller]
    fn is_told(&mut self, kind: &str, words: &str) {
        self.sees_it_down(kind, words);
        let told = self.watching.notice("dropped");
        let title = told["title"].as_str().unwrap_or_default();
        assert!(title.starts_with("colab dropped: ") && title.contains(words), "{told}");
    }

    /// Sees the session come back.
    #[track_caller]
    fn sees_it_back(&mut self) {
        let back = self.watching.notice("back");
        assert_eq!(back["title"], "colab is back on the same machine");
    }

    /// Insists that nobody was told anything.
    #[track_caller]
    fn heard_nothing(&self) {
        assert_eq!(self.watching.told(), Vec::<Value>::new());
    }
}

#[test]
fn what_ends_on_the_way_is_named() {
    let weather = Weather::fair();
    let mut story = followed(&weather);
    let mut onlooker = Onlooker::of(&story);

    weather.swallow(weather::RUNTIME);
    onlooker.is_told("runtime-gone", "nothing answers, the machine is probably gone");
    weather.spit_out();
    onlooker.sees_it_back();

    story.stage.forgets_hosts();
    story.runtime.lose_sshd();
    onlooker.is_told("no-server", "no SSH server is at its address, the machine may still run");
    story.stage.knows_host(weather::RUNTIME, NAME);
    story.runtime.serve_keys_of(0);
    onlooker.sees_it_back();
}

#[test]
fn what_ends_at_the_runtime_is_named() {
    let weather = Weather::fair();
    let mut story = followed(&weather);
    let mut onlooker = Onlooker::of(&story);

    story.runtime.lose_sshd();
    onlooker.is_told("no-server", "no SSH server is at its address, the machine may still run");
    story.runtime.serve_keys_of(0);
    onlooker.sees_it_back();

    story.runtime.misbehave(true);
    onlooker.is_told("hangs-up", "its address answers, sshd does not");
    story.runtime.serve_keys_of(0);
    onlooker.sees_it_back();

    story.runtime.misbehave(false);
    onlooker.is_told("runtime-gone", "nothing answers, the machine is probably gone");
    story.runtime.serve_keys_of(0);
    onlooker.sees_it_back();
}

#[test]
fn one_s_own_network_is_no_drop() {
    let weather = Weather::fair();
    let story = followed(&weather);
    let mut onlooker = Onlooker::of(&story);
    weather.unplug();
    onlooker.sees_it_down("local-offline", "this computer is offline");
    weather.plug_in();
    onlooker.watching.health("colab", "online");
    onlooker.watching.event("the machine to be known", |event| event["event"] == "vitals");
    onlooker.heard_nothing();
    story.all_is_well();
}

#[test]
fn a_key_or_a_password_that_is_not_the_right_one_is_named() {
    let weather = Weather::fair();
    let mut story = followed(&weather);
    let mut onlooker = Onlooker::of(&story);
    if Machine::takes_passwords() {
        let wrong = "not-the-password-of-this-machine";
        story.stage.hide(wrong);
        story.stage.run_with_input("moorline", &["secret", "set", "colab"], wrong).works("it is stored");
    }
    story.runtime.lose_disk();
    let refused = onlooker.watching.health("colab", "auth-failed");
    assert_eq!(refused["words"], "refuses this computer's access");
    let told = onlooker.watching.notice("needed");
    assert_eq!(told["title"], "colab refuses this computer's access");
    assert!(told["body"].as_str().is_some_and(|body| body.contains("password")), "{told}");

    // Nobody knocks again soon where the login was refused, unless a person asks for it.
    story.runtime.restart_on_same_port();
    Call::open(&story.stage).ask(&json!({ "repair": "colab" }));
    let shown = onlooker.watching.health("colab", "new-host-key");
    assert_eq!(shown["health"]["fingerprint"], story.runtime.host_key().fingerprint());
    let told = onlooker.watching.notice("needed");
    assert_eq!(told["title"], "colab shows a fingerprint seen for the first time");
}

#[test]
fn what_ends_behind_a_relay_is_named() {
    let weather = Weather::fair();
    let (mut story, relay, port) = followed_behind_a_relay(&weather);
    let mut onlooker = Onlooker::of(&story);

    story.runtime.lose_sshd();
    onlooker.is_told("sshd-down", "the tunnel answers, sshd behind it does not");
    story.runtime.serve_keys_of(0);
    onlooker.sees_it_back();

    story.runtime.stop();
    onlooker.is_told("tunnel-down", "its tunnel is gone, the machine may still run");
    story.runtime.serve_keys_of(0);
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    onlooker.sees_it_back();

    // The relay accepts, and nothing comes back.
    weather.swallow(weather::RELAY_FROM_RUNTIME);
    onlooker.is_told("runtime-gone", "nothing answers, the machine is probably gone");
}

#[test]
fn a_relay_that_is_gone_is_not_taken_for_the_runtime() {
    let weather = Weather::fair();
    let (story, mut relay, _) = followed_behind_a_relay(&weather);
    let mut onlooker = Onlooker::of(&story);

    weather.swallow(weather::RELAY);
    onlooker.is_told("way", "relay");
    weather.spit_out();
    onlooker.sees_it_back();

    relay.stop();
    onlooker.is_told("way", "relay");
}

#[test]
fn one_s_own_network_is_not_taken_for_a_relay_s() {
    let weather = Weather::fair();
    let (story, _relay, _) = followed_behind_a_relay(&weather);
    let mut onlooker = Onlooker::of(&story);
    weather.unplug();
    onlooker.sees_it_down("local-offline", "this computer is offline");
    weather.plug_in();
    onlooker.watching.health("colab", "online");
    onlooker.watching.event("the machine to be known", |event| event["event"] == "vitals");
    onlooker.heard_nothing();
}

/// For as many minutes as `MOORLINE_SOAK_MINUTES` says (`make soak`: 30), packets take 300 ms there and back and a
/// fifth of them is lost each way: nobody is bothered with it.
#[test]
fn a_slow_and_lossy_link_is_no_drop() {
    let minutes = std::env::var("MOORLINE_SOAK_MINUTES").map_or(1, |text| text.parse().expect("a number"));
    let weather = Weather::fair();
    let story = followed(&weather);
    let mut watching = Onlooker::of(&story).watching;
    watching.event("the first reading", |event| event["event"] == "vitals");
    let begun = Instant::now();
    let before = watching.lines().len();
    weather.set(Duration::from_millis(300), 20);
    while begun.elapsed() < Duration::from_secs(60 * minutes) {
        std::thread::sleep(Duration::from_secs(1));
        let wrong = watching.lines().into_iter().skip(before).find(is_drop);
        assert_eq!(wrong, None, "after {:?}:\n{:#?}", begun.elapsed(), changes(&watching));
    }
    let readings = watching.lines().iter().skip(before).filter(|event| event["event"] == "vitals").count();
    eprintln!("{minutes} min: {readings} readings; {} moments of doubt", changes(&watching).len());
    assert!(readings as u64 >= minutes, "the link was used all the time: {readings} readings");
}

/// Whether the icon shows, or will show, that a runtime is down.
fn is_drop(event: &Value) -> bool {
    event["kind"] == "dropped" || event["health"]["state"] == "down"
}

/// How the session's health went since it was first online.
fn changes(watching: &Watching) -> Vec<Value> {
    watching.lines().into_iter().filter(|event| event["event"] == "health").skip(2).collect()
}
