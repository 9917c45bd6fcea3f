//! The tray on a real screen: what the panel is told, what a choice does, and what survives.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::machine::free_port;
use moorline_tests::processes::{descendants, until};
use moorline_tests::tray::{Row, find};
use moorline_tests::{Screen, Stage, Tray};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

#[test]
fn the_menu_is_what_the_agent_says_and_a_choice_reaches_it() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    let labels = |rows: &[Row]| rows.iter().map(|row| row.label.clone()).collect::<Vec<_>>();
    let rest = [
        "-",
        "Add a session…",
        "Add from clipboard",
        "Open Moorline…",
        "Snooze for an hour",
        "Start at login",
        "Quit",
    ];
    assert_eq!(labels(&tray.menu()), [&["No sessions yet"], &rest[..]].concat());
    let idle = tray.icon();

    tray.tell(&snapshot("online", &json!({ "state": "online", "since": "2026-11-21T09:00:00Z" }), "online"));
    tray.await_row("trainer · online");
    let rows = ["trainer · online", "Open in VS Code", "Open in", "Terminal", "More"];
    assert_eq!(labels(&tray.menu()), [&rows[..], &rest[..]].concat());
    assert_ne!(tray.icon(), idle, "the icon follows");
    assert_eq!(tray.tooltip(), "trainer · online");

    tray.choose("PyCharm");
    tray.await_ask(r#"Open { name: Alias("trainer"), editor: Some(PyCharm), folder: None }"#);
    tray.choose("Pause");
    tray.await_ask(r#"Pause(Alias("trainer"))"#);
    tray.choose("Open notebook");
    tray.await_ask(r#"Pressed(OpenNotebook(Alias("trainer")))"#);

    tray.choose("Quit");
    tray.await_end();
}

#[test]
fn a_click_or_a_second_start_shows_the_one_window() {
    let stage = Stage::new();
    let screen = Screen::start(&stage);
    let tray = Tray::with_agent(&stage);
    tray.await_shown();
    assert_eq!(screen.windows(&stage), Vec::<String>::new(), "nothing but the tray at first");
    tray.click();
    until("the window", || screen.windows(&stage) == ["Moorline"]);
    let log = || stage.text(".local/state/moorline/logs/window.log");
    until("the page, which is not blocked by its own rules", || log().contains("the page is up"));

    tray.choose("Open Moorline…");
    for arguments in [&[][..], &["--window"], &["--compare", "trainer"]] {
        stage.run("moorline-tray", arguments).works("the first one is asked");
    }
    assert_eq!(screen.windows(&stage), ["Moorline"], "there is one, however often it is asked for");

    stage.run("wmctrl", &["-c", "Moorline"]).works("the window is closed as a person does");
    until("the window to close", || screen.windows(&stage).is_empty());
    until("nothing to be left of it", || descendants(tray.id()).is_empty());
    tray.click();
    until("the window again", || screen.windows(&stage) == ["Moorline"]);
    tray.choose("Quit");
    tray.await_end();
    until("the window to go with it", || screen.windows(&stage).is_empty());
}

#[test]
fn however_the_tray_ends_its_window_ends_with_it() {
    let stage = Stage::new();
    let screen = Screen::start(&stage);
    for signal in [Signal::TERM, Signal::KILL] {
        let tray = Tray::with_agent(&stage);
        tray.await_shown();
        tray.click();
        until("the window", || screen.windows(&stage) == ["Moorline"]);
        let family = descendants(tray.id());
        assert!(!family.is_empty(), "the window is a process of its own");
        let id = i32::try_from(tray.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
        tray.await_end();
        until(&format!("the window to end after {signal:?}"), || {
            screen.windows(&stage).is_empty() && family.iter().all(|id| !runs(*id))
        });
    }
}

/// Whether there is such a process; one that nobody has buried yet is none.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[test]
fn it_outlives_the_panel() {
    let stage = Stage::new();
    let mut screen = Screen::start(&stage);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    screen.kill_panel(&stage);
    tray.tell(&snapshot("offline", &down(), "down: its tunnel is gone, the machine may still run"));
    screen.start_panel(&stage);
    tray.await_shown();
    tray.await_row("trainer · down: its tunnel is gone, the machine may still run");
}

#[test]
fn without_a_panel_the_window_is_shown_and_a_late_panel_gets_its_tray() {
    let stage = Stage::new();
    let mut screen = Screen::without_panel(&stage);
    let started = Instant::now();
    let tray = Tray::start(&stage);
    until("the window in the tray's place", || screen.windows(&stage) == ["Moorline"]);
    assert!(started.elapsed() >= Duration::from_secs(4), "at login, a panel may come late");
    screen.start_panel(&stage);
    tray.await_shown();
    tray.choose("Quit");
    tray.await_end();
}

#[test]
fn a_crash_stands_in_nobodys_way() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let tray = Tray::with_agent(&stage);
    tray.await_shown();
    tray.kill();
    let tray = Tray::with_agent(&stage);
    tray.await_shown();
    let log = stage.text(".local/state/moorline/logs/tray.log");
    assert!(!log.contains("ERROR"), "nothing went wrong: {log}");
}

#[test]
fn start_at_login_writes_a_file_that_starts_this_very_program() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let tray = Tray::start(&stage);
    tray.await_shown();
    let marked = || find(&tray.menu(), "Start at login").and_then(|row| row.marked);
    assert_eq!(marked(), Some(false));
    tray.choose("Start at login");
    until("the mark", || marked() == Some(true));
    let file = stage.text(".config/autostart/moorline.desktop");
    let program = stage.programs().join("moorline-tray");
    assert!(file.contains(&format!("\nExec=\"{}\"\n", program.display())), "{file}");
    let path = stage.home_inside().join(".config/autostart/moorline.desktop");
    stage.run("desktop-file-validate", &[&path.to_string_lossy()]).works("the file is valid");
    tray.choose("Start at login");
    until("the mark to go", || marked() == Some(false));
    assert!(stage.get(".config/autostart/moorline.desktop").is_empty(), "and the file with it");
}

#[test]
fn a_password_can_be_copied_concealed() {
    const PASSWORD: &str = "correct-horse-battery";
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    stage.hide(PASSWORD);
    stage.knows_host("127.0.0.1", "gpu.example.org");
    let cell = format!("ssh -p {} root@gpu.example.org\nRoot password: {PASSWORD}\n", free_port());
    let added = stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], &cell);
    added.works("a session with a password is there");
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    let clipboard =
        |target: &str| stage.run("xclip", &["-o", "-selection", "clipboard", "-t", target]).stdout;
    let online = json!({ "state": "online", "since": "2026-11-21T09:00:00Z" });
    let mut now = snapshot("online", &online, "online");
    now["snapshot"]["sessions"][0]["name"] = json!("colab");
    now["snapshot"]["sessions"][0]["password_only"] = json!(true);
    tray.tell(&now);
    tray.await_row("Copy password");
    tray.choose("Copy ssh command");
    until("the command", || clipboard("UTF8_STRING") == "ssh colab");
    tray.choose("Copy password");
    until("the password", || clipboard("UTF8_STRING") == PASSWORD);
    assert_eq!(clipboard("x-kde-passwordManagerHint"), "secret", "clipboard histories leave it out");
    let since = Instant::now();
    while clipboard("UTF8_STRING") == PASSWORD {
        assert!(since.elapsed() < Duration::from_secs(40), "it is taken away after 30 s");
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(since.elapsed() > Duration::from_secs(20), "there is time to paste it");
}

/// What the agent would say of one session.
fn snapshot(light: &str, health: &Value, state: &str) -> Value {
    json!({ "snapshot": {
        "light": light,
        "sessions": [{
            "name": "trainer", "link": "relay", "endpoint": "127.0.0.1:7423", "health": health, "state": state,
            "vitals": null, "ends": null, "last_editor": null, "editors": ["vscode", "pycharm", "terminal"],
            "password_only": false, "has_notebook": true, "action": null,
        }],
        "snoozed_until": null,
        "starts_at_login": false,
    } })
}

fn down() -> Value {
    json!({ "state": "down", "cause": { "kind": "tunnel-down" }, "since": "2026-11-21T09:00:00Z" })
}
