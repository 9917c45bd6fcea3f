//! What it costs to carry SSH over a WebSocket: `moorline proxy` beside plain TCP, and beside the peers that are
//! installed, over the same edge on loopback in the same run.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::edge::CloudflareEdge;
use crate::internet::Internet;
use crate::processes::until;
use crate::story::Story;

const HOST: &str = "bench.trycloudflare.com";
const BULK: &str = "bulk.trycloudflare.com";
/// Rounds of what takes milliseconds; odd, so that the median is a measured value.
const STARTS: usize = 31;
/// Rounds of a transfer.
const TRANSFERS: usize = 5;
/// What goes one way in a transfer.
const BYTES: u64 = 300_000_000;

/// Measures, and gives the table.
pub fn table() -> String {
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let _edge = CloudflareEdge::open(&internet, HOST, story.runtime.port());
    let mut out = String::new();
    let _ =
        writeln!(out, "SSH over a WebSocket; the edge is a stand-in on loopback, its certificate checked");
    add(&story, "colab", HOST);
    plain_entry(&story);
    starts(&story, &mut out);
    through_ssh(&story, &mut out);
    let bulk = bulk_server();
    let _edge = CloudflareEdge::open(&internet, BULK, bulk);
    add_unreached(&story, "bulk", BULK);
    alone(&story, &mut out);
    for peer in ["cloudflared", "colab"] {
        if !story.stage.run("sh", &["-c", &format!("command -v {peer}")]).stdout.contains('/') {
            let _ = writeln!(out, "{peer} is not installed: no row for it");
        }
    }
    out
}

/// Time to sshd's first byte, and the whole of `ssh true`; each against plain TCP in the same round.
fn starts(story: &Story, out: &mut String) {
    let (mut first, mut whole) = (Pairs::default(), Pairs::default());
    for _ in 0..STARTS {
        let plain = timed(|| {
            let mut stream =
                TcpStream::connect((Ipv4Addr::LOCALHOST, story.runtime.port())).expect("sshd is there");
            stream.read_exact(&mut [0; 8]).expect("sshd greets");
        });
        let carried = timed(|| {
            let (mut child, mut output) = proxy(story, "colab");
            output.read_exact(&mut [0; 8]).expect("sshd greets");
            drop(child.stdin.take());
            child
        });
        first.add(plain.0, carried.0);
        finish(carried.1);
        let ssh = |alias: &str| timed(|| story.stage.run("ssh", &[alias, "true"]).works("ssh connects")).0;
        whole.add(ssh("plain"), ssh("colab"));
    }
    first.line(out, "first SSH byte");
    whole.line(out, "ssh true");
}

/// A file through ssh, which is what people wait for.
fn through_ssh(story: &Story, out: &mut String) {
    let down = format!("head -c {BYTES} /dev/zero");
    let (mut downs, mut ups) = (Pairs::default(), Pairs::default());
    for _ in 0..TRANSFERS {
        let fetch = |alias: &str| {
            timed(|| {
                let mut command = story.stage.command("ssh");
                command.args([alias, &down]).stdin(Stdio::null()).stdout(Stdio::null());
                assert!(command.status().expect("ssh runs").success(), "it comes down");
            })
        };
        downs.add(fetch("plain").0, fetch("colab").0);
        let push = |alias: &str| {
            timed(|| {
                let mut command = story.stage.command("sh");
                command.args(["-c", &format!("{down} | ssh {alias} 'cat >/dev/null'")]);
                assert!(command.status().expect("ssh runs").success(), "it goes up");
            })
        };
        ups.add(push("plain").0, push("colab").0);
    }
    for (name, pairs) in [("down through ssh", downs), ("up through ssh", ups)] {
        let (plain, carried) = (median(&pairs.plain), median(&pairs.carried));
        let _ = writeln!(
            out,
            "{name:<18} plain {:>7.0} MB/s   carried {:>7.0} MB/s   ratio {:.2}",
            rate(plain),
            rate(carried),
            median(&pairs.plain.iter().zip(&pairs.carried).map(|(p, c)| p / c).collect::<Vec<_>>()),
        );
    }
}

/// `moorline proxy` by itself, with nothing encrypted inside: its own speed, processor time and memory.
fn alone(story: &Story, out: &mut String) {
    for (name, greeting) in [("down, proxy alone", b'D'), ("up, proxy alone", b'U')] {
        let (mut speeds, mut spent, mut peak) = (Vec::new(), Vec::new(), 0);
        for _ in 0..TRANSFERS {
            let before = cpu_of_children();
            let (mut child, mut output) = proxy(story, "bulk");
            output.read_exact(&mut [0; 8]).expect("it greets");
            let started = Instant::now();
            let mut input = child.stdin.take().expect("it is piped");
            input.write_all(&[greeting]).expect("it takes the order");
            let mut buffer = vec![0; 1 << 20];
            if greeting == b'D' {
                let mut left = usize::try_from(BYTES).expect("fits");
                while left > 0 {
                    left -= output.read(&mut buffer).expect("it comes").min(left);
                }
            } else {
                let mut left = BYTES;
                while left > 0 {
                    let many = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    input.write_all(&buffer[..many]).expect("it goes");
                    left -= many as u64;
                }
                output.read_exact(&mut [0; 1]).expect("all of it arrived");
            }
            speeds.push(started.elapsed().as_secs_f64());
            peak = peak.max(high_water(child.id()));
            drop(input);
            finish(child);
            spent.push(cpu_of_children().saturating_sub(before).as_secs_f64());
        }
        let per_gigabyte = median(&spent) * 1e9 / f64::from(u32::try_from(BYTES).expect("fits"));
        let _ = writeln!(
            out,
            "{name:<18} {:>7.0} MB/s   {per_gigabyte:.2} CPU s/GB   peak {:.1} MiB (RSS), start and end included",
            rate(median(&speeds)),
            f64::from(peak) / 1024.0,
        );
    }
}

fn add(story: &Story, name: &str, host: &str) {
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh {user}@{host}\nhttps://{host}\npassword: {password}\n");
    story.paste(&["add", name], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
}

/// A session whose other end is no sshd.
fn add_unreached(story: &Story, name: &str, host: &str) {
    let path = ".config/moorline/config.toml";
    let entry = format!("\n[session.{name}]\nlink = \"cloudflare\"\nhost = \"{host}\"\nuser = \"root\"\n");
    let settings = story.stage.text(path) + &entry;
    story.stage.put(path, settings);
}

/// The same runtime and login without a WebSocket.
fn plain_entry(story: &Story) {
    let config = story.stage.text(".ssh/config");
    let (user, port) = (story.runtime.user(), story.runtime.port());
    let entry = format!(
        "Host plain\n    HostName 127.0.0.1\n    Port {port}\n    User {user}\n    HostKeyAlias colab\n    \
         IdentityFile ~/.ssh/moorline_ed25519\n    IdentitiesOnly yes\n    ControlPath none\n    ForwardAgent no\nHost *\n"
    );
    story.stage.put(".ssh/config", entry + &config);
}

fn proxy(story: &Story, name: &str) -> (Child, ChildStdout) {
    let mut command = story.stage.command("moorline");
    command.args(["proxy", name]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("moorline runs");
    let output = child.stdout.take().expect("it is piped");
    (child, output)
}

fn finish(mut child: Child) {
    until("the proxy to end", || child.try_wait().expect("a child can be asked").is_some());
}

/// Greets like an sshd, then sends or takes as many bytes as it is told.
fn bulk_server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let port = listener.local_addr().expect("a listener has an address").port();
    thread::spawn(move || {
        for mut visitor in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut order = [0];
                if visitor.write_all(b"SSH-2.0-").is_err() || visitor.read_exact(&mut order).is_err() {
                    return;
                }
                if order == [b'D'] {
                    let zeros = vec![0; 1 << 18];
                    let mut left = BYTES;
                    while left > 0 {
                        let many = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
                        if visitor.write_all(&zeros[..many]).is_err() {
                            return;
                        }
                        left -= many as u64;
                    }
                } else {
                    let taken = std::io::copy(&mut (&visitor).take(BYTES), &mut std::io::sink());
                    drop(taken.and_then(|_| visitor.write_all(b"!")));
                }
                let _ = visitor.read(&mut order);
            });
        }
    });
    port
}

/// What was measured in the same rounds, in seconds.
#[derive(Default)]
struct Pairs {
    plain: Vec<f64>,
    carried: Vec<f64>,
}

impl Pairs {
    fn add(&mut self, plain: Duration, carried: Duration) {
        self.plain.push(plain.as_secs_f64());
        self.carried.push(carried.as_secs_f64());
    }

    fn line(&self, out: &mut String, name: &str) {
        let more: Vec<f64> =
            self.plain.iter().zip(&self.carried).map(|(plain, carried)| carried - plain).collect();
        let _ = writeln!(
            out,
            "{name:<18} plain {:>7.1} ms   carried {:>7.1} ms   more {:>6.1} ms (paired medians)",
            median(&self.plain) * 1e3,
            median(&self.carried) * 1e3,
            median(&more) * 1e3
        );
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn rate(seconds: f64) -> f64 {
    f64::from(u32::try_from(BYTES).expect("fits")) / 1e6 / seconds
}

/// The most memory that a process ever had, in KiB.
fn high_water(process: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
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
