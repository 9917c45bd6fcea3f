//! What ssh runs as a `ProxyCommand`: `moorline-proxy NAME`. Standard output carries ssh's bytes and nothing else; a
//! failure is one sentence, which ssh shows.

mod error;
mod tcp;

use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use moorline_model::session::Link;
use moorline_ssh_files::{Alias, HostName};

pub use error::ProxyError;

use crate::net::error::CarryError;
use crate::ssh::{hub, reach};
use crate::store::config_toml::SessionsFile;
use crate::store::dirs::Dirs;
use crate::store::installed_programs;
use crate::store::vault::OsVault;

/// How long the way may take to open, and sshd to greet. Less than the 15 s after which ssh itself gives up, saying
/// nothing of the cause.
const LIMIT: Duration = Duration::from_secs(12);

/// How many seconds a hub stays when nobody needs it; for tests, and for whoever pays by the connection.
const IDLE: &str = "MOORLINE_HUB_IDLE";

/// Carries standard input to the session's runtime, and what comes from there to standard output, until either ends.
/// `shared` goes through the session's hub, whatever its link. Blocks; for a program that does nothing else.
///
/// # Errors
/// There is no such session, or no way to its runtime.
pub fn run(name: &Alias, shared: bool) -> Result<ExitCode, ProxyError> {
    let dirs = Dirs::from_env()?;
    if shared {
        return join(&dirs, name);
    }
    let sessions = SessionsFile::load(&dirs.sessions_file())?;
    let session = sessions.named(name)?;
    match &session.link {
        Link::Colab(_) => join(&dirs, name),
        Link::Direct(place) | Link::Ngrok(place) => tcp::carry(place, LIMIT),
        Link::Cloudflare(host) => cloudflare(&dirs, name, host),
        link @ Link::Relay(_) => Err(ProxyError::NotNeeded { name: name.clone(), link: link.clone() }),
    }
}

fn cloudflare(dirs: &Dirs, name: &Alias, host: &HostName) -> Result<ExitCode, ProxyError> {
    match reach::cloudflare(dirs, &OsVault::new(), name, host)?.pump(LIMIT) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ CarryError::WantsLogin(_)) => log_in_with_cloudflared(dirs, host, error),
        Err(error) => Err(error.into()),
    }
}

/// Access wants a person in front of a browser, which cloudflared knows how to find.
fn log_in_with_cloudflared(dirs: &Dirs, host: &HostName, error: CarryError) -> Result<ExitCode, ProxyError> {
    let argv = reach::cloudflared_argv(dirs, host);
    let Some((program, rest)) = argv.as_deref().and_then(<[String]>::split_first) else {
        return Err(error.into());
    };
    become_program(Command::new(program).args(rest))
        .map_err(|cause| ProxyError::Program { program: program.clone(), cause })
}

/// Through the session's hub, which `moorline` is started as where there is none.
fn join(dirs: &Dirs, name: &Alias) -> Result<ExitCode, ProxyError> {
    let program = installed_programs::command_line();
    let program = program.map_err(|cause| ProxyError::Program { program: "moorline".to_owned(), cause })?;
    let idle = std::env::var(IDLE).ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let extra: Vec<String> = idle.map(|seconds| format!("--idle={seconds}")).into_iter().collect();
    hub::join(dirs, name, &program, &extra)?.carry_standard_streams()?;
    Ok(ExitCode::SUCCESS)
}

/// Replaces this process, so that signals and the end of either side need no relaying.
#[cfg(unix)]
fn become_program(command: &mut Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
