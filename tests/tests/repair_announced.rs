//! `moorline repair` by itself, without an agent, when the session's channels hold an announcement.
#![cfg(target_os = "linux")]

use moorline_tests::clients::Client;
use moorline_tests::{Announcer, Scene};
use serde_json::json;

#[test]
fn a_runtime_that_answers_keeps_its_session_until_a_person_says_otherwise() {
    let (mut scene, watching) = Scene::online(&["ntfy"]);
    assert!(watching.interrupt().success());
    let repair =
        |scene: &Scene, more: &[&str]| scene.story.stage.moorline(&[&["repair", "colab"][..], more].concat());
    let config = |scene: &Scene| scene.story.stage.text(".config/moorline/config.toml");
    let leads_to = |port: u16| format!("port = {port}\n");
    let before = config(&scene);
    let none = repair(&scene, &["--take-over"]).fails_with(1, "there is no other");
    none.says("announces itself nowhere else");

    let (mut other, _second) = scene.another_notebook();
    let kept = repair(&scene, &[]).works("what answers is mended");
    kept.says("colab answers where it is").says("moorline repair colab --take-over").says("Ready: ssh colab");
    assert_eq!(config(&scene), before, "it leads where it led");
    assert!(!other.machine().log().contains("Accepted"), "nobody logged in at the other one");
    repair(&scene, &["--dry-run"]).works("nor is it said that it would").says("--take-over");

    repair(&scene, &["--take-over"])
        .works("the person said so, and no agent runs")
        .says("announced itself at");
    assert!(config(&scene).contains(&leads_to(other.port())), "{}", config(&scene));
    Client::OpenSsh.connects(&scene.story.stage, "colab");

    // What is gone is left without a question.
    other.stop();
    scene.another_machine();
    scene.voice.reborn();
    scene.voice.reborn();
    scene.voice.reborn();
    let line = scene.line("up");
    scene.ntfy.publish(scene.voice.topic(), &line);
    repair(&scene, &[]).works("the next one is followed").says("Ready: ssh colab");
    assert!(config(&scene).contains(&leads_to(scene.story.runtime.port())), "{}", config(&scene));
    scene.story.all_is_well();
}

#[test]
fn a_goodbye_leaves_nothing_to_follow() {
    let (scene, watching) = Scene::online(&["ntfy"]);
    assert!(watching.interrupt().success());
    let mut second = Announcer::with_key(&scene.story.stage, scene.voice.key());
    second.reborn();
    second.reborn();
    let there = json!([{ "link": "ngrok", "host": "127.0.0.1", "port": 9 }]);
    for kind in ["up", "down"] {
        let line = second.say(kind, &there, scene.story.runtime.user());
        scene.ntfy.publish(scene.voice.topic(), &line);
    }
    let repaired = scene.story.stage.moorline(&["repair", "colab"]).works("what answers is mended");
    assert!(!repaired.stdout.contains("--take-over"), "{repaired}");
    scene.story.all_is_well();
}
