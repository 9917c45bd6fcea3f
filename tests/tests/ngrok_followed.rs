//! Runtimes behind ngrok that are found through its API: one by what its endpoint's metadata announces, one because its
//! endpoint is the only one that says nothing.
#![cfg(target_os = "linux")]

use std::thread::sleep;
use std::time::{Duration, Instant};

use moorline_tests::clients::Client;
use moorline_tests::internet::Internet;
use moorline_tests::ngrok_api::NgrokApi;
use moorline_tests::processes::until;
use moorline_tests::watching::Call;
use moorline_tests::{Runtime, Scene, Watching};
use serde_json::json;

/// Like an API key.
const KEY: &str = "3AbCdEfGhIjKlMnOpQrStUvWxYz_1234567890abcdef";

const HOST: &str = "0.tcp.eu.ngrok.io";

/// The session `colab` with a session key, and the account that its runtimes are in.
struct Account {
    scene: Scene,
    _internet: Internet,
    api: NgrokApi,
}

impl Account {
    fn begin() -> Self {
        let scene = Scene::begin(&["ngrok"]);
        let stage = &scene.story.stage;
        let internet = Internet::start(stage);
        let api = NgrokApi::start(&internet, KEY);
        stage.knows_host("127.0.0.1", HOST);
        // The proxy leads to the API alone.
        stage.set_env("NO_PROXY", HOST);
        stage.hide(KEY);
        stage.moorline_reads(&["secret", "set", "ngrok-api-key"], KEY).works("the key is stored");
        scene.story.cell_authorises_login_key();
        Self { scene, _internet: internet, api }
    }

    /// The runtime's agent opens an endpoint that carries its announcement; it cannot know where that is.
    fn announced(&mut self) -> String {
        let user = self.scene.story.runtime.user().to_owned();
        let line = self.scene.voice.say("up", &json!([]), &user);
        let agent = self.api.agent();
        self.api.tcp(&agent, HOST, self.scene.story.runtime.port(), &line);
        agent
    }

    /// An agent of nobody's cell opens one that says nothing.
    fn silent(&self, port: u16) -> String {
        let agent = self.api.agent();
        self.api.tcp(&agent, HOST, port, "");
        agent
    }
}

/// A second session over ngrok, without a session key, whose runtime is there.
fn trainer(account: &Account) -> Runtime {
    let (stage, runtime) = (&account.scene.story.stage, Runtime::start());
    runtime.machine().authorise(stage.text(".ssh/moorline_ed25519.pub").trim_end());
    let cell = format!("tcp://{HOST}:{}\nuser {}\n", runtime.port(), runtime.user());
    let fingerprint = runtime.host_key().fingerprint();
    let add = ["add", "trainer", "--from", "-", "--yes", "--fingerprint", &fingerprint];
    stage.moorline_reads(&add, &cell).works("it is added");
    let path = ".config/moorline/config.toml";
    let config =
        stage.text(path).replace("[session.trainer]\n", "[session.trainer]\nchannels = [\"ngrok\"]\n");
    stage.put(path, config);
    runtime
}

#[test]
fn one_is_found_by_its_announcement_and_one_because_it_is_the_only_other() {
    let mut account = Account::begin();
    let (agent, mut runtime) = (account.announced(), trainer(&account));
    let stage = &account.scene.story.stage;
    let first = account.silent(runtime.port());
    let begun = Instant::now();
    let mut watching = Watching::start(stage);
    until("both to be online", || {
        let online = |name: &str| {
            watching.lines().iter().any(|e| e["session"] == name && e["health"]["state"] == "online")
        };
        online("colab") && online("trainer")
    });
    watching.catch_up();
    Client::OpenSsh.connects(stage, "colab");

    // A machine whose cell brings its own host key along: the very key that is pinned, at another endpoint.
    let key = runtime.host_key().clone();
    runtime.restart_with(&key);
    runtime.machine().authorise(stage.text(".ssh/moorline_ed25519.pub").trim_end());
    account.api.gone(&first);
    let second = account.silent(runtime.port());
    watching.health("trainer", "down");
    watching.health("trainer", "online");
    Client::OpenSsh.connects(stage, "trainer");
    let lines = watching.lines();
    assert!(!lines.iter().any(|event| event["kind"] == "needed"), "nobody was asked anything: {lines:?}");

    // The next one shows a key that nobody vouches for.
    let (known, config) = (stage.text(".ssh/known_hosts"), stage.text(".ssh/config"));
    runtime.restart();
    runtime.machine().authorise(stage.text(".ssh/moorline_ed25519.pub").trim_end());
    account.api.gone(&second);
    account.silent(runtime.port());
    let seen = watching.health("trainer", "new-host-key");
    let fingerprint = runtime.host_key().fingerprint();
    assert_eq!(seen["health"]["fingerprint"], fingerprint);
    assert_eq!(
        (stage.text(".ssh/known_hosts"), stage.text(".ssh/config")),
        (known, config),
        "nothing is written"
    );
    let log = runtime.machine().log();
    assert!(log.contains("Connection") && !log.contains("publickey"), "nobody tried to log in:\n{log}");
    let mut window = Call::open(stage);
    let done = window.ask(&json!({ "approve": ["trainer", fingerprint] }));
    assert_eq!(done["answer"], "done", "{done}");
    watching.health("trainer", "online");
    Client::OpenSsh.connects(stage, "trainer");

    // All the while the other one goes by its announcement.
    account.api.gone(&agent);
    account.scene.another_machine();
    account.announced();
    watching.health("colab", "online");
    Client::OpenSsh.connects(&account.scene.story.stage, "colab");

    // Two sessions look every 13 s, and once more when one of them changes.
    let (asked, most) = (account.api.asked().len(), 2 * begun.elapsed().as_secs() / 13 + 8);
    assert!(asked as u64 <= most, "{asked} requests in {:?}", begun.elapsed());
}

/// After a refusal ngrok is left alone for the minute over which it counts.
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_ngrok_limits_is_asked_for_more_slowly_and_then_found() {
    let mut account = Account::begin();
    account.announced();
    account.api.refuses(Some((429, 226, "Your account is rate limited to 120 API requests per 60s.")));
    let begun = Instant::now();
    let mut watching = Watching::start(&account.scene.story.stage);
    until("the first request", || account.api.asked().len() == 1);
    account.api.refuses(None);
    sleep(MINUTE.saturating_sub(begun.elapsed() + Duration::from_secs(1)));
    assert_eq!(account.api.asked().len(), 1, "a limit is kept away from");
    watching.health("colab", "online");
    assert!(begun.elapsed() >= MINUTE);
    Client::OpenSsh.connects(&account.scene.story.stage, "colab");
}
