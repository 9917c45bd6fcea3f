//! A key that nobody vouched for, from the notification to the working alias, in the real window.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use moorline_tests::page::Driveable;
use moorline_tests::processes::until;
use moorline_tests::{Notifications, Page, Runtime, Screen, Story, Tray};
use serde_json::json;

const TAB: char = '\u{e004}';
const SPACE: char = '\u{e00d}';

struct Desk {
    story: Story,
    screen: Screen,
    server: Notifications,
    tray: Tray,
    window: Driveable,
}

/// A session at an address that it keeps, online, with the tray on a real screen.
fn online() -> Desk {
    let story = Story::begin();
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    let screen = Screen::beside_desktop(&story.stage);
    let server = Notifications::start(&story.stage, &["actions", "body"]);
    let window = Driveable::new(&story.stage);
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    Desk { story, screen, server, tray, window }
}

/// The runtime restarts with another key; the person clicks on what they are told.
fn comparing(desk: &mut Desk) -> Page {
    desk.story.runtime.restart_on_same_port();
    // On a slow machine the time without a runtime is long enough for a drop.
    let told = desk.server.await_titled("colab shows a fingerprint seen for the first time");
    desk.server.press(told.id, "default");
    until("the window", || desk.screen.windows(&desk.story.stage) == ["Moorline"]);
    Page::open(&desk.story.stage, desk.window)
}

#[test]
fn from_the_notification_over_the_compare_view_to_a_working_alias() {
    let mut desk = online();
    let before = desk.story.runtime.host_key().fingerprint();
    let page = comparing(&mut desk);
    let key = desk.story.runtime.host_key().clone();
    page.await_text(&key.fingerprint());
    let text = page.text();
    assert!(text.contains(&before) && text.contains("given by you"), "how the old one was learned: {text}");
    assert!(text.contains("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"), "{text}");
    assert_eq!(page.run("return document.querySelector('#approve').disabled", &json!([])), true);

    // The notebook's output, of another key first; then from the keyboard alone.
    page.write("#pasted", "256 SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDUHWcXEYmo5OUYUwM root@x (ED25519)");
    page.await_text("another fingerprint: this is not your machine");
    assert_eq!(page.run("return document.querySelector('#approve').disabled", &json!([])), true);
    page.run(
        "const field = document.querySelector('#pasted'); field.value = ''; \
         field.dispatchEvent(new Event('input', { bubbles: true })); field.focus()",
        &json!([]),
    );
    let public = key.path.with_extension("pub");
    let printed = desk.story.runtime.machine().command("ssh-keygen").arg("-lf").arg(public).output().unwrap();
    page.write("#pasted", String::from_utf8_lossy(&printed.stdout).trim());
    page.await_text("The notebook shows the same fingerprint");
    page.picture("compare");
    for step in ["compared", "approve"] {
        page.press(TAB);
        assert_eq!(page.focused(), step, "by the keyboard");
    }
    page.press(SPACE);
    desk.story.help_login_without_root();
    page.await_text("ssh colab works");
    desk.story.all_is_well();
    desk.tray.choose("Quit");
    desk.tray.await_end();
}

#[test]
fn a_key_that_is_swapped_between_showing_and_approving_is_refused() {
    let mut desk = online();
    let page = comparing(&mut desk);
    page.await_text(&desk.story.runtime.host_key().fingerprint());
    page.click("#compared");
    let paths = [".ssh/config", ".ssh/known_hosts", ".local/state/moorline/pins.json"];
    let before = paths.map(|path| (path, desk.story.stage.text(path)));
    let swap = |runtime: &mut Runtime| {
        runtime.restart_on_same_port();
        page.run("const form = document.querySelector('form'); if (form) form.requestSubmit()", &json!([]));
    };
    swap(&mut desk.story.runtime);
    // Where the look came while the runtime was away, it may take its full 15 s, and the next by itself is some time
    // off: a person asks for it, now and again.
    let refused = "Another fingerprint is shown now than the one you compared. Nothing was changed.";
    let (begun, mut asked) = (Instant::now(), Instant::now());
    while !page.text().contains(refused) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the page says {:?}", page.text());
        if asked.elapsed() > Duration::from_secs(1) {
            page.run("document.querySelector('#again')?.click()", &json!([]));
            asked = Instant::now();
        }
        let shown = desk.story.runtime.host_key().fingerprint();
        if page.text().contains(&shown) && !page.text().contains(refused) {
            // The swap was seen before the approval came, and shown: that is the next one to be compared.
            page.click("#compared");
            swap(&mut desk.story.runtime);
        }
    }
    page.await_text(&desk.story.runtime.host_key().fingerprint());
    assert_eq!(page.run("return document.querySelector('#approve').disabled", &json!([])), true);
    page.picture("swapped");
    for (path, text) in before {
        assert_eq!(desk.story.stage.text(path), text, "{path} is as it was");
    }
    let sent = desk.server.sent();
    assert!(
        sent.iter().all(|sent| !sent.title.contains("is back") && !sent.title.contains("new machine")),
        "{sent:?}"
    );
}

#[test]
fn forgetting_is_asked_in_the_window_first() {
    let desk = online();
    desk.tray.choose("Forget…");
    until("the window", || desk.screen.windows(&desk.story.stage) == ["Moorline"]);
    let page = Page::open(&desk.story.stage, desk.window);
    page.await_text("Forget colab?");
    assert!(desk.story.stage.text(".ssh/config").contains("Host colab\n"), "nothing before the answer");
    page.picture("forget");
    page.click("#do-forget");
    desk.tray.await_row("No sessions yet");
    page.await_text("No sessions yet");
    assert!(!desk.story.stage.text(".ssh/config").contains("colab"), "it is gone");
}
