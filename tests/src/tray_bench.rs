//! Times the tray's start and weighs it while it idles, next to the limits it is held to.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use zbus::blocking::Connection;

use crate::processes::Program;
use crate::tray::{session_bus, shown_items};
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
    let before = ticks(tray.id())?;
    sleep(IDLE);
    let used = ticks(tray.id())? - before;
    let weight = pss(tray.id())?;
    writeln!(table, "{:<40} {weight:>6.1} MiB {:>10}", "memory (PSS), idle, no session", "50 MiB")?;
    writeln!(table, "{:<40} {used:>4} ticks {:>10}", "processor in 60 s, idle, no session", "12 ticks")?;
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

/// Proportional set size in MiB.
fn pss(id: u32) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let line =
        rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("the kernel tells the PSS")?;
    let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(f64::from(kib) / 1024.0)
}

/// Processor time in clock ticks, user and system.
fn ticks(id: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields = stat.rsplit(')').next().context("a stat line")?.split_whitespace();
    // Fields 14 and 15 of proc_pid_stat(5); the name before them is cut off with two.
    fields.skip(11).take(2).map(|field| Ok(field.parse::<u64>()?)).sum()
}
