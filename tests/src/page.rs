//! The window's page, driven as a person would: through WebKit's own WebDriver (W3C WebDriver, 2018).

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::machine::free_port;
use crate::processes::{Program, until};
use crate::stage::Stage;

/// Where an element's id stands in an answer (W3C WebDriver, 12.3).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Lets windows that are started from now on be driven; where to reach them.
#[derive(Debug, Clone, Copy)]
pub struct Driveable {
    port: u16,
}

/// A window's page.
#[derive(Debug)]
pub struct Page {
    _driver: Program,
    port: u16,
    session: String,
}

impl Driveable {
    /// Must come before the tray is started, which hands its environment on to the window.
    pub fn new(stage: &Stage) -> Self {
        let port = free_port();
        stage.set_env("WEBKIT_INSPECTOR_SERVER", format!("127.0.0.1:{port}"));
        stage.set_env("TAURI_WEBVIEW_AUTOMATION", "true");
        Self { port }
    }
}

impl Page {
    /// Takes the wheel of the window that is open.
    ///
    /// # Panics
    /// When there is none.
    pub fn open(stage: &Stage, window: Driveable) -> Self {
        until("the window to be driveable", || TcpStream::connect(("127.0.0.1", window.port)).is_ok());
        let port = free_port();
        let mut command: Command = stage.command("WebKitWebDriver");
        command.args([format!("--port={port}"), format!("--target=127.0.0.1:{}", window.port)]);
        command.stdout(Stdio::null()).stderr(stage.log("webdriver"));
        let mut driver = Program::start(command);
        driver
            .await_ready(|| TcpStream::connect(("127.0.0.1", port)).is_ok(), || stage.read_log("webdriver"));
        let mut page = Self { _driver: driver, port, session: String::new() };
        let begun = page.say("POST", "/session", &json!({ "capabilities": {} }));
        let session = begun["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {begun}"));
        page.session = format!("/session/{session}");
        page
    }

    /// All that can be read on the page.
    pub fn text(&self) -> String {
        let said = self.run("return document.body.innerText", &json!([]));
        said.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says this.
    ///
    /// # Panics
    /// After a minute: a step of the page may be a login over a network.
    #[track_caller]
    pub fn await_text(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.text();
            if text.contains(wanted) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "waited a minute in vain for {wanted:?} on the page, which says {text:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a script returns.
    pub fn run(&self, script: &str, arguments: &Value) -> Value {
        self.ask("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Clicks on the element that this CSS selector names.
    pub fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.ask(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into it.
    pub fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.ask(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses a key and lets it go, wherever the focus is. WebDriver's names: U+E004 is Tab, U+E00D space.
    pub fn press(&self, key: char) {
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": [
            { "type": "keyDown", "value": key }, { "type": "keyUp", "value": key },
        ]}]);
        self.ask("/actions", &json!({ "actions": actions }));
    }

    /// The id of the element that has the focus.
    pub fn focused(&self) -> String {
        let id = self.run("return document.activeElement.id", &json!([]));
        id.as_str().unwrap_or_default().to_owned()
    }

    /// Puts a picture of it, `NAME.png`, into the folder that `MOORLINE_PICTURES` names, for people to look at.
    pub fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("MOORLINE_PICTURES") else { return };
        // Else it may be of the frame before.
        let painted = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))";
        self.ask("/execute/async", &json!({ "script": painted, "args": [] }));
        let text = self.say("GET", &format!("{}/screenshot", self.session), &Value::Null);
        let file =
            File::create(Path::new(&folder).join(format!("{name}.png"))).expect("a place for the picture");
        let mut command = Command::new("base64");
        command.arg("-d").stdin(Stdio::piped()).stdout(file);
        let mut child = command.spawn().expect("base64 (package coreutils) is installed");
        let mut stdin = child.stdin.take().expect("its input is piped");
        stdin.write_all(text.as_str().unwrap_or_default().as_bytes()).expect("it reads");
        drop(stdin);
        assert!(child.wait().expect("it ends").success(), "the picture is one");
    }

    fn find(&self, selector: &str) -> String {
        let found = self.ask("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {selector}: {found}")).to_owned()
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        self.say("POST", &format!("{}{path}", self.session), body)
    }

    fn say(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .expect("the driver reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the driver answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        let answer: Value = serde_json::from_str(body).expect("in JSON");
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        answer["value"].clone()
    }
}
