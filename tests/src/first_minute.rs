//! A person at the tray who adds a runtime with the mouse, or with the keyboard alone, and counts what it takes.

use std::process::Stdio;
use std::{fmt, fs};

use serde_json::json;

use crate::clients::Client;
use crate::memory;
use crate::notifications::Notifications;
use crate::page::{Driveable, Page};
use crate::processes::{descendants, until};
use crate::screen::{Screen, clipboard, copy};
use crate::story::Story;
use crate::tray::Tray;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const SPACE: char = '\u{e00d}';

/// What a person uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// The mouse.
    Mouse,
    /// The keyboard alone.
    Keyboard,
}

/// What it took, in the window; choosing in the tray's menu comes on top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Rows chosen in the tray's menu.
    pub chosen: usize,
    /// Clicks that paste nothing.
    pub clicks: usize,
    /// Keys pressed.
    pub keys: usize,
    /// Texts pasted.
    pub pastes: usize,
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chosen, clicks, keys, pastes } = self;
        write!(f, "{chosen} in the tray, {clicks} clicks, {keys} keys, {pastes} pastes")
    }
}

/// The person's desk.
#[derive(Debug)]
pub struct Desk {
    /// Their machine and the runtime.
    pub story: Story,
    /// What they use.
    pub hand: Hand,
    /// What it took since [`Desk::begin_leg`].
    pub effort: Effort,
    /// The tray.
    pub tray: Tray,
    /// What was told.
    pub server: Notifications,
    screen: Screen,
    window: Driveable,
    page: Option<Page>,
    pictures: Vec<String>,
    name: String,
}

impl Desk {
    /// Starts the tray of a person who follows nothing yet; its first start shows where a runtime is added. Pictures of
    /// each step begin with this name.
    pub fn new(story: Story, hand: Hand, name: &str) -> Self {
        let screen = Screen::beside_desktop(&story.stage);
        let server = Notifications::start(&story.stage, &["actions", "body"]);
        let window = Driveable::new(&story.stage);
        let tray = Tray::with_agent(&story.stage);
        tray.await_shown();
        let mut desk = Self {
            story,
            hand,
            effort: Effort::default(),
            tray,
            server,
            screen,
            window,
            page: None,
            pictures: Vec::new(),
            name: name.to_owned(),
        };
        desk.sees_window();
        desk.page().await_text("Add a session");
        desk.picture();
        desk
    }

    /// From here on is counted anew.
    pub fn begin_leg(&mut self) {
        self.effort = Effort::default();
    }

    /// The window has come up; takes its wheel.
    pub fn sees_window(&mut self) {
        let (screen, stage) = (&self.screen, &self.story.stage);
        until("the window", || screen.windows(stage) == ["Moorline"]);
        if self.page.is_none() {
            self.page = Some(Page::open(stage, self.window));
        }
    }

    /// The window's page.
    pub fn page(&self) -> &Page {
        self.page.as_ref().expect("the window is open")
    }

    /// Copies this in the notebook, and chooses *Add from clipboard*.
    pub fn adds_from_clipboard(&mut self, text: &str) {
        copy(&self.story.stage, text);
        self.tray.choose("Add from clipboard");
        self.effort.chosen += 1;
    }

    /// Copies this in the notebook, and pastes it into the box.
    pub fn pastes(&mut self, text: &str, button: &str) {
        copy(&self.story.stage, text);
        self.await_element(button);
        self.page().run(&format!("document.getElementById({button:?}).scrollIntoView()"), &json!([]));
        self.picture();
        match self.hand {
            Hand::Mouse => self.page().click(&format!("#{button}")),
            Hand::Keyboard => {
                self.reach(button);
                self.key(ENTER);
            }
        }
        self.effort.pastes += 1;
    }

    /// Presses the button with this id, once it is there.
    pub fn presses(&mut self, button: &str) {
        self.await_element(button);
        self.picture();
        match self.hand {
            Hand::Mouse => {
                self.page().click(&format!("#{button}"));
                self.effort.clicks += 1;
            }
            Hand::Keyboard => {
                self.reach(button);
                self.key(if button == "go-ahead" { ENTER } else { SPACE });
            }
        }
    }

    /// Copies the line that the window shows, runs it on the runtime, and pastes what it printed.
    pub fn runs_the_line(&mut self) {
        self.presses("copy-line");
        let stage = &self.story.stage;
        until("the line in the clipboard", || clipboard(stage, "UTF8_STRING").starts_with('!'));
        let line = clipboard(&self.story.stage, "UTF8_STRING");
        let printed = self.notebook(&line);
        self.pastes(&printed, "paste-answer");
    }

    /// What a notebook prints when it runs this line. The runtimes of these tests keep their host keys elsewhere than in
    /// `/etc/ssh`.
    pub fn notebook(&self, line: &str) -> String {
        let command = line.strip_prefix('!').expect("a line for a notebook begins with !");
        let runtime = &self.story.runtime;
        let keys = runtime.host_key().path.with_extension("pub");
        let command = command.replace("/etc/ssh/ssh_host_*_key.pub", &keys.display().to_string());
        let ran = runtime.machine().command("sh").arg("-c").arg(&command).stdin(Stdio::null()).output();
        let ran = ran.expect("the runtime has a shell");
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// The window says that it is done, plain ssh works, and the tray says online.
    #[track_caller]
    pub fn is_ready(&mut self) {
        self.page().await_text("Ready: ssh colab");
        self.picture();
        self.works();
        assert!(self.page().text().contains("Ready: ssh colab"), "it stays: {}", self.page().text());
    }

    /// Plain ssh works, and the tray says online.
    #[track_caller]
    pub fn works(&self) {
        Client::OpenSsh.connects(&self.story.stage, "colab");
        until("colab to be online", || self.tray.tooltip().starts_with("colab · online"));
    }

    /// Insists on what a leg took at most, and prints it.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "the figures are what the test is run for")]
    pub fn took_at_most(&self, leg: &str, clicks: usize, pastes: usize) {
        println!("{} · {:?} · {leg}: {}", self.name, self.hand, self.effort);
        assert!(self.effort.clicks <= clicks, "{leg}: {} (at most {clicks} clicks)", self.effort);
        assert!(self.effort.pastes <= pastes, "{leg}: {} (at most {pastes} pastes)", self.effort);
        if self.hand == Hand::Keyboard {
            assert_eq!(self.effort.clicks, 0, "by the keyboard alone");
        }
    }

    /// Whether this lies in the memory of the window or of its webview; `None` when that cannot be read.
    pub fn window_remembers(&self, text: &str) -> Option<bool> {
        let all = descendants(self.tray.id());
        let webview = |id: &u32| {
            fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("WebKit"))
        };
        assert!(all.iter().any(webview), "the window has a webview");
        let mut found = false;
        for id in all {
            found |= memory::holds(id, text)?;
        }
        Some(found)
    }

    /// A picture of the page, for people to look at.
    pub fn picture(&mut self) {
        let name = format!("{}-{}", self.name, self.pictures.len() + 1);
        self.page().picture(&name);
        self.pictures.push(name);
    }

    fn await_element(&self, id: &str) {
        let there = format!("return document.getElementById({id:?}) !== null");
        until(&format!("#{id} on the page, which says {:?}", self.page().text()), || {
            self.page().run(&there, &json!([])) == true
        });
    }

    /// Goes to an element by Tab, from where the focus is.
    fn reach(&mut self, id: &str) {
        for _ in 0..60 {
            if self.page().focused() == id {
                return;
            }
            self.key(TAB);
        }
        panic!("#{id} cannot be reached by Tab; the page says {}", self.page().text());
    }

    fn key(&mut self, key: char) {
        self.page().press(key);
        self.effort.keys += 1;
    }
}
