//! `moorline proxy`: what ssh runs as a `ProxyCommand`. Standard output carries ssh's bytes and nothing else.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use moorline_core::reach::cloudflared_argv;
use moorline_core::session::Link;

use crate::args::ProxyArgs;

/// Runs the command; what fails is one line on standard error, which ssh shows to the person.
pub fn run(args: &ProxyArgs) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let session = super::session(&tools, Some(&args.name))?;
    let host = match &session.link {
        Link::Direct(place) | Link::Ngrok(place) => return super::proxy_tcp::run(place),
        Link::Cloudflare(host) => host,
        Link::Relay(_) => bail!("{} needs no proxy: ssh reaches {} itself", session.name, session.link),
    };
    let argv = cloudflared_argv(&tools, host)?;
    let Some((program, rest)) = argv.split_first() else { bail!("cloudflared was not found; install it") };
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
