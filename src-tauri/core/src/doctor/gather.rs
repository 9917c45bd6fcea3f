//! Looking at the real machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, SystemTime};

use moorline_model::editor::Editor;
use moorline_ssh_files::Alias;

use super::surroundings::{
    AgentFacts, ClockFacts, EditorConfigFile, FileFacts, ProxyProgram, SshFiles, Surroundings,
};
use crate::editors::{Os, SearchEnv, clean_env, config_file_setting, find, settings_file};
use crate::repoint::unchecked_entries;
use crate::store::read_file;
use crate::store::run_program::{Stream, printed};

/// How long a command may take; an agent whose socket hangs must not hang the doctor.
const PATIENCE: Duration = Duration::from_secs(5);
/// Younger temporary files may belong to a write that is going on.
const STALE: Duration = Duration::from_secs(60);

/// Where to look, and what other parts of Moorline know already.
pub struct Sources<'a> {
    /// The home directory.
    pub home: &'a Path,
    /// `~/.ssh`.
    pub ssh_dir: &'a Path,
    /// Moorline's state directory.
    pub state_dir: &'a Path,
    /// Where editors are looked for.
    pub search: &'a SearchEnv,
    /// The sessions' aliases.
    pub sessions: &'a [Alias],
    /// Those of them whose folder channel was given no folder.
    pub folderless: &'a [Alias],
    /// Where the copy of `moorline` for proxied entries should be, if a session needs it.
    pub proxy_program: Option<&'a Path>,
    /// With which sign-in Google is asked, if a session needs one; else one sentence that says why there is none.
    pub google: Option<Result<String, String>>,
    /// Whether the keyring answered; else one sentence that says why not.
    pub keyring: Result<(), String>,
    /// Says in one sentence why a config cannot be edited.
    pub check_config: &'a dyn Fn(&[u8]) -> Result<(), String>,
    /// The variables of this process, for the commands that are run.
    pub vars: Vec<(OsString, OsString)>,
    /// The time.
    pub now: SystemTime,
}

/// Looks at everything that [`examine`](super::examine) judges. Takes a few seconds at worst.
pub fn gather(sources: &Sources<'_>) -> Surroundings {
    let env = clean_env(sources.vars.iter().cloned());
    let file = |name: &str| sources.ssh_dir.join(name);
    let config = read(&file("config"));
    let config_refused = config.as_deref().and_then(|config| (sources.check_config)(config).err());
    Surroundings {
        os: sources.search.os,
        wsl: is_wsl(),
        home: sources.home.to_owned(),
        uid: own_uid(),
        ssh_version: run("ssh", &["-V"], Stream::Errors, &env).map(|(_, text)| text),
        keyring: sources.keyring.clone(),
        files: SshFiles {
            dir: facts(sources.ssh_dir),
            config: facts(&file("config")),
            known_hosts: facts(&file("known_hosts")),
            login_key: facts(&file("moorline_ed25519")),
        },
        config,
        config_refused,
        loose: unchecked_entries::find(sources.ssh_dir, sources.home),
        known_hosts: read(&file("known_hosts")),
        strays: strays(sources.ssh_dir, sources.now),
        sessions: sources.sessions.to_vec(),
        folderless: sources.folderless.to_vec(),
        proxy_program: sources
            .proxy_program
            .map(|path| ProxyProgram { path: path.to_owned(), present: path.is_file() }),
        google: sources.google.clone(),
        agent: agent(sources.search.os, &env),
        clock: ClockFacts {
            now: sources.now,
            file_skew: file_skew(sources.state_dir, sources.now),
            synchronised: synchronised(&env),
        },
        editors: Editor::ALL
            .into_iter()
            .filter_map(|editor| find(editor, sources.search).map(|path| (editor, path)))
            .collect(),
        editor_config_files: Editor::ALL
            .into_iter()
            .filter_map(|editor| moved_config(editor, sources))
            .collect(),
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    read_file::read(path).ok().flatten()
}

fn facts(path: &Path) -> Option<FileFacts> {
    let metadata = fs::metadata(path).ok()?;
    let (mode, owner) = mode_and_owner(&metadata);
    Some(FileFacts { path: path.to_owned(), mode, owner })
}

#[cfg(unix)]
fn mode_and_owner(metadata: &fs::Metadata) -> (Option<u32>, Option<u32>) {
    use std::os::unix::fs::MetadataExt;
    (Some(metadata.mode() & 0o7777), Some(metadata.uid()))
}

#[cfg(not(unix))]
fn mode_and_owner(_: &fs::Metadata) -> (Option<u32>, Option<u32>) {
    (None, None)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no uid")]
fn own_uid() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn own_uid() -> Option<u32> {
    None
}

fn is_wsl() -> bool {
    fs::read_to_string("/proc/sys/kernel/osrelease")
        .is_ok_and(|release| release.to_ascii_lowercase().contains("microsoft"))
}

/// Our temporary and lock files, `.NAME.moorline-…`, where NAME is the file's own or that of a link's target.
fn strays(ssh_dir: &Path, now: SystemTime) -> Vec<PathBuf> {
    let is_ours = |name: &str| name.starts_with('.') && name.contains(".moorline-");
    let is_stale = |path: &Path| {
        let modified = path.symlink_metadata().and_then(|facts| facts.modified());
        modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > STALE))
    };
    // The files may be links into a folder of dotfiles; what was left behind lies beside their targets.
    let beside = ["config", "known_hosts"]
        .iter()
        .filter_map(|name| fs::canonicalize(ssh_dir.join(name)).ok()?.parent().map(Path::to_owned))
        .filter(|folder| !is_same(folder, ssh_dir));
    let folders: BTreeSet<PathBuf> = beside.chain([ssh_dir.to_owned()]).collect();
    let mut strays: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .filter(|path| is_stale(path))
        .collect();
    strays.sort();
    strays
}

fn agent(os: Os, env: &[(OsString, OsString)]) -> AgentFacts {
    // Windows' agent has a fixed pipe and no variable.
    let is_set =
        os == Os::Windows || env.iter().any(|(key, value)| key == "SSH_AUTH_SOCK" && !value.is_empty());
    if !is_set {
        return AgentFacts::NotSet;
    }
    // ssh-add(1): 0 with keys, 1 without, 2 when no agent can be reached.
    match run("ssh-add", &["-l"], Stream::Output, env) {
        Some((status, text)) if status.code() == Some(0) => AgentFacts::Keys(text.lines().count()),
        Some((status, _)) if status.code() == Some(1) => AgentFacts::Keys(0),
        _ if os == Os::Windows => AgentFacts::NotSet,
        _ => AgentFacts::Silent,
    }
}

/// Seconds between the clock and the stamp of a file made now; whole seconds are all that some file systems keep.
fn file_skew(state_dir: &Path, now: SystemTime) -> Option<u64> {
    let file = tempfile::tempfile_in(state_dir).ok()?;
    let stamp = file.metadata().and_then(|facts| facts.modified()).ok()?;
    let apart = stamp.duration_since(now).unwrap_or_else(|error| error.duration());
    Some(apart.as_secs())
}

fn synchronised(env: &[(OsString, OsString)]) -> Option<bool> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let (status, text) =
        run("timedatectl", &["show", "--property=NTPSynchronized", "--value"], Stream::Output, env)?;
    match text.trim() {
        "yes" if status.success() => Some(true),
        "no" if status.success() => Some(false),
        _ => None,
    }
}

/// `None` if the editor reads `~/.ssh/config`.
fn moved_config(editor: Editor, sources: &Sources<'_>) -> Option<EditorConfigFile> {
    let settings = settings_file(editor, sources.search)?;
    let text = String::from_utf8(read(&settings)?).ok()?;
    let reads = match config_file_setting(&text) {
        Ok(None) => return None,
        Ok(Some(path)) => {
            let path = match path.strip_prefix("~/") {
                Some(below) => sources.home.join(below),
                None => PathBuf::from(path),
            };
            if is_same(&path, &sources.ssh_dir.join("config")) {
                return None;
            }
            Ok(path)
        }
        Err(error) => Err(error.to_string()),
    };
    Some(EditorConfigFile { editor, settings, reads })
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

/// Runs a command and collects one of its streams; `None` if it cannot be started or does not end in time.
fn run(
    program: &str,
    arguments: &[&str],
    stream: Stream,
    env: &[(OsString, OsString)],
) -> Option<(ExitStatus, String)> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(env.iter().cloned()).env("LC_ALL", "C");
    printed(command, stream, PATIENCE)
}

#[cfg(test)]
mod tests;
