//! The same transfers over a line of 200 Mbit/s each way: two network namespaces with a pair of devices between them,
//! each with the kernel's token bucket (tc-tbf(8)). The person's side is in one, sshd and the edge are in the other.

use std::io::{self, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::person::is_root;

/// The servers' end of the line.
pub(super) const FAR: &str = "10.88.0.1";
/// The limit, as tc writes it.
pub(super) const RATE: &str = "200mbit";
/// Set in the process that runs in a network of its own.
const APART: &str = "MOORLINE_BENCH_APART";

/// Does the rest of this program's work in a network namespace of its own, so that a device that is made there is
/// nobody else's. `Some` is the exit code of that. Only root may; anybody else stays where they are.
///
/// # Errors
/// The program cannot be started again.
pub fn apart() -> io::Result<Option<i32>> {
    if !is_root() || std::env::var_os(APART).is_some() {
        return Ok(None);
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(APART, "1");
    Ok(Some(command.status()?.code().unwrap_or(1)))
}

/// The line. It ends with this value.
#[derive(Debug)]
pub(super) struct Line {
    holder: Child,
}

impl Line {
    /// Lays it, or says why there is none.
    pub(super) fn lay() -> Result<Self, String> {
        if std::env::var_os(APART).is_none() {
            return Err("only root may lay a line".to_owned());
        }
        let mut holder = Command::new("unshare");
        holder.args(["--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"]);
        holder.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut line = Self { holder: holder.spawn().map_err(|error| error.to_string())? };
        let ready = line.holder.stdout.take().map(|out| io::read_to_string(io::Read::take(out, 6)));
        if !matches!(ready, Some(Ok(text)) if text == "ready\n") {
            return Err("no second network namespace".to_owned());
        }
        let (id, shape) = (line.holder.id(), format!("root tbf rate {RATE} burst 128kb latency 50ms"));
        run(&format!(
            "ip link add far type veth peer name near netns {id}
             ip addr add {FAR}/24 dev far && ip link set far up && tc qdisc add dev far {shape}"
        ))?;
        run(&format!(
            "nsenter --net=/proc/{id}/ns/net sh -euc \
             'ip addr add 10.88.0.2/24 dev near; ip link set near up; tc qdisc add dev near {shape}'"
        ))?;
        Ok(line)
    }

    /// The words before a command that is to run on the person's side.
    pub(super) fn prefix(&self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// What listens on loopback at `port` is at the far end of the line too; gives its port there.
pub(super) fn at_the_far_end(port: u16) -> io::Result<u16> {
    let listener = TcpListener::bind((FAR, 0))?;
    let there = listener.local_addr()?.port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (Ok(near_out), Ok(far_out)) = (near.try_clone(), far.try_clone()) else { continue };
            thread::spawn(move || pass(near, far_out));
            thread::spawn(move || pass(far, near_out));
        }
    });
    Ok(there)
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = (to.flush(), to.shutdown(Shutdown::Write));
}

fn run(script: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-euc", script]).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said.trim().replace('\n', "; ")) }
}
