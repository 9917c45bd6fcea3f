//! The runtime: a machine that is taken away and comes back as another one.

use std::fs::File;
use std::net::Ipv4Addr;
use std::process::Stdio;

use crate::keys::KeyPair;
use crate::machine::{Machine, random_password};
use crate::processes::Program;
use crate::relay::Relay;
use crate::weather::Weather;

/// A Colab-like runtime behind a real sshd.
#[derive(Debug)]
pub struct Runtime {
    machine: Machine,
    password: String,
    generations: Vec<Vec<KeyPair>>,
    tunnels: Vec<Program>,
    misbehaving: Option<Program>,
}

impl Runtime {
    /// Starts a runtime with fresh host keys, a free port, an empty disk and a password that only it has.
    pub fn start() -> Self {
        let password = random_password();
        Self::begin(Machine::new(&password), password)
    }

    /// As [`Runtime::start`], on a network with weather.
    pub fn start_on(weather: &Weather) -> Self {
        let password = random_password();
        Self::begin(Machine::on(weather, &password), password)
    }

    fn begin(machine: Machine, password: String) -> Self {
        let mut runtime =
            Self { machine, password, generations: Vec::new(), tunnels: Vec::new(), misbehaving: None };
        runtime.restart();
        runtime
    }

    /// The old machine is gone; a new one has new host keys, another port and an empty disk.
    pub fn restart(&mut self) {
        self.renew(None);
    }

    /// As [`Runtime::restart`], with the port that the old one had.
    pub fn restart_on_same_port(&mut self) {
        self.renew(Some(self.machine.port()));
    }

    /// Somebody serves the host keys of an earlier generation (0 is the first) at the port of the present one.
    pub fn serve_keys_of(&mut self, generation: usize) {
        self.misbehaving = None;
        let port = self.machine.port();
        self.machine.serve(&self.generations[generation], Some(port));
    }

    /// From now on, at the same port, sshd holds exactly keys of these kinds (`ed25519`, `ecdsa`, `rsa`).
    pub fn hold_keys(&mut self, kinds: &[&str]) -> Vec<KeyPair> {
        let generation = self.generations.len();
        let make = |kind: &&str| {
            KeyPair::generate(&self.machine.keys().join(format!("host_{kind}_{generation}")), kind)
        };
        let keys: Vec<KeyPair> = kinds.iter().map(make).collect();
        let port = self.machine.port();
        self.machine.serve(&keys, Some(port));
        self.generations.push(keys.clone());
        keys
    }

    /// A new machine, at another port and with an empty disk, serves this key: the one that its session key gives.
    pub fn restart_with(&mut self, key: &KeyPair) {
        let old_port = self.machine.port();
        self.stop();
        self.machine.wipe();
        loop {
            self.machine.serve(std::slice::from_ref(key), None);
            if self.machine.port() != old_port {
                break;
            }
        }
        self.generations.push(vec![key.clone()]);
    }

    /// The disk is empty, and all else is as before.
    pub fn lose_disk(&mut self) {
        self.machine.wipe();
        self.serve_keys_of(self.generations.len() - 1);
    }

    /// Its sshd dies, and the tunnels stay.
    pub fn lose_sshd(&mut self) {
        self.machine.stop();
    }

    /// Its connections break, and it takes new ones.
    pub fn hang_up(&self) {
        self.machine.hang_up();
    }

    /// Something else than sshd listens at its port: it accepts whoever comes, and then hangs up, or says nothing.
    pub fn misbehave(&mut self, hang_up: bool) {
        self.machine.stop();
        let port = self.machine.port();
        let mut command = self.machine.command("python3");
        command.args(["-c", MISBEHAVING, &port.to_string(), if hang_up { "hang-up" } else { "silent" }]);
        let mut program = Program::start(command);
        let id = program.id();
        program.await_ready(|| listens(id, Ipv4Addr::UNSPECIFIED, port), String::new);
        self.misbehaving = Some(program);
    }

    /// sshd starts again, with the same keys at the same port, and with these lines before all others.
    pub fn serve_with_options(&mut self, lines: &str) {
        self.machine.prefer_options(lines);
        self.serve_keys_of(self.generations.len() - 1);
    }

    /// The machine goes away and nothing comes back, for now.
    pub fn stop(&mut self) {
        self.tunnels.clear();
        self.misbehaving = None;
        self.machine.stop();
    }

    /// Opens `ssh -R bind:port` from the runtime to the relay's loopback, or to its public address.
    pub fn reverse_tunnel(&mut self, relay: &Relay, bind: &str, port: u16) {
        let mut command = self.machine.command("ssh");
        command.args(["-N", "-T", "-F", "none", "-o", "ExitOnForwardFailure=yes", "-o", "BatchMode=yes"]);
        command.args(relay.arguments_for_login());
        command.arg("-R").arg(format!("{bind}:{port}:127.0.0.1:{}", self.machine.port()));
        command.arg(format!("{}@{}", relay.user(), relay.address()));
        let log = self.machine.keys().join("tunnel.log");
        command.stdout(Stdio::null()).stderr(File::create(&log).expect("the tunnel's log can be written"));
        let mut tunnel = Program::start(command);
        let (id, bind) = (tunnel.id(), bind.parse().expect("an IPv4 address"));
        tunnel.await_ready(|| listens(id, bind, port), || std::fs::read_to_string(&log).unwrap_or_default());
        self.tunnels.push(tunnel);
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        self.machine.user()
    }

    /// The password that the cell prints. It works when [`Machine::takes_passwords`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where sshd listens on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.machine.port()
    }

    /// The present Ed25519 host key.
    pub fn host_key(&self) -> &KeyPair {
        let keys = self.generations.last().expect("a runtime was started");
        &keys[0]
    }

    /// The machine under it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    fn renew(&mut self, port: Option<u16>) {
        self.stop();
        self.machine.wipe();
        let generation = self.generations.len();
        let make = |kind: &str| {
            KeyPair::generate(&self.machine.keys().join(format!("host_{kind}_{generation}")), kind)
        };
        let keys = vec![make("ed25519"), make("ecdsa")];
        let mut old_port = port.is_none().then_some(self.machine.port());
        // A new machine has a new port, so a free one that happens to be the old one does not do.
        loop {
            self.machine.serve(&keys, port);
            if old_port.take() != Some(self.machine.port()) {
                break;
            }
        }
        self.generations.push(keys);
    }
}

/// Accepts connections, and keeps them open without a word, or closes them.
const MISBEHAVING: &str = "
import socket, sys
server = socket.create_server(('0.0.0.0', int(sys.argv[1])))
kept = []
while True:
    visitor, _ = server.accept()
    if sys.argv[2] == 'hang-up':
        visitor.close()
    else:
        kept.append(visitor)
";

/// Whether somebody listens there on the network of this process (proc_pid_net(5)).
fn listens(process: u32, address: Ipv4Addr, port: u16) -> bool {
    let sockets = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
    let wanted = format!("{:08X}:{port:04X}", u32::from_ne_bytes(address.octets()));
    sockets.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(1) == Some(&wanted.as_str()) && fields.get(3) == Some(&"0A")
    })
}
