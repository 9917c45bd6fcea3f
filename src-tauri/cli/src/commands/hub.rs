//! `moorline hub`, which `moorline-proxy` starts for links that allow one connection.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use moorline_core::ssh::hub::{Hub, HubError, Limits};
use moorline_ssh_files::Alias;

/// `moorline hub`
#[derive(Debug, Args)]
pub struct HubArgs {
    /// Which session.
    pub name: Alias,
    /// How many seconds it stays when nobody needs it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub idle: u64,
}

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
