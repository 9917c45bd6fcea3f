//! One module per subcommand, and what they share.

pub mod add;
pub mod cell;
pub mod colab;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod forget;
pub mod hub;
pub mod open;
pub mod repair;
pub mod secret;
pub mod status;
pub mod uninstall;
pub mod watch;

mod adding;
mod agent;
mod announced;
mod answering;
mod claimed;
mod conversing;
mod key_question;
mod leading;
mod login;
mod mending;
mod ngrok;
mod reaching;
pub mod relay;
mod rival;
mod session_key;

use std::future::Future;

use anyhow::{Context, bail};
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::context::Tools;
use moorline_core::store::config_toml::SessionsFile;
use moorline_core::store::dirs::Dirs;
use moorline_core::store::installed_programs;
use moorline_core::store::vault::OsVault;
use moorline_model::session::Session;
use moorline_ssh_files::Alias;

/// The real places, vault and ssh.
pub fn tools() -> anyhow::Result<Tools> {
    let dirs = Dirs::from_env()?;
    let ssh = SystemSsh::find(dirs.redirected.then_some(dirs.home.as_path()))?;
    let askpass = installed_programs::own_path().ok();
    Ok(Tools { vault: Box::new(OsVault::new()), ssh, dirs, askpass })
}

/// Runs what has to wait for the network; made only by the commands that do, so that the others start at once.
pub fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the network runtime")?;
    Ok(runtime.block_on(future))
}

fn sessions(tools: &Tools) -> anyhow::Result<SessionsFile> {
    Ok(SessionsFile::load(&tools.dirs.sessions_file())?)
}

/// The named session, or the only one.
fn session(tools: &Tools, name: Option<&Alias>) -> anyhow::Result<Session> {
    let sessions = sessions(tools)?;
    match name {
        Some(name) => Ok(sessions.named(name)?.clone()),
        None => match sessions.sessions().values().next() {
            Some(only) if sessions.sessions().len() == 1 => Ok(only.clone()),
            None => bail!("there are no sessions yet; `moorline add` makes one"),
            Some(_) => bail!("say which session; your sessions: {}", sessions.names()),
        },
    }
}
