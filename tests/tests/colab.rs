//! The `colab` link from end to end: a real sshd behind a stand-in for Google, with its one SSH slot.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use moorline_tests::edge::{ColabEdge, ColabFailure};
use moorline_tests::google::{Google, Vm};
use moorline_tests::processes::{Program, until};
use moorline_tests::shared::{Session, a_lot_at_once, end_hubs, hubs, long_ago};
use moorline_tests::watching::Call;
use moorline_tests::{Internet, Story, Watching};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const FIRST: &str = "gpu-t4-s-kkb-first";

/// A person with a Google account, who has a runtime there.
struct Scene {
    story: Story,
    internet: Internet,
    google: Google,
    edge: ColabEdge,
}

impl Scene {
    fn begin() -> Self {
        let story = Story::begin();
        // Each connection is to be made anew, unless it is shared at the time.
        story.stage.set_env("MOORLINE_HUB_IDLE", "0");
        let internet = Internet::start(&story.stage);
        let google = Google::start(&internet);
        story.stage.put(".config/colab-cli/token.json", google.sign_in().colab_cli_file());
        let vm = Vm::new(FIRST);
        story.stage.hide(&vm.token);
        let edge = google.begin_with_ssh(&internet, vm, &story.runtime);
        Self { story, internet, google, edge }
    }

    fn added() -> Self {
        let scene = Self::begin();
        let added = scene.add().works("the only runtime is followed");
        added.says("Ready: ssh colab");
        scene.leave();
        scene
    }

    fn add(&self) -> moorline_tests::Outcome {
        let user = self.story.runtime.user();
        self.story.stage.moorline(&["add", "colab", "--colab", "--yes", "--user", user])
    }

    fn ssh(&self) -> moorline_tests::Outcome {
        self.story.stage.run("ssh", &["-o", "BatchMode=yes", "colab", "true"])
    }

    /// A person in a shell, who needs the slot until they are gone.
    fn session(&self) -> Session {
        let mut command = self.story.stage.command("ssh");
        command.args(["-o", "BatchMode=yes", "colab", "echo ready; cat"]);
        let mut session = Session::open(command);
        session.is_ready();
        session
    }

    /// Nothing of this computer has the slot any more.
    fn leave(&self) {
        end_hubs(&self.story.stage);
        until("the slot to be free", || !self.edge.is_taken());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        end_hubs(&self.story.stage);
    }
}

/// Asks the agent to look, now and then, until it says this: by itself it looks every half minute.
fn look_now(window: &mut Call, watching: &Watching, wanted: impl Fn(&Value) -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    let mut asked = None;
    while !watching.lines().iter().any(&wanted) {
        assert!(Instant::now() < end, "it was asked for a minute: {:?}", watching.lines());
        if asked.is_none_or(|at: Instant| at.elapsed() > Duration::from_secs(3)) {
            asked = Some(Instant::now());
            window.ask(&json!({ "repair": "colab" }));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_pasted_and_nothing_compared() {
    let scene = Scene::added();
    let known_hosts = scene.story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&scene.story.runtime.host_key().public()), "{known_hosts}");
    scene.story.all_is_well();
    let status = scene.story.stage.moorline(&["status"]).works("it is told");
    status.says(FIRST).says("read over a channel");
    let config = scene.story.stage.text(".config/moorline/config.toml");
    assert!(config.contains("link = \"colab\"") && config.contains(FIRST), "{config}");
    assert_eq!(scene.google.refused(), [""; 0], "nothing is sent that Google's own clients do not send");
    scene.story.stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    let left = scene.story.stage.moorline(&["secret", "list"]).works("the keyring answers");
    assert!(!left.said().contains("runtime-token"), "the token goes with the session:\n{left}");
}

#[test]
fn the_next_runtime_is_followed_with_no_hands() {
    let mut scene = Scene::added();
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    let vitals = watching.event("the vitals", |event| event["event"] == "vitals");
    let vitals = &vitals["vitals"];
    assert_eq!(vitals["colab"]["accelerator"], "T4", "{vitals}");
    assert_eq!(vitals["colab"]["units"]["left"], 87.42, "{vitals}");
    assert_eq!(vitals["gpus"][0]["load"], 37, "{vitals}");
    let carried = scene.edge.carried();
    scene.ssh().works("the slot is the person's");
    assert_eq!(scene.edge.carried(), carried + 1, "the agent looks without it");
    let seen = scene.story.stage.moorline(&["status"]).works("the agent is asked");
    seen.says("Tesla T4".trim_start_matches("Tesla ")).says("87.4 units, 57 h");

    scene.story.runtime.restart();
    scene.google.end(FIRST);
    let second = Vm::new("gpu-t4-s-kkb-second");
    scene.story.stage.hide(&second.token);
    scene.edge = scene.google.begin_with_ssh(&scene.internet, second, &scene.story.runtime);
    let mut window = Call::open(&scene.story.stage);
    look_now(&mut window, &watching, |event| event["event"] == "notice" && event["kind"] == "back");
    let back = watching.notice("back");
    assert_eq!(back["title"], "colab has a new machine; the disk is empty");
    scene.ssh().works("the alias leads there");
    let config = scene.story.stage.text(".config/moorline/config.toml");
    assert!(config.contains("gpu-t4-s-kkb-second"), "{config}");
    let lines = watching.lines();
    assert!(!lines.iter().any(|event| event["kind"] == "needed"), "nobody was bothered: {lines:?}");

    scene.google.end("gpu-t4-s-kkb-second");
    look_now(&mut window, &watching, |event| event["health"]["cause"]["kind"] == "ended");
    let dropped = watching.notice("dropped");
    assert_eq!(dropped["title"], "colab dropped: its runtime has ended");
    assert_eq!(scene.google.refused(), [""; 0]);
    let asked = scene.google.requests();
    let looks = ["POST /token", "GET /tun/m/assignments", "GET /tun/m/ccu-info"];
    let only_looked = |line: &String| {
        looks.contains(&line.as_str())
            || line.ends_with("/api/colab/resources")
            || line.ends_with("/api/kernels")
    };
    assert!(asked.iter().all(only_looked), "nothing makes a runtime or keeps one alive: {asked:?}");
}

#[test]
fn an_idle_notebook_and_few_units_are_warned_of() {
    let scene = Scene::added();
    scene.google.change(FIRST, |vm| vm.busy = false);
    scene.google.set_units(1.0, 2.0);
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    let units = watching.notice("units");
    assert_eq!(units["title"], "Colab: compute units for about 30 min", "{units}");
    let idle =
        watching.lines().into_iter().find(|event| event["kind"] == "idle").expect("both are told at once");
    let title = idle["title"].as_str().unwrap_or_default();
    assert!(title.starts_with("colab: its notebook has done nothing for"), "{idle}");
}

#[test]
fn the_one_slot_is_shared_with_moorline_itself() {
    let scene = Scene::added();
    let mut session = scene.session();
    scene.ssh().works("several share it");
    let look = scene.story.stage.moorline(&["status", "colab", "--check"]).works("it answers");
    look.says("the pinned key answers");
    scene.story.stage.moorline(&["repair", "colab"]).works("all is well").says("Ready: ssh colab");
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    session.echoes("still here");
    assert!(scene.edge.refused().iter().all(|status| *status == 429));
    session.ends_well();
}

#[test]
fn whoever_holds_the_one_slot_is_named() {
    let scene = Scene::added();
    let user = scene.story.runtime.user();
    let twice = ["add", "again", "--colab", "--yes", "--user", user];
    scene.story.stage.moorline(&twice).works("a second name for the same runtime");
    scene.leave();
    let session = scene.session();
    let hub = hubs(&scene.story.stage)[0];
    let again = scene.story.stage.run("ssh", &["-o", "BatchMode=yes", "again", "true"]);
    again.fails("it has a hub of its own").says(&format!("(429), and process {hub} of this computer has it"));
    session.ends_well();
    scene.leave();
    long_ago(&scene.story.stage, FIRST);
    scene.edge.take(true);
    scene.ssh().fails("somebody else has it").says("(429), and another computer or program");
}

#[test]
fn a_slot_that_google_still_counts_is_waited_for() {
    let scene = Scene::added();
    scene.edge.take(true);
    let mut command = scene.story.stage.command("ssh");
    command.args(["-o", "BatchMode=yes", "colab", "true"]).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(scene.story.stage.log("second"));
    let mut second = Program::start(command);
    let refused = scene.edge.refused().len();
    until("it to be refused once", || scene.edge.refused().len() > refused);
    scene.edge.take(false);
    assert!(second.wait_in_time("the second ssh").success(), "{}", scene.story.stage.read_log("second"));
    for (failure, says) in [
        (ColabFailure::Forbidden, "(403)"),
        (ColabFailure::NoSsh, "(404)"),
        (ColabFailure::SshdDown, "(502)"),
    ] {
        scene.leave();
        scene.edge.fail(failure);
        scene.ssh().fails("Colab refuses").says(says);
    }
}

#[test]
fn a_key_that_colab_does_not_take_is_named() {
    let scene = Scene::added();
    let home = scene.story.stage.home_inside().display().to_string();
    let file = format!("{home}/.ssh/mine");
    scene.story.stage.run("mkdir", &["-p", &format!("{home}/.ssh")]).works("a folder for the key");
    let make = ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &file];
    scene.story.stage.run("ssh-keygen", &make).works("a person has an old key");
    let user = scene.story.runtime.user();
    let add = ["add", "colab", "--colab", "--yes", "--user", user, "--identity", &file];
    scene.story.stage.moorline(&add).says("(400)");
    scene.ssh().fails("Colab takes no RSA").says("moorline: colab: ").says("(400)").says("ssh-ed25519");
    assert!(scene.edge.refused().iter().all(|status| *status == 400), "{:?}", scene.edge.refused());
}

#[test]
fn a_silent_google_is_named_before_ssh_gives_up() {
    let scene = Scene::added();
    // The kept token is refused, so that Google has to be asked.
    scene.edge.renew_token("another-token-Hw81");
    scene.google.change(FIRST, |vm| "another-token-Hw81".clone_into(&mut vm.token));
    scene.internet.raw("oauth2.googleapis.com", |wire| async move {
        let _open = wire;
        std::future::pending::<()>().await;
    });
    scene.ssh().fails("nobody can say the new one").says("moorline: colab: Google did not answer within");
}

#[test]
fn a_silent_connection_is_replaced_when_google_lets_go_of_it() {
    let scene = Scene::added();
    scene.story.stage.set_env("MOORLINE_HUB_IDLE", "30");
    let session = scene.session();
    let hub = hubs(&scene.story.stage);
    scene.edge.hush();
    let mut command = scene.story.stage.command("ssh");
    command.args(["-o", "BatchMode=yes", "colab", "true"]).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(scene.story.stage.log("second"));
    let mut second = Program::start(command);
    // The hub gives the old one up where it stands in the way; Google counts it a moment longer.
    session.ends_badly();
    let refused = scene.edge.refused().len();
    assert!(refused > 0, "it was in the way");
    until("it to be waited for", || scene.edge.refused().len() > refused);
    scene.edge.cut();
    assert!(second.wait_in_time("the second ssh").success(), "{}", scene.story.stage.read_log("second"));
    assert_eq!(hubs(&scene.story.stage), hub, "the same hub made it");
}

#[test]
fn a_hub_that_was_killed_long_ago_is_not_blamed() {
    let scene = Scene::added();
    let mut session = scene.session();
    session.echoes("here");
    let hub = Pid::from_raw(hubs(&scene.story.stage)[0]).expect("a process");
    kill_process(hub, Signal::KILL).expect("the hub can be killed");
    session.ends_badly();
    until("the slot to be free", || !scene.edge.is_taken());
    long_ago(&scene.story.stage, FIRST);
    scene.edge.take(true);
    let before = scene.edge.refused().len();
    scene.ssh().fails("somebody else has it").says("(429), and another computer or program");
    assert_eq!(scene.edge.refused().len(), before + 1, "that is no reason to try again and again");
}

#[test]
fn the_hub_honours_the_proxies_of_the_environment() {
    let scene = Scene::added();
    scene.internet.wants_login("ada", "let me out");
    scene.ssh().fails("the proxy wants a login").says("(407)");
    scene.leave();
    let address = scene.internet.address();
    scene.story.stage.set_env("HTTPS_PROXY", format!("http://ada:let%20me%20out@{address}"));
    let asked = scene.internet.asked().len();
    scene.ssh().works("with the login");
    let asked = scene.internet.asked().split_off(asked);
    assert_eq!(asked, [Vm::new(FIRST).host()], "the runtime is reached through the proxy");
    scene.leave();
    scene.story.stage.set_env("HTTPS_PROXY", "http://ada:wrong-one@127.0.0.1:9");
    let refused = scene.ssh().fails("no such proxy").says("the proxy 127.0.0.1:9 cannot be used");
    assert!(!refused.said().contains("wrong-one"), "its password is not shown:\n{refused}");
}

#[test]
fn signing_in_again_counts_at_once() {
    let scene = Scene::added();
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    let tokens = || scene.google.requests().iter().filter(|line| *line == "POST /token").count();
    let before = tokens();
    // Another account's, which Google takes no more: the one that was there before is asked with after that.
    let mut other = scene.google.sign_in();
    other.refresh_token = "1//0of-another-account".to_owned();
    scene.story.stage.put(".config/gcloud/application_default_credentials.json", other.gcloud_file());
    let set = ["secret", "set", "google-refresh-token", "--from-gcloud"];
    scene.story.stage.moorline(&set).works("it is copied, and the agent is told");
    // While all is well, the list is asked for every half minute.
    let end = Instant::now() + Duration::from_secs(90);
    while tokens() < before + 2 {
        assert!(Instant::now() < end, "the new sign-in was never tried");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_token_that_is_refused_or_almost_over_is_renewed() {
    let scene = Scene::added();
    scene.edge.renew_token("another-token-Hw81");
    scene.google.change(FIRST, |vm| "another-token-Hw81".clone_into(&mut vm.token));
    scene.ssh().works("a refused token is renewed");
    assert_eq!(scene.edge.refused(), [401], "the old one was tried once");
    scene.leave();
    let before = scene.google.requests().len();
    scene.ssh().works("the new one is kept");
    assert_eq!(scene.google.requests().len(), before, "Google need not be asked");
    scene.leave();
    scene.google.set_token_lives(240);
    scene.edge.renew_token("short-token-Pz05");
    scene.google.change(FIRST, |vm| "short-token-Pz05".clone_into(&mut vm.token));
    scene.ssh().works("renewed");
    scene.leave();
    let before = scene.google.requests().len();
    scene.ssh().works("one that ends in four minutes is not used again");
    assert!(scene.google.requests().len() > before);
    scene.leave();
    scene.google.end(FIRST);
    scene.ssh().fails("no runtime is ever made").says("does not list the runtime");
    assert_eq!(scene.google.endpoints(), [""; 0]);
    assert_eq!(scene.google.refused(), [""; 0]);
}

#[test]
fn a_runtime_that_cannot_be_reached_is_added_all_the_same() {
    let scene = Scene::begin();
    scene.edge.take(true);
    scene.add().works("it is followed").says("cannot be reached just now").says("(429)");
    scene.edge.take(false);
    scene.story.stage.moorline(&["repair", "colab"]).works("later").says("Ready: ssh colab");
    scene.story.all_is_well();
}

#[test]
fn twenty_sessions_two_transfers_and_an_editor_share_the_one_slot() {
    let scene = Scene::added();
    let before = scene.edge.carried();
    let ssh = |arguments: &[&str]| {
        let mut command = scene.story.stage.command("ssh");
        command.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=40"]).args(arguments);
        command
    };
    // The hub stays for as long as anybody needs it.
    let session = scene.session();
    a_lot_at_once(ssh, &scene.story.runtime);
    assert_eq!(scene.edge.carried(), before + 1, "one connection served them all");
    assert_eq!(scene.edge.refused(), [0; 0], "and no second one was tried");
    session.ends_well();
    until("the hub to end", || hubs(&scene.story.stage).is_empty());
}

#[test]
fn a_hub_that_comes_or_goes_is_no_drop() {
    let scene = Scene::added();
    let mut watching = Watching::start(&scene.story.stage);
    watching.health("colab", "online");
    let mut sessions: Vec<Session> = (0..3).map(|_| scene.session()).collect();
    scene.edge.cut();
    sessions.drain(..).for_each(Session::ends_badly);
    let session = scene.session();
    end_hubs(&scene.story.stage);
    session.ends_badly();
    scene.session().ends_well();
    until("the hub to end", || hubs(&scene.story.stage).is_empty());

    let mut window = Call::open(&scene.story.stage);
    scene.google.end(FIRST);
    look_now(&mut window, &watching, |event| event["health"]["cause"]["kind"] == "ended");
    watching.notice("dropped");
    let lines = watching.lines();
    let dropped: Vec<&Value> = lines.iter().filter(|event| event["kind"] == "dropped").collect();
    assert_eq!(dropped.len(), 1, "{lines:?}");
    assert_eq!(dropped[0]["title"], "colab dropped: its runtime has ended");
    let states: Vec<&str> = lines.iter().filter_map(|event| event["health"]["state"].as_str()).collect();
    assert_eq!(states, ["waiting", "connecting", "online", "suspect", "down"], "{lines:?}");
}
