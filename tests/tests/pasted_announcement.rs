//! Announcements that a person pastes: what they say besides counts, and what stands is not left without a question.
#![cfg(target_os = "linux")]

use moorline_tests::announcer::random_key;
use moorline_tests::clients::Client;
use moorline_tests::keys::KeyPair;
use moorline_tests::{Announcer, Scene};
use serde_json::json;

fn config(scene: &Scene) -> String {
    scene.story.stage.text(".config/moorline/config.toml")
}

#[test]
fn what_is_said_beside_an_announcement_counts_or_is_refused() {
    let mut scene = Scene::begin(&[]);
    let line = scene.line("up");
    let stage = &scene.story.stage;
    let other = KeyPair::generate(&stage.ssh_dir().join("mine"), "ed25519");
    let before = (config(&scene), scene.files());
    for (said, why) in [
        (&["--fingerprint", &*other.fingerprint()][..], "names another host key than"),
        (&["--user", "somebody"], "leave the user out"),
        (&["--relay", "relay"], "leave the relay out"),
        (&["--relay-is-mine-alone"], "leave the relay out"),
        (&["--trust-first-use"], "vouches for the host key"),
    ] {
        let add = [&["add", "colab", "--from", "-", "--yes"], said].concat();
        stage.moorline_reads(&add, &line).fails_with(1, "it cannot be as they said").says(why);
    }
    for (said, why) in [
        (&["--fingerprint", &*other.fingerprint()][..], "names another host key than"),
        (&["--trust-first-use"], "vouches for the host key"),
    ] {
        let repair = [&["repair", "colab", "--from", "-", "--yes"], said].concat();
        stage.moorline_reads(&repair, &line).fails_with(1, "nor can it here").says(why);
    }
    assert_eq!((config(&scene), scene.files()), before, "nothing was written");

    let (print, mine) = (scene.story.runtime.host_key().fingerprint(), stage.home_inside().join(".ssh/mine"));
    let mine = mine.display().to_string();
    let more = ["--fingerprint", &print, "--folder", "/content/work", "--identity", &mine];
    let add = [&["add", "colab", "--from", "-", "--user", scene.story.runtime.user()][..], &more].concat();
    stage.moorline_reads(&add, &line).works("all of this can be");
    let now = config(&scene);
    assert!(now.contains("folder = \"/content/work\"") && now.contains(&mine), "{now}");
}

#[test]
fn a_runtime_that_answers_is_left_by_a_paste_only_if_the_person_says_so() {
    let mut scene = Scene::begin(&[]);
    let line = scene.line("up");
    let paste = |scene: &Scene, arguments: &[&str], line: &str| {
        scene.story.stage.moorline_reads(&[arguments, &["--from", "-"]].concat(), line)
    };
    paste(&scene, &["repair", "colab"], &line).works("nothing is left by this");
    scene.story.cell_authorises_login_key();
    let before = config(&scene);

    let (other, mut second) = scene.another_notebook();
    let there = json!([{ "link": "ngrok", "host": "127.0.0.1", "port": other.port() }]);
    let up = second.say("up", &there, other.user());
    for arguments in [&["repair", "colab"][..], &["add", "colab"], &["add"]] {
        let kept = paste(&scene, arguments, &up).fails_with(1, "nobody was asked");
        kept.says("colab answers where it is").says("say --yes");
    }
    paste(&scene, &["repair", "colab", "--dry-run"], &up).works("it shows").says("this would be asked");
    assert_eq!(config(&scene), before, "it leads where it led");
    scene.story.all_is_well();

    let down = second.say("down", &there, other.user());
    paste(&scene, &["repair", "colab", "--yes"], &down).fails_with(1, "no arrival").says("goodbye");
    assert_eq!(config(&scene), before, "a goodbye leads nowhere");

    paste(&scene, &["repair", "colab", "--yes"], &up).works("they said so").says("announced itself at");
    assert!(config(&scene).contains(&format!("port = {}\n", other.port())), "{}", config(&scene));
    Client::OpenSsh.connects(&scene.story.stage, "colab");
}

#[test]
fn a_paste_takes_no_name_of_another_machine() {
    let scene = Scene::begin(&[]);
    let stage = &scene.story.stage;
    let mut voice = Announcer::with_key(stage, &random_key());
    stage.hide(voice.key());
    let taken = format!("{}\nHost box\n    HostName box.example.org\n", stage.text(".ssh/config"));
    stage.put(".ssh/config", &taken);
    stage.moorline_reads(&["secret", "set", "box", "session-key"], voice.key()).works("it is stored");
    let line = voice.say("up", &json!([{ "link": "ngrok", "host": "127.0.0.1", "port": 9 }]), "root");
    let before = (config(&scene), scene.files());
    for arguments in [&["add", "--from", "-", "--yes"][..], &["add", "box", "--from", "-", "--yes"]] {
        let refused = stage.moorline_reads(arguments, &line).fails_with(1, "the name is taken");
        refused.says("already has `Host box`").says("choose another name");
    }
    assert_eq!((config(&scene), scene.files()), before, "nothing was written");

    stage.put(".ssh/config", taken.replace("Host box", "Host crate"));
    let refused = stage.moorline(&["secret", "new-session-key", "crate"]).fails_with(1, "nor for a key");
    refused.says("crate stands in your own");
    stage.moorline_reads(&["add", "--from", "-"], &line).works("the name is free now").says("ssh box");
}

#[test]
fn a_host_whose_name_begins_like_an_announcement_is_a_host() {
    let mut scene = Scene::begin(&[]);
    let text = "Host trainer\n    HostName ml1.example.org\n    Port 2222\n    User root\n";
    let add = ["add", "trainer", "--from", "-", "--yes", "--dry-run"];
    let read = scene.story.stage.moorline_reads(&add, text).works("it is a place");
    read.says("ml1.example.org");
    // And one of ours whose end is missing is named for what it is.
    let line = scene.line("up");
    let cut = scene.story.stage.moorline_reads(&["repair", "colab", "--from", "-"], &line[..line.len() - 5]);
    cut.fails_with(1, "its end is missing").says("cut short");
}
