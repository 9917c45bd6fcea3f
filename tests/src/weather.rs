//! A network with weather: what goes over it is late, gets lost, or never arrives.
//!
//! [`Weather`] is a network namespace with one network device, behind which a program of ours ([`sky`]) plays the
//! world. Whatever is sent to an address of the far side comes back to the namespace's own address as if it had come
//! from there, after the delay and with the loss that are set, so that everybody on it reaches everybody by these
//! addresses:
//!
//! - [`RUNTIME`]: the runtime, as the person's machine reaches it.
//! - [`RELAY`]: the relay, as the person's machine reaches it.
//! - [`RELAY_FROM_RUNTIME`]: the relay, as the runtime reaches it.
//! - [`NOWHERE`]: an address at which nobody ever answers.
//!
//! A name server at [`NAMES`] says of every name that it does not exist.

pub mod play;
pub mod sky;
pub mod tun;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::person::is_root;

/// The namespace's own address.
pub const HERE: &str = "10.77.0.1";
/// The runtime, as the person's machine reaches it.
pub const RUNTIME: &str = "10.77.0.2";
/// The relay, as the person's machine reaches it.
pub const RELAY: &str = "10.77.0.3";
/// The relay, as the runtime reaches it.
pub const RELAY_FROM_RUNTIME: &str = "10.77.0.4";
/// An address at which nobody ever answers.
pub const NOWHERE: &str = "10.77.0.99";
/// The name server.
pub const NAMES: &str = "10.77.0.53";

/// A network, which lasts as long as this value and all its clones.
#[derive(Debug, Clone)]
pub struct Weather(Arc<Mutex<Sky>>);

/// The program that plays the world.
#[derive(Debug)]
struct Sky {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Weather {
    /// A network on which nothing is late and nothing gets lost.
    ///
    /// # Panics
    /// When the system allows no network namespaces or no network devices (`/dev/net/tun`).
    pub fn fair() -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--net"]);
        if !is_root() {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        command.arg(program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut program = command.spawn().expect("setpriv and unshare (package util-linux) are installed");
        let orders = program.stdin.take().expect("its input is piped");
        let answers = BufReader::new(program.stdout.take().expect("its output is piped"));
        let mut sky = Sky { program, orders, answers };
        assert_eq!(sky.answer(), "ready", "a network namespace with a TUN device is needed; see above");
        Self(Arc::new(Mutex::new(sky)))
    }

    /// From now on a packet and its answer together take this long, and this share of the packets is lost, each way.
    pub fn set(&self, round_trip: Duration, loss_percent: u8) {
        self.order(&format!("weather\t{}\t{loss_percent}", round_trip.as_millis()));
    }

    /// Nothing reaches this address of the far side any more, and nothing comes from there; nobody is told.
    pub fn swallow(&self, address: &str) {
        self.order(&format!("swallow\t{address}"));
    }

    /// Nobody gets a new connection to this address any more, and nobody is told; those that stand go on.
    pub fn shut(&self, address: &str) {
        self.order(&format!("shut\t{address}"));
    }

    /// Nothing is swallowed or shut any more.
    pub fn spit_out(&self) {
        self.order("spit-out");
    }

    /// The cable is pulled: no network device is up any more.
    pub fn unplug(&self) {
        self.order("unplug");
    }

    /// The cable is back.
    pub fn plug_in(&self) {
        self.order("plug-in");
    }

    /// Starts a process that holds a mount namespace on this network, by running a shell script with these
    /// arguments; it must say `ready`. The process ends with the network.
    pub(crate) fn hold(&self, script: &str, arguments: &[OsString]) -> u32 {
        let mut order = b"hold".to_vec();
        for word in std::iter::once(script.as_bytes()).chain(arguments.iter().map(|word| word.as_bytes())) {
            order.push(b'\t');
            order.extend(hex(word).as_bytes());
        }
        let order = String::from_utf8(order).expect("hexadecimal digits are text");
        self.order(&order).parse().expect("the id of a process")
    }

    /// Gives an order and waits until it is carried out.
    fn order(&self, order: &str) -> String {
        let mut sky = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(sky.orders, "{order}").expect("the sky takes orders");
        let answer = sky.answer();
        answer.strip_prefix("ok ").unwrap_or_else(|| panic!("{order}: {answer}")).to_owned()
    }
}

impl Sky {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the sky answers");
        line.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Sky {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Bytes as digits, which no separator can be mistaken for.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes from pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The program that cargo built beside the tests.
fn program() -> PathBuf {
    let path = crate::built::target_folder().join("weather");
    assert!(path.is_file(), "{} is missing: run `cargo build -p moorline-tests --bins`", path.display());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_comes_through() {
        let word = b"mount --bind \"$2\"\n\t\xff";
        assert_eq!(unhex(&hex(word)).as_deref(), Some(&word[..]));
        assert_eq!((unhex("0"), unhex("zz")), (None, None));
    }
}
