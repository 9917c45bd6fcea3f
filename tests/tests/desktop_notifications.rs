//! Notifications against a server of the test's own.
#![cfg(target_os = "linux")]

use moorline_tests::bus::session_bus;
use moorline_tests::{Notifications, Screen, Stage, Tray};
use serde_json::{Value, json};

#[test]
fn a_notice_replaces_the_one_before_it_and_its_buttons_come_back() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let server = Notifications::start(&stage, &["actions", "body", "body-markup"]);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    let alias = "trainer";
    tray.tell(&notice(
        "dropped",
        "trainer dropped",
        "Its <tunnel> is gone.",
        &json!([
            { "open-notebook": alias }, { "repair": alias },
        ]),
    ));
    let dropped = server.await_sent(1);
    assert_eq!((dropped.title.as_str(), dropped.replaces), ("trainer dropped", 0));
    assert_eq!(dropped.body, "Its &lt;tunnel&gt; is gone.", "text is no markup");
    assert_eq!(dropped.actions, ["default", "Open notebook", "0", "Open notebook", "1", "Repair"]);
    server.press(dropped.id, "default");
    tray.await_ask(r#"Pressed(OpenNotebook(Alias("trainer")))"#);
    server.press(dropped.id, "1");
    tray.await_ask(r#"Pressed(Repair(Alias("trainer")))"#);

    tray.tell(&notice("back", "trainer is back", "On the same machine.", &json!([{ "open-editor": alias }])));
    let back = server.await_sent(2);
    assert_eq!(back.replaces, dropped.id, "one notification a session");
    server.press(back.id, "0");
    tray.await_ask(r#"Pressed(OpenEditor(Alias("trainer")))"#);

    tray.tell(&json!({ "unnotify": "trainer" }));
    server.await_closed(back.id);
}

#[test]
fn a_new_key_is_compared_in_the_window_only() {
    let stage = Stage::new();
    let screen = Screen::start(&stage);
    let server = Notifications::start(&stage, &["actions"]);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    tray.tell(&notice(
        "needed",
        "trainer shows a fingerprint seen for the first time",
        "",
        &json!([{ "compare": "trainer" }]),
    ));
    let sent = server.await_sent(1);
    let check = "Check that it is yours…";
    assert_eq!(sent.actions, ["default", check, "0", check], "no button approves a key");
    assert_eq!(sent.lasts, 0, "it stays until somebody deals with it");
    server.press(sent.id, "default");
    moorline_tests::processes::until("the window", || screen.windows(&stage) == ["Moorline"]);
}

#[test]
fn a_server_without_buttons_gets_none() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let server = Notifications::start(&stage, &["body"]);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    tray.tell(&notice("disk", "trainer's disk is nearly full", "3 % are left & falling.", &json!([])));
    let sent = server.await_sent(1);
    assert_eq!(sent.actions, [""; 0]);
    assert_eq!(sent.body, "3 % are left & falling.", "without markup, text stays as it is");
}

#[test]
fn only_who_shows_a_notification_can_press_its_buttons_or_close_it() {
    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let server = Notifications::start(&stage, &["actions"]);
    let mut tray = Tray::start(&stage);
    tray.await_shown();
    let actions = json!([{ "open-notebook": "trainer" }, { "repair": "trainer" }]);
    tray.tell(&notice("dropped", "trainer dropped", "Its tunnel is gone.", &actions));
    let sent = server.await_sent(1);

    let other = session_bus(&stage);
    for to in [None, Some(sent.from.as_str())] {
        other.emit_signal(to, PATH, NAME, "ActionInvoked", &(sent.id, "default")).unwrap();
        other.emit_signal(to, PATH, NAME, "NotificationClosed", &(sent.id, 2u32)).unwrap();
    }
    // An answer of the bus comes after what it was sent before.
    other.call_method(Some("org.freedesktop.DBus"), "/", Some("org.freedesktop.DBus"), "GetId", &()).unwrap();
    server.press(sent.id, "1");
    let repair = r#"Pressed(Repair(Alias("trainer")))"#;
    tray.await_ask(repair);
    assert_eq!(tray.asked(), [repair], "what others sent did nothing");
}

fn notice(kind: &str, title: &str, body: &str, actions: &Value) -> Value {
    json!({ "notify": {
        "slot": "trainer", "kind": kind, "sessions": ["trainer"], "title": title, "body": body, "actions": actions,
    } })
}
