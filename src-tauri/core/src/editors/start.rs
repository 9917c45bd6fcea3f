//! Carrying a plan out.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use super::error::EditorError;
use super::launch::Launch;
use super::link::opener_argv;
use super::programs::SearchEnv;
use super::taker::ensure_taken;
use super::terminal::shown;

/// How long a program may take to fail before it counts as started.
const WATCHED: Duration = Duration::from_secs(1);

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// The program runs by itself, or has already done its work.
    Detached,
    /// The program ran in the caller's terminal and ended with this exit code (255 if a signal ended it).
    Ended(u8),
}

/// Starts what was planned, with exactly the variables `env` (see [`clean_env`](super::clean_env)).
///
/// A detached program gets its own process group, so that Ctrl-C in the caller's terminal does not reach it, and no
/// standard streams. It is watched for one second. [`Launch::InPlace`] runs in the caller's terminal until it ends.
///
/// # Errors
/// When the program is missing, cannot be run, or fails within that second; when nothing takes an editor's link.
pub fn start(
    launch: &Launch,
    search: &SearchEnv,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Started, EditorError> {
    match launch {
        Launch::Argv(argv) => detach(argv, env),
        Launch::Url(url) => {
            let argv = opener_argv(url, search).ok_or_else(|| EditorError::NoOpener { url: url.clone() })?;
            let env: Vec<_> = env.into_iter().collect();
            ensure_taken(url, search, &env)?;
            detach(&argv, env)
        }
        Launch::InPlace(argv) => {
            let status = command(argv, env)?.status().map_err(|error| not_started(argv, &error))?;
            Ok(Started::Ended(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255)))
        }
    }
}

fn detach(
    argv: &[OsString],
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Started, EditorError> {
    let mut command = command(argv, env)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    own_group(&mut command);
    let child = command.spawn().map_err(|error| not_started(argv, &error))?;
    match ended_early(child) {
        Some(status) if !status.success() => {
            Err(EditorError::Failed { program: name(argv), status: status.to_string(), command: shown(argv) })
        }
        _ => Ok(Started::Detached),
    }
}

/// Waits for the child on a thread of its own, which also spares a long-lived caller the zombie.
fn ended_early(mut child: Child) -> Option<ExitStatus> {
    let (send, receive) = mpsc::sync_channel(1);
    let waiter = thread::Builder::new().name("started-program".to_owned()).spawn(move || {
        if let Ok(status) = child.wait() {
            // Nobody listens any more once the second is over.
            let _ = send.send(status);
        }
    });
    waiter.ok()?;
    receive.recv_timeout(WATCHED).ok()
}

fn command(
    argv: &[OsString],
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Command, EditorError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(not_started(argv, &io::Error::from(io::ErrorKind::NotFound)));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(env);
    Ok(command)
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(windows)]
fn own_group(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

fn name(argv: &[OsString]) -> String {
    argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
}

fn not_started(argv: &[OsString], error: &io::Error) -> EditorError {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such program".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be run".to_owned(),
        _ => error.to_string(),
    };
    EditorError::NotStarted { program: name(argv), reason }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::programs::Os;
    use super::super::search::tests::{Machine, write_script};
    use super::*;
    use std::fs;
    use std::path::Path;

    /// A program that records its arguments and environment.
    fn stub(machine: &Machine, place: &str, last_line: &str) -> Vec<OsString> {
        let path = machine.program(place);
        let log = machine.root.path().join("log");
        // Written under another name first, so that a reader never sees half of it.
        let script = format!(
            "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env; ps -o pgid= -p $$; }} > '{log}.part'\nmv '{log}.part' '{log}'\n{last_line}\n",
            log = log.display()
        );
        write_script(&path, &script);
        vec![path.into(), "--folder-uri=a b;$(c)".into(), "Ünï".into()]
    }

    fn env() -> Vec<(OsString, OsString)> {
        vec![("PATH".into(), std::env::var_os("PATH").unwrap()), ("KEPT".into(), "yes".into())]
    }

    fn log(root: &Path) -> String {
        fs::read_to_string(root.join("log")).unwrap()
    }

    #[test]
    fn arguments_and_environment_arrive_as_planned() {
        let machine = Machine::new(Os::Linux);
        let argv = stub(&machine, "usr/bin/code", "exit 0");
        assert_eq!(start(&Launch::Argv(argv), &machine.search, env()), Ok(Started::Detached));
        let seen = log(machine.root.path());
        assert!(seen.starts_with("--folder-uri=a b;$(c)\nÜnï\n"), "{seen}");
        assert!(seen.contains("KEPT=yes\n") && !seen.contains("CARGO"), "only the given variables: {seen}");
    }

    #[test]
    fn a_program_that_fails_at_once_is_reported() {
        let machine = Machine::new(Os::Linux);
        let argv = stub(&machine, "usr/bin/code", "exit 3");
        let error = start(&Launch::Argv(argv), &machine.search, env()).unwrap_err().to_string();
        assert!(error.contains("usr/bin/code ended at once with exit status: 3"), "{error}");
        assert!(error.ends_with("'--folder-uri=a b;$(c)' 'Ünï'"), "{error}");
    }

    #[test]
    fn a_program_that_stays_is_left_alone() {
        let machine = Machine::new(Os::Linux);
        let hold = machine.root.path().join("hold");
        let made = Command::new("mkfifo").arg(&hold).status().unwrap();
        assert!(made.success());
        // Reading a FIFO without a writer keeps it alive until this test opens the other end.
        let argv = stub(&machine, "usr/bin/code", &format!("exec cat '{}'", hold.display()));
        assert_eq!(start(&Launch::Argv(argv), &machine.search, env()), Ok(Started::Detached));
        // Opening waits for the reader, which comes after the log.
        let writer = fs::OpenOptions::new().write(true).open(&hold).unwrap();
        let seen = log(machine.root.path());
        drop(writer);
        let group: i32 = seen.lines().last().unwrap().trim().parse().unwrap();
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        assert_ne!(group, own, "Ctrl-C here must not end the editor");
    }

    #[test]
    fn a_missing_program_is_named() {
        let machine = Machine::new(Os::Linux);
        let launch = Launch::Argv(vec!["/nowhere/code".into()]);
        let error = start(&launch, &machine.search, env()).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/code could not be started: there is no such program"), "{error}");
    }

    #[test]
    fn links_go_to_the_desktops_opener() {
        let machine = Machine::new(Os::Linux);
        let url = Launch::Url("vscode://vscode-remote/ssh-remote+colab".into());
        let error = start(&url, &machine.search, env()).unwrap_err().to_string();
        assert!(error.contains("xdg-utils") && error.contains("vscode://vscode-remote"), "{error}");
        stub(&machine, "usr/bin/xdg-open", "exit 0");
        assert_eq!(start(&url, &machine.search, env()), Ok(Started::Detached));
        assert!(log(machine.root.path()).starts_with("vscode://vscode-remote/ssh-remote+colab\n"));
    }

    #[test]
    fn in_place_hands_the_exit_code_back() {
        let machine = Machine::new(Os::Linux);
        let argv = stub(&machine, "usr/bin/ssh", "exit 7");
        assert_eq!(start(&Launch::InPlace(argv), &machine.search, env()), Ok(Started::Ended(7)));
    }
}
