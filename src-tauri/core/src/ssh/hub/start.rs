//! Starting the hub as a process that nothing of its starter's can end.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use moorline_ssh_files::Alias;

use crate::editors::clean_env;

/// A hub that was started just now; what it says on standard error is why it ended.
pub(super) struct Started(Child);

pub(super) fn start(program: &Path, session: &Alias, extra: &[String]) -> io::Result<Started> {
    let mut command = Command::new(program);
    command.arg("hub").arg(session.as_str()).args(extra).current_dir(root());
    command.env_clear().envs(clean_env(std::env::vars_os()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    platform::detach(&mut command);
    command.spawn().map(Started)
}

impl Started {
    /// What it said when it has ended; `None` while it runs.
    pub fn ended(&mut self) -> io::Result<Option<String>> {
        if self.0.try_wait()?.is_none() {
            return Ok(None);
        }
        let mut said = String::new();
        if let Some(stderr) = self.0.stderr.take() {
            stderr.take(4096).read_to_string(&mut said)?;
        }
        Ok(Some(said))
    }
}

/// Makes this process, which was started as a hub, independent of whoever started it: a hang-up of their terminal, or
/// Ctrl-C in it, is not for the hub.
pub fn leave_starter() {
    platform::leave_session();
}

fn root() -> &'static Path {
    Path::new(if cfg!(windows) { "C:\\" } else { "/" })
}

#[cfg(unix)]
mod platform {
    use std::process::Command;

    pub fn detach(_command: &mut Command) {}

    /// It is the leader of its session from here on (setsid(2)); that fails only if it is one already.
    pub fn leave_session() {
        let _ = rustix::process::setsid();
    }
}

#[cfg(windows)]
mod platform {
    use std::os::windows::process::CommandExt;
    use std::process::Command;

    /// `DETACHED_PROCESS` and `CREATE_NEW_PROCESS_GROUP` (Process Creation Flags, Win32 API).
    pub fn detach(command: &mut Command) {
        command.creation_flags(0x0000_0008 | 0x0000_0200);
    }

    pub fn leave_session() {}
}
