//! This program as `SSH_ASKPASS`: it gives ssh a relay's password from the vault.

use std::io::Write;
use std::process::ExitCode;

use moorline_core::ssh::askpass::answer;
use moorline_core::ssh::system_ssh::{ASKPASS_RELAY, ASKPASS_SESSION};
use moorline_model::session::RelayTarget;
use moorline_ssh_files::Alias;
use secrecy::ExposeSecret;

/// Acts as askpass if ssh started this program as such: the variable is set and there is exactly one argument, the
/// prompt. A `moorline hub NAME` below such an ssh inherits the variable and has other arguments.
pub fn acted() -> Option<ExitCode> {
    let session = std::env::var(ASKPASS_SESSION).ok()?;
    let mut arguments = std::env::args().skip(1);
    let (Some(prompt), None) = (arguments.next(), arguments.next()) else { return None };
    Some(if give(&session, &prompt).is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says nothing where it has no answer: ssh then goes on with its other ways to log in, or says that there is none.
fn give(session: &str, prompt: &str) -> Option<()> {
    let session: Alias = session.parse().ok()?;
    let relay: RelayTarget = std::env::var(ASKPASS_RELAY).ok()?.parse().ok()?;
    let tools = crate::commands::tools().ok()?;
    let password = crate::commands::block_on(answer(&tools, &session, &relay, prompt)).ok()??;
    let mut out = std::io::stdout().lock();
    out.write_all(password.expose_secret().as_bytes()).ok()?;
    out.write_all(b"\n").ok()?;
    out.flush().ok()
}
