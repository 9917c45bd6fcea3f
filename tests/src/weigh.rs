//! What a process costs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Proportional set size in MiB (proc(5), smaps), the program's own file counted whole: on a person's machine no
/// second agent shares it.
///
/// # Errors
/// The process has ended.
pub fn pss(id: u32) -> Result<f64> {
    let program = fs::read_link(format!("/proc/{id}/exe"))?;
    let (mut kib, mut whole) = (0, false);
    for line in fs::read_to_string(format!("/proc/{id}/smaps"))?.lines() {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        if !first.ends_with(':') {
            whole = words.last().is_some_and(|file| Path::new(file) == program);
        } else if first == if whole { "Rss:" } else { "Pss:" } {
            let amount: u32 = words.next().context("an amount")?.parse()?;
            kib += amount;
        }
    }
    Ok(f64::from(kib) / 1024.0)
}

/// Processor time of the process so far, ended threads included (clock_getcpuclockid(3)).
///
/// # Errors
/// The process has ended.
pub fn processor_time(id: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(id.try_into()?))?;
    Ok(clock_gettime(clock)?.into())
}
