//! `moorline proxy`: what ssh runs as a `ProxyCommand`. Standard output carries ssh's bytes and nothing else.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use moorline_core::carry::CarryError;
use moorline_core::reach;
use moorline_core::session::Link;
use moorline_core::tools::Tools;
use moorline_ssh_files::HostName;

use crate::args::ProxyArgs;

/// How long the way may take to open, and sshd to greet. Less than the 15 s after which ssh itself gives up, saying
/// nothing of the cause.
const LIMIT: Duration = Duration::from_secs(12);

/// Runs the command; what fails is one line on standard error, which ssh shows to the person.
pub fn run(args: &ProxyArgs) -> anyhow::Result<ExitCode> {
    if args.shared {
        return super::hub::join(&args.name);
    }
    let tools = super::tools()?;
    let session = super::session(&tools, Some(&args.name))?;
    match &session.link {
        Link::Colab(_) => return super::hub::join(&args.name),
        Link::Direct(place) | Link::Ngrok(place) => return super::proxy_tcp::run(place),
        Link::Cloudflare(_) | Link::Relay(_) => {}
    }
    let Link::Cloudflare(host) = &session.link else {
        bail!("{} needs no proxy: ssh reaches {} itself", session.name, session.link);
    };
    match reach::cloudflare(&tools, &session, host)?.pump(LIMIT) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ CarryError::WantsLogin(_)) => log_in_with_cloudflared(&tools, host, error),
        Err(error) => Err(error.into()),
    }
}

/// Access wants a person in front of a browser, which cloudflared knows how to find.
fn log_in_with_cloudflared(tools: &Tools, host: &HostName, error: CarryError) -> anyhow::Result<ExitCode> {
    let argv = reach::cloudflared_argv(tools, host);
    let Some((program, rest)) = argv.as_deref().and_then(<[String]>::split_first) else {
        return Err(error.into());
    };
    become_program(Command::new(program).args(rest)).with_context(|| format!("cannot run {program}"))
}

/// Replaces this process, so that signals and the end of either side need no relaying.
#[cfg(unix)]
fn become_program(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
