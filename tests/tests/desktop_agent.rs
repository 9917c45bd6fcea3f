//! The tray with its agent inside, against a real machine.
#![cfg(target_os = "linux")]

use moorline_tests::processes::until;
use moorline_tests::{Notifications, Screen, Story, Tray};

#[test]
fn the_tray_tells_of_a_drop_with_its_cause_and_of_the_return_after_the_files() {
    let mut story = Story::begin();
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    let screen = Screen::beside_desktop(&story.stage);
    let server = Notifications::start(&story.stage, &["actions", "body"]);
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    let online = tray.icon();

    story.stage.run("moorline-tray", &["--window"]).works("a second start asks the first");
    until("the window", || screen.windows(&story.stage) == ["Moorline"]);
    story.stage.moorline(&["watch"]).fails_with(1, "there is one agent").says("runs already");

    story.runtime.stop();
    let dropped = server.await_sent(1);
    assert!(
        dropped.title.starts_with("colab dropped: its tunnel is gone"),
        "the cause comes first: {dropped:?}"
    );
    until("the tooltip to follow", || tray.tooltip().starts_with("colab · down: its tunnel is gone"));
    assert_ne!(tray.icon(), online, "the icon follows");

    let config = story.stage.text(".ssh/config").replace(&format!("Port {port}"), "Port 9");
    story.stage.put(".ssh/config", config);
    story.runtime.serve_keys_of(0);
    let back = server.await_sent(2);
    assert_eq!(back.title, "colab is back on the same machine");
    assert_eq!(back.replaces, dropped.id, "one notification a session");
    story.all_is_well();
    until("the icon to be as before", || tray.icon() == online);
    tray.choose("Quit");
    tray.await_end();
}
