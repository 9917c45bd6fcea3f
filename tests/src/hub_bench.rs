//! What a shared connection costs next to plain ssh, on the same sshd over loopback.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Signal, kill_process};

use crate::processes::until;
use crate::shared::{Session, Shared, parent, processes_with};

/// Odd, so that the median is a measured value.
const CONNECTS: usize = 21;
const TRANSFERS: u32 = 5;
/// One transfer, in bytes.
const SIZE: u32 = 300 * 1000 * 1000;

/// The table of figures.
///
/// # Errors
/// Something ends while it is measured.
pub fn table() -> Result<String> {
    let mut table = String::new();
    let shared = Shared::beside_the_edge();
    connects(&shared, &mut table)?;
    writeln!(table, "\n{:<26} {:>12} {:>12} {:>9}", "300 MB, medians", "plain ssh", "shared", "ratio")?;
    let mut costs = Costs::default();
    for (name, up) in [("down", false), ("up", true)] {
        let (mut plain, mut through, mut ratios) = (vec![], vec![], vec![]);
        for _ in 0..TRANSFERS {
            let own = transfer(shared.plain(&[]), up, |_| Ok(()))?;
            let ours = transfer(shared.ssh(&[]), up, |ssh| costs.note(&shared, ssh, up))?;
            ratios.push(own.as_secs_f64() / ours.as_secs_f64());
            plain.push(own);
            through.push(ours);
        }
        ratios.sort_by(f64::total_cmp);
        let rate =
            |times: Vec<Duration>| format!("{:.0} MB/s", f64::from(SIZE) / 1e6 / median(times).as_secs_f64());
        writeln!(
            table,
            "{name:<26} {:>12} {:>12} {:>9.2}",
            rate(plain),
            rate(through),
            ratios[ratios.len() / 2]
        )?;
    }
    writeln!(table, "\n{:<26} {:>12} {:>12}", "processor seconds per GB", "down", "up")?;
    let together = [costs.hub[0] + costs.proxy[0], costs.hub[1] + costs.proxy[1]];
    for (name, [down, up]) in [("hub", costs.hub), ("proxy", costs.proxy), ("hub and proxy", together)] {
        let per_gb = |spent: Duration| spent.as_secs_f64() / (f64::from(TRANSFERS) * f64::from(SIZE) / 1e9);
        writeln!(table, "{name:<26} {:>12.2} {:>12.2}", per_gb(down), per_gb(up))?;
    }
    writeln!(table, "limit of both together: two thirds of what `colab ssh --proxy-mode` takes")?;
    let hub = shared.the_hub().as_raw_nonzero().get();
    writeln!(table, "\n{:<26} {:>12}", "memory", "MiB")?;
    writeln!(table, "{:<26} {:>12.1}", "hub, idle (PSS)", field(hub, "smaps_rollup", "Pss:")?)?;
    writeln!(table, "{:<26} {:>12.1}", "hub, at most (RSS)", field(hub, "status", "VmHWM:")?)?;
    writeln!(table, "{:<26} {:>12.1}", "proxy, at most (RSS)", costs.proxy_peak)?;
    Ok(table)
}

/// `ssh true`: plain, through a hub that has to start, and through one that runs.
fn connects(shared: &Shared, table: &mut String) -> Result<()> {
    let (mut plain, mut first, mut next) = (vec![], vec![], vec![]);
    for _ in 0..CONNECTS {
        for hub in shared.hubs() {
            let _ = kill_process(rustix::process::Pid::from_raw(hub).context("a process")?, Signal::KILL);
        }
        until("the hub to be gone", || shared.hubs().is_empty());
        plain.push(connect(shared.plain(&["colab", "true"]))?);
        first.push(connect(shared.ssh(&["colab", "true"]))?);
        next.push(connect(shared.ssh(&["colab", "true"]))?);
    }
    writeln!(table, "{:<26} {:>12} {:>12}", "ssh true, medians", "measured", "added")?;
    let base = median(plain.clone());
    for (name, times) in [("plain ssh", plain), ("shared, first (hub starts)", first), ("shared, next", next)]
    {
        let time = median(times);
        writeln!(table, "{name:<26} {:>9.1} ms {:>9.1} ms", ms(time), ms(time) - ms(base))?;
    }
    Ok(())
}

#[derive(Default)]
struct Costs {
    /// Down and up.
    hub: [Duration; 2],
    proxy: [Duration; 2],
    proxy_peak: f64,
    hub_before: Duration,
}

impl Costs {
    /// Asked before and after what is measured.
    fn note(&mut self, shared: &Shared, moment: Moment, up: bool) -> Result<()> {
        let hub = shared.the_hub().as_raw_nonzero().get();
        match moment {
            Moment::Before => self.hub_before = spent(hub)?,
            Moment::After(ssh) => {
                self.hub[usize::from(up)] += spent(hub)?.saturating_sub(self.hub_before);
                let proxies = processes_with("--shared", "colab").into_iter().map(u32::cast_signed);
                let proxy =
                    proxies.into_iter().find(|id| parent(*id) == Some(ssh)).context("ssh has its proxy")?;
                self.proxy[usize::from(up)] += spent(proxy)?;
                self.proxy_peak = self.proxy_peak.max(field(proxy, "status", "VmHWM:")?);
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Moment {
    Before,
    /// While this ssh still runs.
    After(u32),
}

fn connect(mut ssh: Command) -> Result<Duration> {
    let begun = Instant::now();
    let status = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "{ssh:?} connects");
    Ok(begun.elapsed())
}

/// Carries the bytes in a session that stands, and leaves connecting and ending out.
fn transfer(mut ssh: Command, up: bool, mut note: impl FnMut(Moment) -> Result<()>) -> Result<Duration> {
    let command = if up {
        format!("echo ready; head -c {SIZE} > /dev/null; echo; cat")
    } else {
        format!("echo ready; read x; head -c {SIZE} /dev/zero; cat")
    };
    ssh.args(["-o", "Compression=no", "colab", &command]);
    let mut session = Session::open(ssh);
    session.is_ready();
    let mut input = session.take_input().context("it has an input")?;
    let mut block = vec![0; 256 * 1024];
    note(Moment::Before)?;
    let begun = Instant::now();
    if up {
        let mut left = usize::try_from(SIZE)?;
        while left > 0 {
            let count = left.min(block.len());
            input.write_all(&block[..count])?;
            left -= count;
        }
        session.output.read_exact(&mut [0])?;
    } else {
        writeln!(input)?;
        let mut left = usize::try_from(SIZE)?;
        while left > 0 {
            left -= session.output.get_mut().read(&mut block)?;
        }
    }
    let took = begun.elapsed();
    note(Moment::After(session.child.id()))?;
    Ok(took)
}

/// User and system time of a process with all its threads.
fn spent(id: i32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().context("a name")?.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // USER_HZ is 100 on every Linux that this runs on (proc(5)).
    Ok(Duration::from_millis(ticks * 10))
}

/// A field of kB, in MiB.
fn field(id: i32, file: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/{file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("the field is there")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
