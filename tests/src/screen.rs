//! A screen with a window manager and a panel that shows trays, all private to a stage.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::bus::WATCHER;
use crate::desktop::{Desktop, name_is_owned};
use crate::processes::{Program, until};
use crate::stage::Stage;

/// The person's screen.
#[derive(Debug)]
pub struct Screen {
    // Dropped in this order: the panel and the window manager need the display.
    panel: Option<Program>,
    _windows: Program,
    _display: Program,
    _desktop: Option<Desktop>,
}

impl Screen {
    /// A screen with everything on it.
    pub fn start(stage: &Stage) -> Self {
        let mut screen = Self::without_panel(stage);
        screen.start_panel(stage);
        screen
    }

    /// A screen for a stage that has its [`Desktop`] already.
    pub fn beside_desktop(stage: &Stage) -> Self {
        let mut screen = Self::bare(stage, |_| None);
        screen.start_panel(stage);
        screen
    }

    /// A screen that takes over this [`Desktop`].
    pub fn around(stage: &Stage, desktop: Desktop) -> Self {
        let mut screen = Self::bare(stage, |_| Some(desktop));
        screen.start_panel(stage);
        screen
    }

    /// A screen on which nothing shows trays, as a plain GNOME's.
    pub fn without_panel(stage: &Stage) -> Self {
        Self::bare(stage, |stage| Some(Desktop::start(stage)))
    }

    fn bare(stage: &Stage, desktop: impl FnOnce(&Stage) -> Option<Desktop>) -> Self {
        let display = start_display(stage);
        for (name, value) in [
            ("XDG_SESSION_TYPE", "x11"),
            ("XDG_CURRENT_DESKTOP", "XFCE"),
            ("GDK_BACKEND", "x11"),
            ("NO_AT_BRIDGE", "1"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
        ] {
            stage.set_env(name, value);
        }
        let desktop = desktop(stage);
        let mut command = stage.command("xfwm4");
        command.arg("--compositor=off").stdout(Stdio::null()).stderr(stage.log("xfwm4"));
        let windows = Program::start(command);
        Self { panel: None, _windows: windows, _display: display, _desktop: desktop }
    }

    /// Starts the panel and waits until it takes trays.
    pub fn start_panel(&mut self, stage: &Stage) {
        stage.put(".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", PANEL);
        let mut command = stage.command("xfce4-panel");
        command.arg("--disable-wm-check").stdout(Stdio::null()).stderr(stage.log("panel"));
        let mut panel = Program::start(command);
        panel.await_ready(|| name_is_owned(stage, WATCHER), || stage.read_log("panel"));
        self.panel = Some(panel);
    }

    /// The panel crashes.
    pub fn kill_panel(&mut self, stage: &Stage) {
        self.panel = None;
        until("the panel's name to be free", || !name_is_owned(stage, WATCHER));
    }

    /// The titles of the windows on the screen, the panel's left out.
    pub fn windows(&self, stage: &Stage) -> Vec<String> {
        let listed = stage.run("wmctrl", &["-l"]);
        let titles = listed.stdout.lines().filter_map(|line| line.splitn(5, [' ', '\t']).last());
        let titles = titles.map(|title| title.split_once(' ').map_or(title, |(_, title)| title).to_owned());
        titles.filter(|title| title != "xfce4-panel").collect()
    }
}

/// Somebody copies a text; what holds it on the clipboard stays in the background.
pub fn copy(stage: &Stage, text: &str) {
    let mut command = stage.command("xclip");
    command.args(["-i", "-selection", "clipboard"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("xclip is installed");
    let mut stdin = child.stdin.take().expect("its input is piped");
    stdin.write_all(text.as_bytes()).expect("xclip reads");
    drop(stdin);
    assert!(child.wait().expect("xclip goes to the background").success(), "xclip takes the text");
}

/// What lies on the clipboard in this format; empty when nothing does.
pub fn clipboard(stage: &Stage, format: &str) -> String {
    stage.run("xclip", &["-o", "-selection", "clipboard", "-t", format]).stdout
}

/// Xvfb finds a free display number by itself, and says it when it is ready.
fn start_display(stage: &Stage) -> Program {
    let mut command = stage.command("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stage.log("xvfb"));
    let mut child = command.spawn().expect("Xvfb is installed");
    let mut number = String::new();
    let stdout = child.stdout.take().expect("its output is piped");
    BufReader::new(stdout).read_line(&mut number).expect("Xvfb says its number");
    assert!(!number.is_empty(), "Xvfb does not start:\n{}", stage.read_log("xvfb"));
    stage.set_env("DISPLAY", format!(":{}", number.trim()));
    Program::adopt(child, "Xvfb")
}

/// One panel with a list of windows and the tray.
const PANEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="double" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="systray">
      <property name="icon-size" type="int" value="22"/>
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"#;
