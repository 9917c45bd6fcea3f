//! `moorline hub`, which `moorline proxy` starts for links that allow one connection, and the proxy's side of it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use moorline_core::dirs::Dirs;
use moorline_core::hub::{self, Hub, HubError, Limits};
use moorline_ssh_files::Alias;

use crate::args::HubArgs;

/// Is the hub until nobody needs it.
pub fn run(args: &HubArgs) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let limits = Limits { idle: Duration::from_secs(args.idle), ..Limits::default() };
    super::block_on(async {
        match Hub::open(tools, args.name.clone(), limits) {
            Ok(hub) => {
                hub.serve(signals::terminated()?).await;
                Ok(ExitCode::SUCCESS)
            }
            // Whoever started this one finds that one.
            Err(HubError::AlreadyRunning) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(error.into()),
        }
    })?
}

/// Carries the standard streams through the session's hub.
pub fn join(name: &Alias) -> anyhow::Result<ExitCode> {
    let dirs = Dirs::from_env()?;
    let program = std::env::current_exe().context("cannot find this program")?;
    let idle = std::env::var(IDLE).ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let extra: Vec<String> = idle.map(|seconds| format!("--idle={seconds}")).into_iter().collect();
    hub::join(&dirs, name, &program, &extra)?.carry_standard_streams()?;
    Ok(ExitCode::SUCCESS)
}

/// How many seconds a hub stays when nobody needs it; for tests, and for whoever pays by the connection.
const IDLE: &str = "MOORLINE_HUB_IDLE";

#[cfg(unix)]
mod signals {
    use tokio::signal::unix::{SignalKind, signal};

    /// SIGTERM, as at the end of the session.
    pub fn terminated() -> std::io::Result<impl Future<Output = ()>> {
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            terminate.recv().await;
        })
    }
}

#[cfg(not(unix))]
mod signals {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as where signals can fail")]
    pub fn terminated() -> std::io::Result<impl Future<Output = ()>> {
        Ok(std::future::pending())
    }
}
