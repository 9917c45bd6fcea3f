//! Opening a session from the tray's menu: what exactly is started, and what is remembered.
#![cfg(target_os = "linux")]

use moorline_tests::machine::free_port;
use moorline_tests::processes::until;
use moorline_tests::tray::{Row, find};
use moorline_tests::{Desktop, Notifications, Screen, Stage, Tray};

/// A program that writes its arguments down, one a line, and a line of dashes after each start.
fn recorded(stage: &Stage, name: &str) {
    let log = stage.runtime_dir().join(format!("{name}.started"));
    stage.put_program(
        name,
        &format!(
            "#!/bin/sh\n{{ for word in \"$@\"; do printf '%s\\n' \"$word\"; done; echo ----; }} >>'{}'\n",
            log.display()
        ),
    );
}

/// Installs a program for links of this scheme, as its package would.
fn takes_links(stage: &Stage, scheme: &str) {
    let folder = ".local/share/applications";
    let entry = "[Desktop Entry]\nType=Application\nName=Made up\nExec=true %u\n";
    stage.put(&format!("{folder}/made-up-{scheme}.desktop"), entry);
    let before = stage.text(&format!("{folder}/mimeapps.list"));
    let begun = if before.is_empty() { "[Default Applications]\n".to_owned() } else { before };
    let list = format!("{begun}x-scheme-handler/{scheme}=made-up-{scheme}.desktop\n");
    stage.put(&format!("{folder}/mimeapps.list"), list);
}

fn await_start(stage: &Stage, name: &str, nth: usize) -> Vec<String> {
    let log = stage.runtime_dir().join(format!("{name}.started"));
    let starts = || -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let whole = text.rfind("----\n").map_or("", |end| &text[..end + 5]);
        let starts = whole.split_terminator("----\n");
        starts.map(|start| start.lines().map(str::to_owned).collect()).collect()
    };
    until(&format!("start {nth} of {name}"), || starts().len() >= nth);
    let mut starts = starts();
    assert_eq!(starts.len(), nth, "no more often than that: {starts:?}");
    starts.remove(nth - 1)
}

/// A desktop with one session, whose runtime need not answer for this.
fn with_a_session() -> (Stage, Screen) {
    let stage = Stage::new();
    let desktop = Desktop::start(&stage);
    let screen = Screen::around(&stage, desktop);
    stage.knows_host("127.0.0.1", "gpu.example.org");
    let text = format!("ssh -p {} root@gpu.example.org\n", free_port());
    stage.moorline_reads(&["add", "colab", "--from", "-", "--yes"], &text).works("it is added all the same");
    (stage, screen)
}

fn started(stage: &Stage) -> Tray {
    let tray = Tray::with_agent(stage);
    tray.await_shown();
    tray.await_row("Terminal");
    until("the editors to be found", || {
        find(&tray.menu(), "PyCharm").is_some() || first(&tray).contains("PyCharm")
    });
    tray
}

/// The row that opens the editor that was used last.
fn first(tray: &Tray) -> String {
    let is_open = |row: &&Row| row.label.starts_with("Open in ");
    tray.menu().iter().find(is_open).map(|row| row.label.clone()).unwrap_or_default()
}

#[test]
fn vs_code_pycharm_and_a_terminal_are_started_with_exactly_these_words() {
    let (stage, _screen) = with_a_session();
    for name in ["code", "jetbrains-toolbox", "xdg-open", "xfce4-terminal"] {
        recorded(&stage, name);
    }
    takes_links(&stage, "jetbrains");
    stage.set_env("TERMINAL", "xfce4-terminal");
    let tray = started(&stage);
    assert_eq!(first(&tray), "Open in VS Code");

    tray.choose("Open in VS Code");
    let uri = "--folder-uri=vscode-remote://ssh-remote+colab/content";
    assert_eq!(await_start(&stage, "code", 1), [uri]);
    tray.choose("Terminal");
    assert_eq!(await_start(&stage, "xfce4-terminal", 1), ["-x", "ssh", "colab"]);
    tray.choose("PyCharm");
    let link = "jetbrains://gateway/ssh/environment?h=colab&launchIde=true&ideHint=PY&projectHint=%2Fcontent";
    assert_eq!(await_start(&stage, "xdg-open", 1), [link]);
    until("PyCharm to be first", || first(&tray) == "Open in PyCharm");

    // Another folder from the command line's side of the same memory; then a crash.
    until("it to be remembered", || stage.text(".config/moorline/config.toml").contains("pycharm"));
    tray.kill();
    let tray = started(&stage);
    assert_eq!(first(&tray), "Open in PyCharm", "remembered");
    tray.choose("Open in PyCharm");
    assert_eq!(await_start(&stage, "xdg-open", 2), [link]);
    assert_eq!(await_start(&stage, "code", 1), [uri], "nothing else was started");
}

#[test]
fn without_toolbox_gateway_is_asked_and_without_both_one_is_told_what_to_install() {
    let (stage, _screen) = with_a_session();
    recorded(&stage, "xdg-open");
    let server = Notifications::start(&stage, &["actions", "body"]);
    let tray = started(&stage);
    tray.choose("PyCharm");
    let told = server.await_sent(1);
    assert_eq!(told.title, "colab could not be opened");
    assert!(
        told.body.contains("install Toolbox from https://www.jetbrains.com/toolbox-app/"),
        "{}",
        told.body
    );

    recorded(&stage, "jetbrains-gateway");
    takes_links(&stage, "jetbrains-gateway");
    tray.choose("Open in PyCharm");
    let link = "jetbrains-gateway://connect#type=ssh&host=colab&port=22&user=root&projectPath=%2Fcontent";
    assert_eq!(await_start(&stage, "xdg-open", 1), [link]);
}

#[test]
fn a_link_that_nothing_takes_is_not_said_to_be_opened() {
    let (stage, _screen) = with_a_session();
    recorded(&stage, "xdg-open");
    let log = stage.runtime_dir().join("xdg-open.started");
    let refused = stage.moorline(&["open", "colab", "--in", "vscode"]);
    let refused = refused.fails_with(1, "there is neither VS Code nor anything else for its links");
    refused.says("nothing here takes vscode: links").says("https://code.visualstudio.com");
    recorded(&stage, "jetbrains-toolbox");
    let refused = stage.moorline(&["open", "colab", "--in", "pycharm"]);
    refused.fails_with(1, "Toolbox never ran").says("start Toolbox once");
    assert!(!log.exists(), "no browser was asked to open it");

    takes_links(&stage, "vscode");
    stage
        .moorline(&["open", "colab", "--in", "vscode"])
        .works("something takes the link")
        .says("opened colab");
    let link = "vscode://vscode-remote/ssh-remote+colab/content?windowId=_blank";
    assert_eq!(await_start(&stage, "xdg-open", 1), [link]);
}
