//! What the agent costs while nothing happens.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::table::Table;
use crate::processes::Program;
use crate::weigh::{processor_time, pss};
use crate::{Screen, Stage, Story, Watching};

/// How long it is watched doing nothing, in minutes, unless `MOORLINE_IDLE_MINUTES` says otherwise.
const IDLE_MINUTES: u64 = 1;

/// Before that, what the start brings is over: first readings, files.
const SETTLE: Duration = Duration::from_secs(45);

/// Measures `moorline watch` with 1, 10 and 100 sessions, and the tray with 10. Each session has its own connection,
/// a ping every 5 s and a reading every 30 s, as always.
pub fn measure(table: &mut Table) -> Result<()> {
    let headless: Vec<_> =
        [1, 10, 100].into_iter().map(|count| (count, thread::spawn(move || round(count, false)))).collect();
    let tray = thread::spawn(|| round(10, true));
    let mut weights = Vec::new();
    for (count, round) in headless {
        let Ok(measured) = round.join() else { anyhow::bail!("a round broke off; see above") };
        let (weight, busy) = measured?;
        let memory = (count == 10).then_some(50.0);
        let processor = match count {
            10 => Some(0.2),
            100 => Some(1.5),
            _ => None,
        };
        table.row(&format!("idle memory (PSS), {count} sessions"), weight, "MiB", memory);
        table.row(&format!("idle processor, {count} sessions, of one core"), busy, "%", processor);
        weights.push(weight);
    }
    if let [_, ten, hundred] = weights[..] {
        table.row("memory of a further session", (hundred - ten) * 1024.0 / 90.0, "KiB", Some(200.0));
    }
    let Ok(measured) = tray.join() else { anyhow::bail!("the tray's round broke off; see above") };
    let (weight, busy) = measured?;
    table.row("idle memory (PSS), tray with 10 sessions", weight, "MiB", Some(50.0));
    table.row("idle processor, tray with 10 sessions, of one core", busy, "%", Some(0.2));
    Ok(())
}

/// MiB, and percent of a core.
fn round(sessions: usize, tray: bool) -> Result<(f64, f64)> {
    let story = Story::begin();
    for number in 0..sessions {
        story.follow(&format!("s{number}"), "127.0.0.1");
    }
    let screen = tray.then(|| Screen::beside_desktop(&story.stage));
    let (id, _running) = start(&story.stage, tray);
    let begun = Instant::now();
    while online(&story.stage) < sessions {
        ensure!(begun.elapsed() < Duration::from_secs(120), "all sessions come online");
        sleep(Duration::from_secs(1));
    }
    sleep(SETTLE);
    let minutes = std::env::var("MOORLINE_IDLE_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let idle = Duration::from_secs(60 * minutes.unwrap_or(IDLE_MINUTES));
    let before = processor_time(id)?;
    sleep(idle);
    let busy = processor_time(id)?.saturating_sub(before).as_secs_f64() / idle.as_secs_f64();
    ensure!(online(&story.stage) == sessions, "all were online all the time");
    let weight = pss(id)?;
    drop(screen);
    Ok((weight, busy * 100.0))
}

/// Either face of the agent; it runs as long as this is kept.
enum Running {
    Watch { _watching: Watching },
    Tray { _tray: Program },
}

fn start(stage: &Stage, tray: bool) -> (u32, Running) {
    if tray {
        let mut command = stage.command("moorline-tray");
        command.stdout(std::process::Stdio::null()).stderr(stage.log("tray"));
        let tray = Program::start(command);
        (tray.id(), Running::Tray { _tray: tray })
    } else {
        let watching = Watching::start(stage);
        (watching.agent(), Running::Watch { _watching: watching })
    }
}

fn online(stage: &Stage) -> usize {
    let status = stage.moorline(&["status", "--json"]);
    let Ok(status) = serde_json::from_str::<Value>(&status.stdout) else { return 0 };
    let sessions = status["sessions"].as_array().cloned().unwrap_or_default();
    sessions.iter().filter(|session| session["health"]["state"] == "online").count()
}
