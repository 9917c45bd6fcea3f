//! What ssh runs as a `ProxyCommand`: `moorline-proxy NAME`. Standard output carries ssh's bytes and nothing else; a
//! failure is one sentence, which ssh shows.

mod tcp;

use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::Link;
use moorline_ssh_files::{Alias, HostName};

use crate::net::error::CarryError;
use crate::ssh::hub::{self, JoinError};
use crate::ssh::reach::{self, ReachError};
use crate::store::config_toml::{SessionsFile, SessionsFileError, UnknownSession};
use crate::store::dirs::{Dirs, DirsError};
use crate::store::installed_programs;
use crate::store::vault::OsVault;

/// How long the way may take to open, and sshd to greet. Less than the 15 s after which ssh itself gives up, saying
/// nothing of the cause.
const LIMIT: Duration = Duration::from_secs(12);

/// How many seconds a hub stays when nobody needs it; for tests, and for whoever pays by the connection.
const IDLE: &str = "MOORLINE_HUB_IDLE";

/// Why ssh's bytes could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// This home's places.
    #[error(transparent)]
    Dirs(#[from] DirsError),
    /// The sessions cannot be read.
    #[error(transparent)]
    Sessions(#[from] SessionsFileError),
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownSession),
    /// ssh goes there without a program of ours.
    #[error("{name} needs no proxy: ssh reaches {link} itself")]
    NotNeeded {
        /// The session.
        name: Alias,
        /// Its link.
        link: Link,
    },
    /// What the way there needs cannot be had.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The way there.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// The runtime cannot be dialled.
    #[error("{0}; run the cell again, or look at how your sessions are")]
    Dial(CarryError),
    /// The session's hub.
    #[error(transparent)]
    Hub(#[from] JoinError),
    /// Another program that was to do it did not start.
    #[error("cannot run {program}: {cause}; a repair puts Moorline's own programs back")]
    Program {
        /// Its path.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// The standard streams, or the connection in the middle of things.
    #[error("the connection broke: {0}; try again")]
    Streams(#[from] io::Error),
}

impl ProxyError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Unknown(error) => error.next_step(),
            Self::Reach(error) => error.next_step(),
            Self::Carry(error) => error.next_step(),
            Self::Dial(_) => Some(NextStep::LookAtStatus),
            Self::Hub(error) => error.next_step(),
            Self::Program { .. } => Some(NextStep::Repair { session: None }),
            Self::Dirs(_) | Self::Sessions(_) | Self::NotNeeded { .. } | Self::Streams(_) => None,
        }
    }
}

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
