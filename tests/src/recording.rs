//! SSH servers that note every password they are offered, and let nobody's key in. They take passwords that begin with
//! `right`, and store nothing: whoever has a password for them offers it again each time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::machine::free_port;
use crate::stage::Stage;

/// The servers, all in one process.
#[derive(Debug)]
pub struct Recording {
    python: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// One server as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    /// Where it listens on `127.0.0.1`.
    pub port: u16,
    /// Its host key's fingerprint.
    pub print: String,
    /// The key itself.
    pub public: String,
}

/// A password that a server was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The server's port.
    pub port: u16,
    /// The fingerprint of the host key that it had then.
    pub print: String,
    /// The password.
    pub password: String,
}

impl Recording {
    /// No server yet.
    pub fn start(stage: &Stage) -> Self {
        let mut python = Command::new(stage.python_outside())
            .args(["-c", include_str!("recording.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test venv has Python");
        let asks = python.stdin.take().expect("it is piped");
        let answers = BufReader::new(python.stdout.take().expect("it is piped"));
        Self { python, asks, answers }
    }

    /// Another server.
    pub fn open(&mut self) -> Recorder {
        self.change("open", free_port())
    }

    /// The machine behind this port is gone; another one with its own key is there.
    pub fn replace(&mut self, port: u16) -> Recorder {
        self.change("replace", port)
    }

    /// Nobody listens at this port any more; [`Recording::replace`] brings somebody back.
    pub fn close(&mut self, port: u16) {
        self.change("close", port);
    }

    /// Every password that any of them was offered so far.
    pub fn offers(&mut self) -> Vec<Offer> {
        let taken = self.ask(&json!({ "do": "taken" }));
        let offer = |one: &Value| Offer {
            port: port_in(one),
            print: text_in(one, "key"),
            password: text_in(one, "password"),
        };
        taken.as_array().expect("a list").iter().map(offer).collect()
    }

    fn change(&mut self, what: &str, port: u16) -> Recorder {
        let now = self.ask(&json!({ "do": what, "port": port }));
        Recorder { port, print: text_in(&now, "print"), public: text_in(&now, "public") }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.asks, "{request}").expect("Python listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line).expect("in JSON")
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}

fn text_in(value: &Value, name: &str) -> String {
    value[name].as_str().expect("a text").to_owned()
}

fn port_in(value: &Value) -> u16 {
    value["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port")
}
