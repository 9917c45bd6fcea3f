//! The tray with its agent inside, against a real machine.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::sync::{Mutex, PoisonError, mpsc};

use moorline_tests::machine::{Machine, free_port};
use moorline_tests::processes::until;
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::{Notifications, Relay, Screen, Stage, Story, Tray, Watching};

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
        dropped.title.starts_with("colab dropped: no SSH server is at its address"),
        "the cause comes first: {dropped:?}"
    );
    until("the tooltip to follow", || {
        tray.tooltip().starts_with("colab · down: no SSH server is at its address")
    });
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
    let log = story.stage.text(".local/state/moorline/logs/tray.log");
    for happened in
        [&*dropped.title, "colab is back on the same machine", "online", "the ssh files are in order"]
    {
        let is_told = |line: &&str| line.contains(" INFO ") && line.contains(happened);
        assert!(log.lines().find(is_told).is_some(), "{happened:?} is in the log: {log}");
    }
    assert!(!log.contains(story.runtime.password()), "and no secret");
}

/// Whether plain ssh works at the very moment a notification arrives, by its title.
fn proven_at_once(stage: &Stage) -> (mpsc::Receiver<(String, bool)>, Notifications) {
    let (tell, proven) = mpsc::channel();
    let mut ssh = stage.command("ssh");
    ssh.args(["-o", "BatchMode=yes", "colab", "true"]);
    ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ssh = Mutex::new(ssh);
    let server = Notifications::start_and(stage, &["actions", "body"], move |sent| {
        let mut ssh = ssh.lock().unwrap_or_else(PoisonError::into_inner);
        let works = ssh.status().is_ok_and(|status| status.success());
        let _ = tell.send((sent.title.clone(), works));
    });
    (proven, server)
}

#[test]
fn behind_one_s_own_relay_the_alias_works_when_the_new_machine_is_told_of() {
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh -p{port} {user}@127.0.0.1\nRoot password: {password}\n");
    let arguments = ["add", "colab", "--relay", "relay", "--relay-is-mine-alone"];
    story.paste(&arguments, &cell).works("the relay vouches for the key");
    story.help_login_without_root();
    let _screen = Screen::beside_desktop(&story.stage);
    let (proven, server) = proven_at_once(&story.stage);
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    until("the machine to be known", || tray.tooltip().contains("RAM"));

    story.runtime.stop();
    let dropped = server.await_sent(1);
    assert!(dropped.title.starts_with("colab dropped: "), "{dropped:?}");
    story.runtime.restart();
    if !Machine::takes_passwords() {
        story.cell_authorises_login_key();
    }
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let back = server.await_sent(2);
    assert_eq!(
        (back.title.as_str(), back.replaces),
        ("colab has a new machine; the disk is empty", dropped.id)
    );
    let proven: Vec<(String, bool)> = proven.try_iter().collect();
    assert_eq!(proven, [(dropped.title, false), (back.title, true)], "who is told can use it at once");
    story.all_is_well();
}

#[test]
fn a_crash_of_the_tray_loses_nothing_and_tells_nothing_twice() {
    let mut story = Story::begin();
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    let _screen = Screen::beside_desktop(&story.stage);
    let server = Notifications::start(&story.stage, &["actions", "body"]);
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    let files = [".ssh/config", ".ssh/known_hosts", ".local/state/moorline/pins.json"];
    let before = files.map(|path| (path, story.stage.text(path)));
    story.runtime.stop();
    server.await_sent(1);
    tray.kill();

    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("the drop to be known", || tray.tooltip().starts_with("colab · down"));
    story.runtime.serve_keys_of(0);
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
    until("the machine to be known", || tray.tooltip().contains("RAM"));
    let back = server.await_sent(2);
    assert_eq!(back.title, "colab is back on the same machine", "the drop was told before the crash");
    assert_eq!(server.sent().len(), 2, "and only then: {:?}", server.sent());
    assert_eq!(files.map(|path| (path, story.stage.text(path))), before);
    story.all_is_well();

    tray.choose("Pause");
    until("it to be remembered", || {
        story.stage.text(".config/moorline/config.toml").contains("paused = true")
    });
    tray.kill();
    let tray = Tray::with_agent(&story.stage);
    tray.await_shown();
    until("it to be paused still", || tray.tooltip() == "colab · paused");
    tray.choose("Resume");
    until("colab to be online", || tray.tooltip().starts_with("colab · online"));
}

#[test]
fn beside_moorline_watch_the_tray_says_why_it_does_not_start() {
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let server = Notifications::start(&stage, &["body"]);
    let watching = Watching::start(&stage);
    let second = stage.run("moorline-tray", &[]);
    second.fails_with(1, "there is one agent").says("a terminal watches your sessions already");
    let told = server.await_sent(1);
    assert_eq!(told.title, "Moorline does not start");
    assert!(told.body.contains("end it (Ctrl-C in that terminal)"), "{}", told.body);
    assert!(watching.interrupt().success(), "it went on all the while");
}
