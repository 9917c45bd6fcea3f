//! What it costs to carry SSH over a WebSocket: `moorline-proxy` beside plain TCP, and beside the peers that are
//! installed, over the same edge on loopback in the same run.

mod alone;
pub mod capped;
pub mod floor;
mod measuring;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::edge::CloudflareEdge;
use crate::internet::Internet;
use crate::story::Story;
use alone::{Figure, Memory, Start, alone};
use measuring::{COUNTED, TRANSFERS, finish, median, rate};

const HOST: &str = "bench.trycloudflare.com";
const BULK: &str = "bulk.trycloudflare.com";
/// Rounds of what takes milliseconds; odd, so that the median is a measured value.
const STARTS: usize = 31;
/// What goes one way in a transfer.
const BYTES: u64 = 300_000_000;
/// The same, over a line that is capped.
const CAPPED: u64 = 60_000_000;
/// The most processor time that the proxy may take per GB, in parts of the better peer's.
const OF_A_PEER: f64 = 0.6;
/// How long a peer may take until sshd's greeting is through.
const PEER: Duration = Duration::from_secs(20);

/// Measures, and gives the table; or the part of it that weighs the proxy by itself.
pub fn table(alone_only: bool) -> String {
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let edge = CloudflareEdge::open(&internet, HOST, story.runtime.port());
    let mut out = String::new();
    let _ =
        writeln!(out, "SSH over a WebSocket; the edge is a stand-in on loopback, its certificate checked");
    if !alone_only {
        add(&story, "colab", HOST);
        plain_entry(&story);
        starts(&story, &mut out);
        through_ssh(&story, &mut out);
        capped(&story, &internet, &mut out);
    }
    let bulk = bulk_server();
    let _edge = CloudflareEdge::open(&internet, BULK, bulk);
    add_unreached(&story, "bulk", BULK);
    let programs: [(&str, Start<'_>); 2] =
        [("proxy alone", &|| proxy(&story, "bulk")), ("calls and cipher", &|| floor(bulk))];
    let ours = alone(&programs, &mut out)[0];
    peers(&story, ours, &mut out);
    if !alone_only {
        with_token(&story, &edge, &mut out);
    }
    out
}

/// The other programs that carry SSH so, where they are installed.
fn peers(story: &Story, ours: [Figure; 2], out: &mut String) {
    let installed =
        |name: &str| story.stage.run("sh", &["-c", &format!("command -v {name}")]).stdout.contains('/');
    let why = if installed("colab") { "this edge is Cloudflare's" } else { "it is not installed" };
    let _ = writeln!(out, "skipped: `colab ssh --proxy-mode` (google-colab-cli); {why}");
    if !installed("cloudflared") {
        let _ = writeln!(out, "skipped: `cloudflared access ssh`; it is not installed");
        return;
    }
    let start = || {
        let mut command = story.stage.command("cloudflared");
        command.args(["access", "ssh", "--hostname", BULK]);
        piped(command)
    };
    let (mut child, mut output) = start();
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || tell.send(output.read_exact(&mut [0; 8]).is_ok()));
    let greeted = told.recv_timeout(PEER) == Ok(true);
    let _ = (child.kill(), child.wait());
    if !greeted {
        let _ =
            writeln!(out, "skipped: `cloudflared access ssh`; it does not get through to the stand-in edge");
        return;
    }
    let peer = alone(&[("cloudflared", &start)], out)[0];
    for ((way, ours), peer) in ["down", "up"].into_iter().zip(ours).zip(peer) {
        let (speed, spent) = (ours.speed / peer.speed, ours.spent / peer.spent);
        let missed = if spent > OF_A_PEER { ", missed" } else { "" };
        let _ = writeln!(
            out,
            "{way}, beside cloudflared: {speed:.2} times its speed, {spent:.2} of its processor time (limit \
             {OF_A_PEER}{missed})"
        );
    }
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

/// What it holds once it has read a service token from the keyring.
fn with_token(story: &Story, edge: &CloudflareEdge, out: &mut String) {
    let (id, secret) = ("b1946ac92492d234.access", "5891b5b522d5df086d0ff0b1c2d3e4f5");
    edge.protect(id, secret);
    let set = ["secret", "set", "colab", "service-token"];
    story.stage.moorline_reads(&set, &format!("{id} {secret}\n")).works("the token is kept");
    let (mut child, mut output) = proxy(story, "colab");
    output.read_exact(&mut [0; 8]).expect("sshd greets");
    let peak = f64::from(Memory::of(child.id()).peak) / 1024.0;
    let _ = writeln!(out, "with a service token   peak {peak:.1} MiB (RSS)");
    drop(child.stdin.take());
    finish(child);
}

/// A file through ssh, which is what people wait for.
fn through_ssh(story: &Story, out: &mut String) {
    let ssh = |alias: &str| vec!["ssh".to_owned(), alias.to_owned()];
    transfers(story, out, BYTES, "through ssh", &ssh("plain"), &ssh("colab"));
}

/// The same over a line that carries 200 Mbit/s each way.
fn capped(story: &Story, internet: &Internet, out: &mut String) {
    let line = match capped::Line::lay() {
        Ok(line) => line,
        Err(why) => {
            let _ = writeln!(out, "NOT MEASURED over a line of {}: {why}", capped::RATE);
            return;
        }
    };
    let there = |port| capped::at_the_far_end(port).expect("the far end has free ports").to_string();
    let (sshd, edge) = (there(story.runtime.port()), there(internet.address().port()));
    let with = |words: &[&str]| {
        line.prefix().into_iter().chain(words.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let proxy = format!("HTTPS_PROXY=http://{}:{edge}", capped::FAR);
    let (host, port) = (format!("HostName={}", capped::FAR), format!("Port={sshd}"));
    let plain = with(&["ssh", "-o", &host, "-o", &port, "plain"]);
    transfers(story, out, CAPPED, "at 200 Mbit/s", &plain, &with(&["env", &proxy, "ssh", "colab"]));
}

/// So many bytes down and up, by two ways of logging in.
fn transfers(story: &Story, out: &mut String, bytes: u64, how: &str, plain: &[String], carried: &[String]) {
    let down = format!("head -c {bytes} /dev/zero");
    let (mut downs, mut ups) = (Pairs::default(), Pairs::default());
    for _ in 0..TRANSFERS {
        let fetch = |ssh: &[String]| {
            timed(|| {
                let mut command = story.stage.command(&ssh[0]);
                command.args(&ssh[1..]).arg(&down).stdin(Stdio::null()).stdout(Stdio::null());
                assert!(command.status().expect("ssh runs").success(), "it comes down");
            })
        };
        downs.add(fetch(plain).0, fetch(carried).0);
        let push = |ssh: &[String]| {
            timed(|| {
                let mut command = story.stage.command("sh");
                command.args(["-c", &format!("{down} | \"$@\" 'cat >/dev/null'"), "sh"]).args(ssh);
                assert!(command.status().expect("ssh runs").success(), "it goes up");
            })
        };
        ups.add(push(plain).0, push(carried).0);
    }
    for (name, pairs) in [(format!("down {how}"), downs), (format!("up {how}"), ups)] {
        let (plain, carried) = (median(&pairs.plain), median(&pairs.carried));
        let _ = writeln!(
            out,
            "{name:<22} plain {:>7.1} MB/s   carried {:>7.1} MB/s   ratio {:.2}",
            rate(bytes, plain),
            rate(bytes, carried),
            median(&pairs.plain.iter().zip(&pairs.carried).map(|(p, c)| p / c).collect::<Vec<_>>()),
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
    let mut command = story.stage.command("moorline-proxy");
    command.arg(name);
    piped(command)
}

/// This very program, which does what is in [`floor`].
fn floor(port: u16) -> (Child, ChildStdout) {
    let mut command = Command::new(std::env::current_exe().expect("a program knows where it lies"));
    command.args(["floor", &port.to_string()]);
    piped(command)
}

fn piped(mut command: Command) -> (Child, ChildStdout) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let output = child.stdout.take().expect("it is piped");
    (child, output)
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
                    let mut left = COUNTED;
                    while left > 0 {
                        let many = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
                        if visitor.write_all(&zeros[..many]).is_err() {
                            return;
                        }
                        left -= many as u64;
                    }
                } else {
                    let taken = visitor.write_all(b"?").and_then(|()| {
                        let mut buffer = vec![0; 1 << 17];
                        let mut left = COUNTED;
                        while left > 0 {
                            let many = visitor.read(&mut buffer)? as u64;
                            left = if many == 0 { 0 } else { left.saturating_sub(many) };
                        }
                        visitor.write_all(b"!")
                    });
                    drop(taken);
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
            "{name:<22} plain {:>7.1} ms   carried {:>7.1} ms   more {:>6.1} ms (paired medians)",
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
