//! A runtime with a real Jupyter kernel, and nothing else on it until a cell has run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::person::is_root;
use crate::processes::Program;
use crate::stage::venv;

/// Whose notebooks a runtime plays: where its secrets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// `google.colab`, with the Secrets panel and Drive. What it mounts is noted in `drive-mounts` in the home; where
    /// that is a folder, nothing is mounted.
    Colab,
    /// `kaggle_secrets`.
    Kaggle,
    /// Neither.
    Jupyter,
}

/// A machine on which a notebook runs. Its processes have a namespace of their own, so that taking the machine away
/// ends each of them, as when Colab reclaims a runtime.
#[derive(Debug)]
pub struct NotebookRuntime {
    machine: Machine,
    host: Host,
    secrets: Vec<(String, String)>,
    server: Option<Server>,
    runs: usize,
}

#[derive(Debug)]
struct Server {
    program: Program,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a run printed.
#[derive(Debug)]
pub struct Run {
    /// Whether every cell came to its end.
    pub ok: bool,
    /// The cells' output, or why one failed.
    pub said: String,
}

impl Run {
    /// Insists that it came to its end.
    #[track_caller]
    pub fn works(self, why: &str) -> Self {
        assert!(self.ok, "{why}, but:\n{}", self.said);
        self
    }

    /// The rest of the first line that begins like this.
    #[track_caller]
    pub fn line(&self, begin: &str) -> &str {
        let found = self.said.lines().find_map(|line| line.strip_prefix(begin));
        found.unwrap_or_else(|| panic!("there is a line that begins with {begin:?}:\n{}", self.said))
    }
}

impl NotebookRuntime {
    /// A fresh machine; its notebook's secrets are these, as Colab's panel holds them.
    ///
    /// # Panics
    /// When `scripts/venv.sh` has not made the venv.
    pub fn start(secrets: &[(&str, &str)]) -> Self {
        Self::start_on(Host::Colab, secrets)
    }

    /// As [`NotebookRuntime::start`], elsewhere than on Colab.
    pub fn start_on(host: Host, secrets: &[(&str, &str)]) -> Self {
        let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut runtime =
            Self { machine: Machine::new("not used, keys only"), host, secrets, server: None, runs: 0 };
        runtime.boot();
        runtime
    }

    /// The machine is reclaimed: every process ends at once, and the disk is gone. Another one takes its place.
    pub fn reclaim(&mut self) {
        self.server = None;
        self.machine.wipe();
        self.boot();
    }

    /// The machine is reclaimed, and nothing takes its place.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// The machine under it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Installs a stand-in from `tests/stand-ins` under this name, with these words replaced in it.
    pub fn install(&self, stand_in: &str, name: &str, words: &[(&str, &str)]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stand-ins").join(stand_in);
        let mut text = fs::read_to_string(path).expect("the stand-in is there");
        for (word, value) in words {
            text = text.replace(word, value);
        }
        let program = self.machine.programs().join(name);
        fs::write(&program, text).expect("the stand-in is written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is a program");
    }

    /// Runs a notebook file's text in the present kernel.
    pub fn run_notebook(&mut self, notebook: &str) -> Run {
        self.run_notebook_typing(notebook, &[])
    }

    /// As [`NotebookRuntime::run_notebook`], with somebody in front of it who types this at its prompts.
    pub fn run_notebook_typing(&mut self, notebook: &str, typed: &[&str]) -> Run {
        self.runs += 1;
        let path = self.machine.disk().join(format!("notebook-{}.ipynb", self.runs));
        fs::write(&path, notebook).expect("the notebook is uploaded");
        let inside = crate::person::passwd_entry().1.join(path.file_name().expect("it has a name"));
        self.request(&json!({ "run": inside, "types": typed }))
    }

    /// Runs a cell in the present kernel.
    pub fn run_cell(&mut self, code: &str) -> Run {
        self.request(&json!({ "code": code }))
    }

    /// The kernel ends and another one starts; the machine stays.
    pub fn restart_kernel(&mut self) {
        self.request(&json!({ "restart": true }));
    }

    /// A file of the session's folder on the runtime.
    pub fn file(&self, session: &str, name: &str) -> PathBuf {
        self.machine.disk().join(".moorline").join(session).join(name)
    }

    fn request(&mut self, request: &Value) -> Run {
        let server = self.server.as_mut().expect("the runtime was started");
        writeln!(server.requests, "{request}").expect("the Jupyter server listens");
        let mut answer = String::new();
        server.answers.read_line(&mut answer).expect("the Jupyter server answers");
        let answer: Value = serde_json::from_str(&answer).expect("one JSON object a line");
        let said = answer["said"].as_str().expect("text").to_owned();
        Run { ok: answer["ok"] == true, said }
    }

    fn boot(&mut self) {
        let python = self.machine.python();
        assert!(venv().is_dir(), "the test venv is missing: run scripts/venv.sh, which make test does");
        let mut command = self.machine.command("/usr/bin/unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child=KILL"]);
        if !is_root() {
            command.args(["--user", "--map-current-user"]);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/notebook_runtime.py");
        // The checkout may lie below the home, which is covered.
        let here = self.machine.programs().join("notebook_runtime.py");
        fs::copy(script, &here).expect("the Jupyter server is installed");
        self.put_modules();
        let home = crate::person::passwd_entry().1;
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.machine.programs().display());
        command.arg(python).arg(here).env("PATH", path).env("HOME", home);
        command.env("PYTHONPATH", self.machine.programs().join("secrets"));
        command.env("OF_THE_KERNEL_ALONE", "yes");
        if self.host == Host::Colab {
            command.env("COLAB_RELEASE_TAG", "release-stand-in");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let log = fs::File::create(self.machine.keys().join("jupyter.log")).expect("a log can be written");
        let mut child: Child = command.stderr(log).spawn().expect("the Jupyter server starts");
        let requests = child.stdin.take().expect("its input is piped");
        let answers = BufReader::new(child.stdout.take().expect("its output is piped"));
        let program = Program::adopt(child, "a runtime's Jupyter server");
        self.server = Some(Server { program, requests, answers });
    }

    /// The modules that this host's notebooks have besides.
    fn put_modules(&self) {
        let secrets: serde_json::Map<String, Value> =
            self.secrets.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let secrets = format!("SECRETS = {}\n\n\n", Value::Object(secrets));
        let modules = self.machine.programs().join("secrets");
        let put = |path: &str, text: &str| {
            let path = modules.join(path);
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("a place for the module");
            fs::write(path, text).expect("the module is written");
        };
        match self.host {
            Host::Colab => {
                put("google/colab/__init__.py", "");
                put("google/colab/userdata.py", &format!("{secrets}{USERDATA}"));
                put("google/colab/drive.py", DRIVE);
            }
            Host::Kaggle => put("kaggle_secrets.py", &format!("{secrets}{KAGGLE_SECRETS}")),
            Host::Jupyter => fs::create_dir_all(&modules).expect("an empty place"),
        }
    }
}

/// `google.colab.userdata`, whose `get` gives a secret or raises.
const USERDATA: &str = "class SecretNotFoundError(Exception):
    pass


def get(name):
    if name not in SECRETS:
        raise SecretNotFoundError(f'Secret {name} does not exist.')
    return SECRETS[name]
";

/// `google.colab.drive`.
const DRIVE: &str = "import pathlib


def mount(mountpoint):
    if (pathlib.Path.home() / 'drive-mounts').is_dir():
        raise ValueError('mount failed')
    with open(pathlib.Path.home() / 'drive-mounts', 'a') as noted:
        noted.write(mountpoint + '\\n')
";

/// `kaggle_secrets`, whose client gives a secret or raises.
const KAGGLE_SECRETS: &str = "class BackendError(Exception):
    pass


class UserSecretsClient:
    def get_secret(self, label):
        if label not in SECRETS:
            raise BackendError(f'No user secrets exist for kernel id 1 and label {label}.')
        return SECRETS[label]
";

impl Drop for Server {
    fn drop(&mut self) {
        // The first process of the namespace takes the others with it.
        self.program.kill();
    }
}
