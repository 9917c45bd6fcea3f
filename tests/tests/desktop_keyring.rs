//! A keyring that is locked when the tray starts.
#![cfg(target_os = "linux")]

use moorline_tests::machine::Machine;
use moorline_tests::processes::until;
use moorline_tests::{Notifications, Screen, Story, Tray};

#[test]
fn a_locked_keyring_is_said_once_and_unlocking_it_is_all_it_takes() {
    if !Machine::takes_passwords() {
        eprintln!("skipped: only root can run an sshd that takes a password of the test's own");
        return;
    }
    let story = Story::begin();
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    // An empty disk, so that the password is needed; and nobody has unlocked the keyring yet.
    story.runtime.machine().wipe();
    story.desktop.lock_keyring(&story.stage);
    let _screen = Screen::beside_desktop(&story.stage);
    let server = Notifications::start(&story.stage, &["actions", "body"]);
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    let told = server.await_sent(1);
    assert_eq!(told.title, "colab needs a password, and the keyring is locked");
    assert_eq!(told.body, "Unlock the keyring; Moorline goes on by itself then.");
    until("the tray to say so", || tray.tooltip() == "colab · waits for the keyring, which is locked");

    story.desktop.unlock_keyring(&story.stage);
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    story.all_is_well();
    assert!(
        server.sent().iter().all(|sent| !sent.title.contains("keyring") || sent.id == told.id),
        "said once"
    );
    assert_eq!(server.sent().iter().filter(|sent| sent.title.contains("keyring")).count(), 1);
}
