//! What a process costs.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Proportional set size in MiB (proc(5), smaps_rollup).
///
/// # Errors
/// The process has ended.
pub fn pss(id: u32) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let line =
        rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("the kernel tells the PSS")?;
    let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(f64::from(kib) / 1024.0)
}

/// Processor time of all threads that live, exact to the nanosecond (Linux, Documentation/scheduler/sched-stats.rst).
///
/// # Errors
/// The process has ended.
pub fn processor_time(id: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let spent = text.split_whitespace().next().context("the kernel counts the time")?;
        total += Duration::from_nanos(spent.parse()?);
    }
    Ok(total)
}
