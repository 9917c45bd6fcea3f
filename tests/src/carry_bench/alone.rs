//! What programs cost by themselves, without ssh: speed, processor time, memory.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::measuring::{COUNTED, TRANSFERS, as_float, finish, median, rate};

/// A way to start a program that carries.
pub(super) type Start<'a> = &'a dyn Fn() -> (Child, ChildStdout);

/// Programs by themselves, with nothing encrypted inside: the speed, processor time and memory of each, and both ways; they
/// take turns, since a shared machine is not the same from one minute to the next. The first one is compared with the
/// others, round by round. Gives the figures of each, down and up.
pub(super) fn alone(programs: &[(&str, Start<'_>)], out: &mut String) -> Vec<[Figure; 2]> {
    let mut figures = vec![[Figure::default(); 2]; programs.len()];
    for (nth, (way, order)) in [("down", b'D'), ("up", b'U')].into_iter().enumerate() {
        let mut costs: Vec<Costs> = programs.iter().map(|_| Costs::default()).collect();
        for _ in 0..TRANSFERS {
            for ((_, start), costs) in programs.iter().zip(&mut costs) {
                costs.add(order, start);
            }
        }
        for (((name, _), costs), figure) in programs.iter().zip(&costs).zip(&mut figures) {
            figure[nth] = costs.line(&format!("{way}, {name}"), out);
        }
        for ((name, _), other) in programs.iter().zip(&costs).skip(1) {
            let ratios = costs[0].spent.iter().zip(&other.spent).map(|(ours, theirs)| ours / theirs);
            let ratio = median(&ratios.collect::<Vec<_>>());
            let _ = writeln!(out, "{way}, processor time: {ratio:.2} times that of {name} (paired median)");
        }
    }
    figures
}

/// The medians of one way.
#[derive(Default, Clone, Copy)]
pub(super) struct Figure {
    /// In MB/s.
    pub(super) speed: f64,
    /// Processor seconds per GB.
    pub(super) spent: f64,
}

/// What a program needed in each round.
#[derive(Default)]
struct Costs {
    times: Vec<f64>,
    spent: Vec<f64>,
    peak: Memory,
}

impl Costs {
    /// One transfer, and the start and end around it.
    fn add(&mut self, order: u8, start: Start<'_>) {
        let before = cpu_of_children();
        let (mut child, mut output) = start();
        output.read_exact(&mut [0; 8]).expect("it greets");
        let started = Instant::now();
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all(&[order]).expect("it takes the order");
        let mut buffer = vec![0; 1 << 20];
        let mut left = COUNTED;
        if order == b'D' {
            while left > 0 {
                let many = output.read(&mut buffer).expect("it comes") as u64;
                assert!(many > 0, "all of it comes");
                left -= many.min(left);
            }
        } else {
            // By itself, so that the other side can read it as an order.
            output.read_exact(&mut [0; 1]).expect("the order is taken");
            while left > 0 {
                let many = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                input.write_all(&buffer[..many]).expect("it goes");
                left -= many as u64;
            }
            output.read_exact(&mut [0; 1]).expect("all of it arrived");
        }
        self.times.push(started.elapsed().as_secs_f64());
        self.peak = self.peak.max(Memory::of(child.id()));
        drop(input);
        finish(child);
        self.spent.push(cpu_of_children().saturating_sub(before).as_secs_f64());
    }

    /// Prints the medians, and gives them.
    fn line(&self, name: &str, out: &mut String) -> Figure {
        let speed = rate(COUNTED, median(&self.times));
        let spent = median(&self.spent) * 1e9 / as_float(COUNTED);
        let _ = writeln!(
            out,
            "{name:<22} {speed:>7.0} MB/s   {spent:.2} CPU s/GB   peak {:.1} MiB (RSS), {:.1} of it its own",
            f64::from(self.peak.peak) / 1024.0,
            f64::from(self.peak.own) / 1024.0,
        );
        Figure { speed, spent }
    }
}

/// In KiB.
#[derive(Default, Clone, Copy)]
pub(super) struct Memory {
    /// The most that was resident, with the pages of program and libraries that the kernel mapped.
    pub(super) peak: u32,
    /// What belongs to nobody else.
    own: u32,
}

impl Memory {
    /// proc_pid_status(5).
    pub(super) fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        Self { peak: field("VmHWM:"), own: field("RssAnon:") }
    }

    fn max(self, other: Self) -> Self {
        Self { peak: self.peak.max(other.peak), own: self.own.max(other.own) }
    }
}

/// Of all children that have ended, user and system.
fn cpu_of_children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    let duration = |time: TimeVal| {
        let whole = Duration::from_secs(time.tv_sec().try_into().unwrap_or_default());
        whole + Duration::from_micros(time.tv_usec().try_into().unwrap_or_default())
    };
    duration(usage.user_time()) + duration(usage.system_time())
}
