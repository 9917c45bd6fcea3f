//! What the rules look at: plain data, so that each rule can be tried on any machine.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use moorline_model::editor::Editor;
use moorline_ssh_files::Alias;

use crate::editors::Os;
use crate::repoint::unchecked_entries::Found;

/// All facts about a machine that matter to sessions.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The kind of system, which decides what a next step says.
    pub os: Os,
    /// Whether this is Linux inside Windows (WSL).
    pub wsl: bool,
    /// The home directory, shown as `~`.
    pub home: PathBuf,
    /// The uid of this process, where there are such things.
    pub uid: Option<u32>,
    /// What `ssh -V` printed; `None` if there is no ssh.
    pub ssh_version: Option<String>,
    /// Whether the keyring answered; else one sentence that says why not.
    pub keyring: Result<(), String>,
    /// The ssh directory and the files in it.
    pub files: SshFiles,
    /// The bytes of `config`.
    pub config: Option<Vec<u8>>,
    /// Why `config` cannot be edited, in one sentence.
    pub config_refused: Option<String>,
    /// Entries of the person's own that lead to a runtime and switch host key checking off.
    pub loose: Vec<Found>,
    /// The bytes of `known_hosts`.
    pub known_hosts: Option<Vec<u8>>,
    /// Temporary and lock files of ours in the ssh directory that nobody uses any more.
    pub strays: Vec<PathBuf>,
    /// The sessions' aliases.
    pub sessions: Vec<Alias>,
    /// Those of them whose folder channel was given no folder.
    pub folderless: Vec<Alias>,
    /// The program that proxied entries run, if a session has one.
    pub proxy_program: Option<ProxyProgram>,
    /// The place of the sign-in with which Google is asked, if a session has a Colab runtime; else one sentence that says
    /// why there is none.
    pub google: Option<Result<String, String>>,
    /// The ssh agent.
    pub agent: AgentFacts,
    /// The clock.
    pub clock: ClockFacts,
    /// The editors that were found, and where.
    pub editors: Vec<(Editor, PathBuf)>,
    /// Editors that were told to read an ssh config of their own, or whose settings cannot be read.
    pub editor_config_files: Vec<EditorConfigFile>,
}

/// The ssh directory and what Moorline uses in it; `None` for what does not exist.
#[derive(Debug, Clone, Default)]
pub struct SshFiles {
    /// `~/.ssh`.
    pub dir: Option<FileFacts>,
    /// `~/.ssh/config`.
    pub config: Option<FileFacts>,
    /// `~/.ssh/known_hosts`.
    pub known_hosts: Option<FileFacts>,
    /// `~/.ssh/moorline_ed25519`.
    pub login_key: Option<FileFacts>,
}

/// Whose a file is and who may do what with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Where it is.
    pub path: PathBuf,
    /// Permission bits of what the path leads to, without the file type; `None` on Windows.
    pub mode: Option<u32>,
    /// Its owner's uid; `None` on Windows.
    pub owner: Option<u32>,
}

/// The copy of `moorline` that a `ProxyCommand` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyProgram {
    /// Where it should be.
    pub path: PathBuf,
    /// Whether a program is there.
    pub present: bool,
}

/// What the ssh agent said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentFacts {
    /// No agent is set up.
    NotSet,
    /// One is set up, but does not answer.
    Silent,
    /// It answered, and holds this many keys.
    Keys(usize),
}

/// What the clock said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockFacts {
    /// The time.
    pub now: SystemTime,
    /// How far the file system's time is from the clock's, in seconds; `None` if no file could be written.
    pub file_skew: Option<u64>,
    /// Whether the system says that its clock is synchronised; `None` if it does not say.
    pub synchronised: Option<bool>,
}

/// An editor's setting that moves the ssh config it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditorConfigFile {
    /// The editor.
    pub editor: Editor,
    /// Its settings file.
    pub settings: PathBuf,
    /// The file it reads instead, or one sentence on why the settings cannot be read.
    pub reads: Result<PathBuf, String>,
}

impl Surroundings {
    /// A path as a person writes it: below the home directory with `~`.
    pub(super) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(below) => Path::new("~").join(below).display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }
}
