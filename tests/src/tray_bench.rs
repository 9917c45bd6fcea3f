//! Times the tray's start and weighs it while it idles, next to the limits it is held to.

use std::fmt::Write as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use zbus::blocking::Connection;

use crate::bus::session_bus;
use crate::processes::Program;
use crate::tray::shown_items;
use crate::weigh::{processor_time, pss};
use crate::{Screen, Stage};

/// Odd, so that the median is a measured value.
const STARTS: usize = 11;
/// How long it is watched doing nothing.
const IDLE: Duration = Duration::from_secs(60);

/// The table of figures.
///
/// # Errors
/// The tray ends while it is measured.
pub fn table() -> Result<String> {
    let mut table = String::new();
    let stage = Stage::new();
    let _screen = Screen::start(&stage);
    let bus = session_bus(&stage);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let (tray, took) = started(&stage, &bus);
        times.push(took);
        drop(tray);
        while !shown_items(&bus).is_empty() {
            sleep(Duration::from_millis(5));
        }
    }
    times.sort();
    writeln!(table, "{:<40} {:>10} {:>10}", "tray", "measured", "limit")?;
    writeln!(
        table,
        "{:<40} {:>7.1} ms {:>10}",
        "exec to registered, median",
        millis(times[STARTS / 2]),
        "200 ms"
    )?;
    writeln!(
        table,
        "{:<40} {:>7.1} ms {:>10}",
        "exec to registered, slowest",
        millis(times[STARTS - 1]),
        ""
    )?;
    let (tray, _) = started(&stage, &bus);
    let before = processor_time(tray.id())?;
    sleep(IDLE);
    let used = millis(processor_time(tray.id())?.saturating_sub(before));
    let weight = pss(tray.id())?;
    writeln!(table, "{:<40} {weight:>6.1} MiB {:>10}", "memory (PSS), idle, no session", "50 MiB")?;
    writeln!(table, "{:<40} {used:>7.1} ms {:>10}", "processor in 60 s, idle, no session", "120 ms")?;
    Ok(table)
}

/// A tray, and how long it took until the tray host knew it.
fn started(stage: &Stage, bus: &Connection) -> (Program, Duration) {
    let mut command = stage.command("moorline-tray");
    command.stdout(Stdio::null()).stderr(stage.log("tray"));
    let start = Instant::now();
    let tray = Program::start(command);
    while shown_items(bus).is_empty() {
        sleep(Duration::from_millis(1));
    }
    (tray, start.elapsed())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
