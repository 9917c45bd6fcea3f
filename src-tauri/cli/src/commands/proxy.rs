//! `moorline proxy`: what ssh runs as a `ProxyCommand`. Standard output carries ssh's bytes and nothing else.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use moorline_core::carry::CarryError;
use moorline_core::google::EndpointId;
use moorline_core::google::slot::{Holder, Slot, holder};
use moorline_core::reach;
use moorline_core::session::{Link, Session};
use moorline_core::tools::Tools;
use moorline_ssh_files::HostName;

use crate::args::ProxyArgs;

/// How long the way may take to open, and sshd to greet. Less than the 15 s after which ssh itself gives up, saying
/// nothing of the cause.
const LIMIT: Duration = Duration::from_secs(12);

/// From one try for a slot that is about to be free to the next.
const AGAIN: Duration = Duration::from_millis(700);

/// Runs the command; what fails is one line on standard error, which ssh shows to the person.
pub fn run(args: &ProxyArgs) -> anyhow::Result<ExitCode> {
    if args.shared {
        return super::hub::join(&args.name);
    }
    let tools = super::tools()?;
    let session = super::session(&tools, Some(&args.name))?;
    match &session.link {
        Link::Colab(link) => return colab(&tools, &session, &link.runtime),
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

/// A runtime's one SSH slot. Where a connection of this computer broke off a moment ago, Google counts it still: then it
/// is worth waiting. A token that the runtime does not take any more is renewed once.
fn colab(tools: &Tools, session: &Session, runtime: &EndpointId) -> anyhow::Result<ExitCode> {
    let end = Instant::now() + LIMIT;
    let mut carrier = reach::colab(tools, session)?;
    let mut renewed = false;
    loop {
        let before = holder(&tools.dirs, runtime);
        let slot = Slot::take(&tools.dirs, runtime);
        let left = end.saturating_duration_since(Instant::now()).max(AGAIN);
        match carrier.pump(left) {
            Ok(()) => return Ok(ExitCode::SUCCESS),
            Err(CarryError::ColabExpired) if !renewed => {
                renewed = true;
                carrier = reach::colab_anew(tools, session)?;
            }
            Err(CarryError::ColabTaken) if before == Holder::HalfOpen && Instant::now() + AGAIN < end => {
                // Not noted as over: it was never ours.
                slot.leave();
                std::thread::sleep(AGAIN);
            }
            Err(CarryError::ColabTaken) => {
                slot.leave();
                bail!("{}", taken(before));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whose connection holds the slot, and what to do.
fn taken(holder: Holder) -> String {
    match holder {
        Holder::Here(process) => format!(
            "this Colab runtime takes one SSH connection at a time (429), and process {process} of this computer has it; close that window or editor, then try again"
        ),
        Holder::HalfOpen => "this Colab runtime takes one SSH connection at a time (429), and it may still count one of this computer that broke off, if no other computer or program has it; try again in a minute".to_owned(),
        Holder::Elsewhere => "this Colab runtime takes one SSH connection at a time (429), and another computer or program (`colab ssh`?) has it; close that one, then try again".to_owned(),
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
