//! `moorline watch`: the agent in the foreground, for servers, scripts and tests.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use moorline_core::agent::event::{Event, What};
use moorline_core::agent::executor::start_agent;
use moorline_core::agent::socket::{Door, Limits};
use moorline_core::agent::ui::Headless;
use moorline_core::repoint::adding::clipboard::NoClipboard;
use moorline_core::ssh::context::Tools;
use moorline_model::clock;
use tokio::sync::broadcast::error::RecvError;

use crate::printer::Printer;

/// Runs the command.
pub fn run(printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    super::block_on(watch(tools, printer))?
}

/// Until a signal ends it, or nobody reads any more.
async fn watch(tools: Tools, printer: &Printer) -> anyhow::Result<ExitCode> {
    let mut signals = signals::Signals::new()?;
    let door = Door::open(&tools.dirs)?;
    let (agent, ended) = start_agent(Arc::new(tools), Headless, Arc::new(NoClipboard));
    let mut events = agent.events();
    let serving = tokio::spawn(door.serve(agent.clone(), Limits::default()));
    let (process, version) = (std::process::id(), env!("CARGO_PKG_VERSION").to_owned());
    let mut reads = print(printer, &Event { at: clock::moment(), what: What::Watching { process, version } });
    while reads {
        let event = tokio::select! {
            event = events.recv() => event,
            () = signals.next() => break,
        };
        match event {
            Ok(event) => reads = print(printer, &event),
            // Whoever reads is slow; the newest is what counts.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    agent.stop().await;
    ended.await?;
    serving.await?;
    Ok(ExitCode::SUCCESS)
}

/// JSON for machines, words on a terminal; `false` when nobody reads any more.
fn print(printer: &Printer, event: &Event) -> bool {
    if printer.is_json() || !std::io::stdout().is_terminal() {
        return printer.json_line(event);
    }
    let text = match &event.what {
        What::Watching { .. } => "watching; Ctrl-C ends it".to_owned(),
        What::Following { session, words, .. } | What::Health { session, words, .. } => {
            format!("{session}: {words}")
        }
        What::Forgotten { session } => format!("{session}: not followed any more"),
        What::Files { ok: true, .. } | What::Vitals { .. } | What::NoticeOver { .. } => return true,
        What::Files { session, problem, .. } => {
            format!("{session}: the ssh files: {}", problem.as_deref().unwrap_or("not in order"))
        }
        What::Announcement { ok: true, session, channel, .. } => {
            format!("{session}: its runtime announced itself ({channel})")
        }
        What::Announcement { session, channel, problem, .. } => {
            format!(
                "{session}: refused what came over {channel}: {}",
                problem.as_deref().unwrap_or("no announcement")
            )
        }
        What::LoginKey { session, ok: true, .. } => format!("{session}: installed the login key"),
        What::LoginKey { session, problem, .. } => {
            format!("{session}: the login key: {}", problem.as_deref().unwrap_or("not installed"))
        }
        What::Notice(notice) => format!("{}. {}", notice.title, notice.body),
    };
    let time = event.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S");
    let text = format!("{time} {text}");
    if matches!(event.what, What::Notice(_)) {
        printer.note(text);
    } else {
        printer.line(text);
    }
    true
}

#[cfg(unix)]
mod signals {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// What asks a program to end.
    pub struct Signals([Signal; 3]);

    impl Signals {
        pub fn new() -> std::io::Result<Self> {
            let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [a, b, c] = ends.map(signal);
            Ok(Self([a?, b?, c?]))
        }

        pub async fn next(&mut self) {
            let [a, b, c] = &mut self.0;
            tokio::select! {
                _ = a.recv() => {}
                _ = b.recv() => {}
                _ = c.recv() => {}
            }
        }
    }
}

#[cfg(not(unix))]
mod signals {
    /// What asks a program to end.
    pub struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
        pub fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
