//! The program behind the network device: packets in, packets out, and orders in between.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Stdin, Write};
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStringExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::sky::Sky;
use super::{HERE, NAMES, tun, unhex};

const DEVICE: &str = "weather";

/// More than any packet of the device.
const PACKET: usize = 2048;

/// Runs until its input ends.
///
/// # Errors
/// The system does not allow it.
pub fn play() -> Result<()> {
    ensure!(unrouted()?, "this network leads somewhere already: start me in a network namespace of my own");
    let device = tun::device(DEVICE).context("a network device (/dev/net/tun)")?;
    ip(&["link", "set", "lo", "up"])?;
    ip(&["addr", "add", &format!("{HERE}/24"), "dev", DEVICE])?;
    plug_in()?;
    let seed = crate::sample::seed("MOORLINE_WEATHER_SEED");
    let mut player = Player { sky: Sky::new(NAMES.parse()?, seed), device, held: Vec::new() };
    say("ready")?;
    player.run()
}

/// Whether nobody gets anywhere by this network yet: what follows takes the default route.
fn unrouted() -> Result<bool> {
    let routes = std::fs::read_to_string("/proc/self/net/route").context("the list of routes")?;
    Ok(!routes.lines().any(|line| line.split_whitespace().nth(1) == Some("00000000")))
}

struct Player {
    sky: Sky,
    device: File,
    held: Vec<Child>,
}

impl Player {
    fn run(&mut self) -> Result<()> {
        let mut orders = Orders { input: io::stdin(), begun: Vec::new() };
        loop {
            let now = Instant::now();
            while let Some(packet) = self.sky.arrived(now) {
                // A device that is down, or whose queue is full, loses packets as others do.
                let _ = self.device.write(&packet);
            }
            let rest = self.sky.next().map(|due| due.saturating_duration_since(now));
            let rest = rest.map(Timespec::try_from).transpose().context("a short while")?;
            let mut fds =
                [PollFd::new(&self.device, PollFlags::IN), PollFd::new(&orders.input, PollFlags::IN)];
            poll(&mut fds, rest.as_ref()).context("waiting for packets")?;
            let (packets, told) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
            if packets {
                self.take_packets();
            }
            if told {
                let Some(lines) = orders.read()? else { return Ok(()) };
                for line in lines {
                    let answer = self.carry_out(&line);
                    say(&answer.map_or_else(|error| format!("error {error:#}"), |done| format!("ok {done}")))?;
                }
            }
        }
    }

    fn take_packets(&mut self) {
        let mut packet = vec![0; PACKET];
        while let Ok(length) = self.device.read(&mut packet) {
            self.sky.take(packet[..length].to_vec(), Instant::now());
        }
    }

    fn carry_out(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split('\t').collect();
        match words.as_slice() {
            ["weather", round_trip, loss] => {
                self.sky.set(Duration::from_millis(round_trip.parse()?), loss.parse()?);
            }
            ["swallow", address] => self.sky.swallow(address.parse::<Ipv4Addr>()?),
            ["shut", address] => self.sky.shut(address.parse::<Ipv4Addr>()?),
            ["spit-out"] => self.sky.spit_out(),
            ["unplug"] => ip(&["link", "set", DEVICE, "down"])?,
            ["plug-in"] => plug_in()?,
            ["hold", script, arguments @ ..] => return self.hold(script, arguments),
            _ => bail!("unknown: {line}"),
        }
        Ok(String::new())
    }

    /// Starts a process in a mount namespace of its own, and waits until it says that it is ready.
    fn hold(&mut self, script: &str, arguments: &[&str]) -> Result<String> {
        let word = |digits: &&str| unhex(digits).map(std::ffi::OsString::from_vec).context("digits");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]);
        command.args(["sh", "-euc"]).arg(word(&script)?).arg("sh");
        for argument in arguments {
            command.arg(word(argument)?);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        ensure!(line == "ready\n", "a mount namespace is needed");
        let id = child.id();
        self.held.push(child);
        Ok(id.to_string())
    }
}

/// Lines from a pipe that are read as they come, without waiting for more.
struct Orders {
    input: Stdin,
    begun: Vec<u8>,
}

impl Orders {
    /// The lines that are complete by now; `None` at the end.
    fn read(&mut self) -> Result<Option<Vec<String>>> {
        let mut bytes = [0; 8192];
        let length = rustix::io::read(&self.input, &mut bytes).context("reading orders")?;
        if length == 0 {
            return Ok(None);
        }
        self.begun.extend_from_slice(&bytes[..length]);
        let mut lines = Vec::new();
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).take(end).collect();
            lines.push(String::from_utf8(line)?);
        }
        Ok(Some(lines))
    }
}

fn plug_in() -> Result<()> {
    ip(&["link", "set", DEVICE, "up"])?;
    // The route goes with the link.
    ip(&["route", "replace", "default", "dev", DEVICE])
}

fn ip(arguments: &[&str]) -> Result<()> {
    let status = Command::new("/usr/bin/env")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .arg("ip")
        .args(arguments)
        .status()
        .context("ip (package iproute2) is installed")?;
    ensure!(status.success(), "ip {} failed", arguments.join(" "));
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
