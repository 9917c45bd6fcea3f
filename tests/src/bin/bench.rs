//! Times re-pointing against `ssh-keygen -R` on the same file, and `moorline`'s start against `ssh`'s.
//!
//! Each row is a median of interleaved rounds, and each ratio the median of the ratios within a round, so that a
//! machine that slows down halfway slows both sides down. Beside the time on the clock stands the processor time
//! (user and system, all threads), which a busy machine changes less; the load average tells how busy it was. Ours is the whole of a re-pointing but for `ssh -G`:
//! locks, both files read, changed, backed up, synced and replaced. `ssh-keygen -R` syncs nothing and changes one
//! file.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use moorline_ssh_files::{HostEntry, HostKey, KnownHostsEdit, KnownName, Place, SshDir};

/// Rounds of a re-pointing; at least 7, odd so that the median is a measured value.
const ROUNDS: usize = 11;
/// Rounds of a process start.
const STARTS: usize = 101;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => table(),
        ["re-point", folder] => re_point(Path::new(folder)),
        _ => bail!("usage: bench"),
    }
}

fn table() -> Result<()> {
    let me = std::env::current_exe()?;
    let target = me.parent().context("a program lies in a folder")?;
    println!("load average at the start: {}\n", load_average());
    println!(
        "{:<22} {:>11} {:>11} {:>13} {:>6}   {:>11} {:>13} {:>6}",
        "re-pointing", "ours", "as process", "ssh-keygen -R", "ratio", "ours, CPU", "keygen, CPU", "ratio"
    );
    for lines in [1_000, 10_000, 100_000] {
        for hashed in [false, true] {
            // On the disk that holds the build, not on a memory file system: syncs have to cost what they cost.
            let folder = tempfile::tempdir_in(target)?;
            re_pointing_row(&me, folder.path(), lines, hashed)?;
        }
    }
    println!("\n{:<24} {:>12} {:>8}", "process start", "median", "ratio");
    start_rows(&target.join("moorline"))
}

fn re_pointing_row(me: &Path, folder: &Path, lines: usize, hashed: bool) -> Result<()> {
    let original = folder.join("original");
    fs::create_dir(&original)?;
    fs::write(original.join("config"), config())?;
    fs::write(original.join("known_hosts"), known_hosts(lines)?)?;
    if hashed {
        run(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(original.join("known_hosts")))?;
        fs::remove_file(original.join("known_hosts.old"))?;
    }
    let (mut ours, mut processes, mut keygens) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let fresh = |name: &str| copy(&original, &folder.join(format!("{name}.{round}")));
        let (a, b, c) = (fresh("a")?, fresh("b")?, fresh("c")?);
        // What the copies left to write is not to be paid by whoever syncs first.
        let _ = run(&mut Command::new("sync"));
        let own = timed(|| re_point(&a))?;
        let process = spent(|| run(Command::new(me).arg("re-point").arg(&b)))?;
        let keygen = spent(|| {
            run(Command::new("ssh-keygen")
                .args(["-q", "-R", "[127.0.0.1]:7423", "-f"])
                .arg(c.join("known_hosts")))
        })?;
        ensure!(
            fs::read(a.join("known_hosts"))? != fs::read(original.join("known_hosts"))?,
            "ours did its work"
        );
        ensure!(
            fs::read(c.join("known_hosts"))? != fs::read(original.join("known_hosts"))?,
            "theirs did its work"
        );
        for used in [a, b, c] {
            fs::remove_dir_all(used)?;
        }
        ours.push(own);
        processes.push(process);
        keygens.push(keygen);
    }
    let name = format!("{lines} {} lines", if hashed { "hashed" } else { "plain" });
    let columns = |part: fn(&Spent) -> Duration| {
        let of = |all: &[Spent]| milliseconds(median(all.iter().map(part).collect()));
        let ratio = |(a, b): (&Spent, &Spent)| part(a).as_secs_f64() / part(b).as_secs_f64();
        let ratios = processes.iter().zip(&keygens).map(ratio).collect();
        (of(&processes), of(&keygens), median_of(ratios))
    };
    let ((process, keygen, ratio), (our_cpu, keygen_cpu, cpu_ratio)) =
        (columns(|s| s.wall), columns(|s| s.cpu));
    println!(
        "{name:<22} {:>11} {process:>11} {keygen:>13} {ratio:>6.2}   {our_cpu:>11} {keygen_cpu:>13} {cpu_ratio:>6.2}",
        milliseconds(median(ours))
    );
    Ok(())
}

/// What a child process took.
#[derive(Debug, Clone, Copy)]
struct Spent {
    wall: Duration,
    /// User and system, all threads.
    cpu: Duration,
}

fn spent(work: impl FnOnce() -> Result<()>) -> Result<Spent> {
    let before = cpu_of_children()?;
    let wall = timed(work)?;
    Ok(Spent { wall, cpu: cpu_of_children()?.saturating_sub(before) })
}

/// Of all children that have ended.
#[cfg(target_os = "linux")]
fn cpu_of_children() -> Result<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let duration = |time: nix::sys::time::TimeVal| -> Result<_> {
        Ok(Duration::from_secs(time.tv_sec().try_into()?) + Duration::from_micros(time.tv_usec().try_into()?))
    };
    Ok(duration(usage.user_time())? + duration(usage.system_time())?)
}

/// Not measured here.
#[cfg(not(target_os = "linux"))]
fn cpu_of_children() -> Result<Duration> {
    Ok(Duration::ZERO)
}

/// Of 1, 5 and 15 minutes, where the system tells.
fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    if averages.len() == 3 { averages.join(" ") } else { "unknown".to_owned() }
}

fn start_rows(moorline: &Path) -> Result<()> {
    ensure!(moorline.is_file(), "{} is missing: run make bench", moorline.display());
    let programs: [(&str, &Path, &[&str]); 3] = [
        ("moorline --version", moorline, &["--version"]),
        ("ssh -V", Path::new("/usr/bin/ssh"), &["-V"]),
        ("/bin/true", Path::new("/bin/true"), &[]),
    ];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..STARTS {
        for ((_, program, arguments), times) in programs.iter().zip(&mut times) {
            times.push(timed(|| run(Command::new(program).args(*arguments)))?);
        }
    }
    let ssh = times[1].clone();
    for ((name, _, _), times) in programs.iter().zip(times) {
        let ratios = times.iter().zip(&ssh).map(|(own, ssh)| own.as_secs_f64() / ssh.as_secs_f64()).collect();
        println!("{name:<24} {:>12} {:>8.2}", milliseconds(median(times)), median_of(ratios));
    }
    println!("(ratios are to ssh -V)");
    Ok(())
}

/// What happens when a runtime came back: new port, new key; the old ones go.
fn re_point(folder: &Path) -> Result<()> {
    let place = |port: &str| -> Result<_> { Ok(Place { host: "127.0.0.1".parse()?, port: port.parse()? }) };
    let alias = KnownName::Alias("colab".parse()?);
    let (old, new) = (KnownName::Place(place("7423")?), KnownName::Place(place("7424")?));
    let edit = KnownHostsEdit {
        drop: vec![alias.clone(), old, new.clone()],
        drop_pairs: Vec::new(),
        pin_names: vec![alias, new],
        pin_keys: vec![key_line(usize::MAX).parse::<HostKey>()?],
    };
    let entry = HostEntry {
        alias: "colab".parse()?,
        host_name: "127.0.0.1".parse()?,
        port: Some("7424".parse()?),
        user: "root".parse()?,
        identity_file: "~/.ssh/moorline_ed25519".parse()?,
        proxy_command: None,
    };
    SshDir::new(folder, folder.join("backups")).write(&edit, &[entry])?;
    Ok(())
}

fn known_hosts(lines: usize) -> Result<String> {
    let mut text = String::new();
    for line in 0..lines {
        let key = key_line(line);
        if line == lines / 2 {
            writeln!(text, "[127.0.0.1]:7423 {key}")?;
        } else {
            writeln!(text, "host-{line}.example.net {key}")?;
        }
    }
    Ok(text)
}

fn config() -> String {
    let entry = |n: usize| format!("Host server-{n}\n    HostName server-{n}.example.net\n    User ada\n\n");
    (0..40).map(entry).collect::<String>() + "Host *\n    ServerAliveInterval 60\n"
}

/// A valid Ed25519 line, another for each number. The blob is 51 bytes, so its base64 text needs no padding.
fn key_line(number: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    // splitmix64: spreads the number over 32 bytes.
    let mut state = number as u64;
    for _ in 0..4 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        blob.extend((word ^ (word >> 31)).to_le_bytes());
    }
    let mut line = String::from("ssh-ed25519 ");
    for three in blob.chunks_exact(3) {
        let bits = three.iter().fold(0usize, |bits, byte| bits << 8 | usize::from(*byte));
        line.extend([18, 12, 6, 0].map(|shift| char::from(ALPHABET[bits >> shift & 63])));
    }
    line
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    fs::create_dir(to)?;
    for name in ["config", "known_hosts"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(to.to_path_buf())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn median_of(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
