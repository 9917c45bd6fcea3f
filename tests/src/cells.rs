//! A person whose session was made for a setup cell, and the runtimes on which that cell runs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::desktop::Desktop;
use crate::notebook::{Host, NotebookRuntime};
use crate::outcome::Outcome;
use crate::person::passwd_entry;
use crate::stage::Stage;

/// The session key of the known answers: bytes 0 to 31, generation 1.
pub const KEY: &str = "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What ngrok's agent logs in with, in the shape of a real one.
pub const AUTHTOKEN: &str = "2QvKxJ7rWm1ZtYpN8sLhAd5BcEf_4GgHiJkLmNoPqRsTuVwXy";

/// The host key that follows from [`KEY`].
pub const HOST_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYSGUKsTn/8x0Xm5PrYYQPjhjoNODLwFsAyBUlW4Opr";

/// A person's desktop that knows the session key.
#[derive(Debug)]
pub struct Person {
    /// Their machine.
    pub stage: Stage,
    _desktop: Desktop,
}

impl Person {
    /// A desktop with a keyring and nothing else.
    pub fn new() -> Self {
        let stage = Stage::new();
        let desktop = Desktop::start(&stage);
        stage.hide(KEY);
        Self { stage, _desktop: desktop }
    }

    /// Makes the session `colab` with the key of the known answers, and gives its notebook.
    pub fn begins(&self, link: &[&str]) -> String {
        let stored = self.stage.moorline_reads(&["secret", "set", "colab", "session-key"], KEY);
        stored.works("a session key is stored before there is a session");
        let (user, _) = passwd_entry();
        let new: Vec<&str> = ["cell", "colab", "--user", &user].iter().chain(link).copied().collect();
        self.stage.moorline(&new).works("a new session gets a cell");
        self.notebook()
    }

    /// The notebook of the session `colab`.
    pub fn notebook(&self) -> String {
        self.stage.moorline(&["cell", "colab", "--notebook"]).works("a session has a cell").stdout
    }

    /// Adds to `config.toml`: lines to the session's own table, and tables to the end.
    pub fn configures(&self, lines: &str, tables: &str) {
        let path = ".config/moorline/config.toml";
        let config = self.stage.text(path).replace("[session.colab]\n", &format!("[session.colab]\n{lines}"));
        self.stage.put(path, format!("{config}\n{tables}"));
    }

    /// Logs in with the desktop's login key, and takes no host key but the one that the session key gives.
    pub fn logs_in(&self, port: u16, command: &str) -> Outcome {
        self.stage.put(".ssh/derived", format!("colab {HOST_KEY}\n"));
        let known = format!("UserKnownHostsFile={}", self.stage.home_inside().join(".ssh/derived").display());
        let key = self.stage.home_inside().join(".ssh/moorline_ed25519").display().to_string();
        let (user, port) = (passwd_entry().0, port.to_string());
        let options = "-F none -o IdentitiesOnly=yes -o BatchMode=yes -o HostKeyAlias=colab -o StrictHostKeyChecking=yes";
        let mut arguments: Vec<&str> = options.split(' ').collect();
        arguments.extend(["-i", &key, "-o", &known, "-p", &port, "-l", &user, "127.0.0.1", command]);
        self.stage.run("ssh", &arguments)
    }

    /// A runtime on which cloudflared is installed. What it opens is noted where the stand-in of `cloudflared access`
    /// looks (see [`crate::tunnels::Cloudflare`]).
    pub fn with_cloudflared(&self, secrets: &[(&str, &str)]) -> NotebookRuntime {
        self.with_cloudflared_on(Host::Colab, secrets)
    }

    /// As [`Person::with_cloudflared`], elsewhere than on Colab.
    pub fn with_cloudflared_on(&self, host: Host, secrets: &[(&str, &str)]) -> NotebookRuntime {
        let runtime = NotebookRuntime::start_on(host, secrets);
        let map = self.noted_tunnels().display().to_string();
        let fail = runtime.machine().keys().join("fail").display().to_string();
        runtime.install("cloudflared-tunnel", "cloudflared", &[("@MAP@", &map), ("@FAIL@", &fail)]);
        runtime
    }

    /// Where opened tunnels are noted.
    pub fn noted_tunnels(&self) -> PathBuf {
        self.stage.programs().join("cloudflared.tunnels")
    }

    /// The tunnels that were opened: host and the port of the runtime's sshd.
    pub fn tunnels(&self) -> Vec<(String, u16)> {
        let noted = read(&self.noted_tunnels());
        let tunnel = |line: &str| {
            let (host, port) = line.split_once(' ')?;
            Some((host.to_owned(), port.parse().ok()?))
        };
        noted.lines().filter_map(tunnel).collect()
    }

    /// A runtime on which the ngrok agent is installed; the endpoints that it opens are noted in `endpoints` of its
    /// machine's keys, and reachable from the desktop.
    pub fn with_ngrok(&self, secrets: &[(&str, &str)]) -> NotebookRuntime {
        self.stage.knows_host("127.0.0.1", "0.tcp.eu.ngrok.io");
        let runtime = NotebookRuntime::start(secrets);
        let noted = runtime.machine().keys().join("endpoints").display().to_string();
        runtime.install("ngrok-agent", "ngrok", &[("@MAP@", &noted), ("@TOKEN@", AUTHTOKEN)]);
        runtime
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

/// What Python says that has these parts of the cell (`keys` is `keys.py`), and then this program.
pub fn run_parts(parts: &[&str], program: &str) -> Outcome {
    let stage = Stage::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/core/src/announce/cell");
    let mut code = "import base64, ctypes, fcntl, getpass, glob, hashlib, hmac, http.client, importlib, json, os, platform, \
        re, shutil, signal, socket, subprocess, sys, threading, time, urllib.request\n"
        .to_owned();
    for part in parts {
        code.push_str(&read(&folder.join(format!("{part}.py"))));
    }
    code.push_str(program);
    stage.run(stage.python(), &["-c", &code])
}

/// A file's text; empty when there is none.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A file of one JSON value; null when there is none.
pub fn json_at(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_default()
}
