//! The relay: the person's own server, which holds the ports of reverse tunnels.

use crate::keys::KeyPair;
use crate::machine::{Machine, RELAY_NAME, random_password};
use crate::stage::Stage;
use crate::weather::{self, Weather};

/// A real sshd with a name, `relay.example.net`, and login by key.
#[derive(Debug)]
pub struct Relay {
    machine: Machine,
    password: String,
    host_key: KeyPair,
    runtime_key: KeyPair,
    known_hosts: String,
    /// Where the person's machine finds it, and where runtimes do.
    addresses: [&'static str; 2],
}

/// An address that stands for the relay's public one: neither `127.0.0.1` nor reachable from outside.
pub const PUBLIC_ADDRESS: &str = "127.0.0.2";

impl Relay {
    /// Starts a relay.
    pub fn start() -> Self {
        let password = random_password();
        Self::begin(Machine::new(&password), password, ["127.0.0.1"; 2])
    }

    /// Starts one on a network with weather.
    pub fn start_on(weather: &Weather) -> Self {
        let password = random_password();
        let machine = Machine::on(weather, &password);
        Self::begin(machine, password, [weather::RELAY, weather::RELAY_FROM_RUNTIME])
    }

    fn begin(mut machine: Machine, password: String, addresses: [&'static str; 2]) -> Self {
        let host_key = KeyPair::generate(&machine.keys().join("host"), "ed25519");
        let runtime_key = KeyPair::generate(&machine.keys().join("runtime"), "ed25519");
        machine.serve(std::slice::from_ref(&host_key), None);
        machine.authorise(&runtime_key.public());
        let known_hosts = machine.keys().join("known_hosts");
        let line = format!("[{}]:{} {}\n", addresses[1], machine.port(), host_key.public());
        std::fs::write(&known_hosts, line).expect("the relay's key is noted");
        let known_hosts = known_hosts.display().to_string();
        Self { machine, password, host_key, runtime_key, known_hosts, addresses }
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        self.machine.user()
    }

    /// Where runtimes find it.
    pub fn address(&self) -> &'static str {
        self.addresses[1]
    }

    /// Takes it away, with all that goes through it.
    pub fn stop(&mut self) {
        self.machine.stop();
    }

    /// The password of that login. It works when [`Machine::takes_passwords`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The machine under it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Gives the person a login on the relay: a key, the relay's host key in `known_hosts`, and the text of
    /// a `Host` entry with this alias, which the caller puts into the config.
    pub fn befriend(&self, stage: &Stage, alias: &str) -> String {
        let file = format!("id_{alias}");
        stage.put(&format!(".ssh/{file}"), "");
        std::fs::remove_file(stage.ssh_dir().join(&file)).expect("the place is free");
        let key = KeyPair::generate(&stage.ssh_dir().join(&file), "ed25519");
        self.machine.authorise(&key.public());
        let entry = self.befriend_without_key(stage, alias);
        format!("{entry}    IdentityFile ~/.ssh/{file}\n")
    }

    /// As [`Relay::befriend`], without the key: the person logs in with [`Relay::password`].
    pub fn befriend_without_key(&self, stage: &Stage, alias: &str) -> String {
        stage.knows_host(self.addresses[0], RELAY_NAME);
        let port = self.machine.port();
        let mut known = stage.text(".ssh/known_hosts");
        known.push_str(&format!("[{RELAY_NAME}]:{port} {}\n", self.host_key.public()));
        stage.put(".ssh/known_hosts", known);
        let user = self.user();
        format!("Host {alias}\n    HostName {RELAY_NAME}\n    Port {port}\n    User {user}\n")
    }

    /// The options with which a runtime logs in.
    pub fn arguments_for_login(&self) -> Vec<String> {
        vec![
            "-i".to_owned(),
            self.runtime_key.path.display().to_string(),
            "-o".to_owned(),
            format!("UserKnownHostsFile={}", self.known_hosts),
            "-o".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            "-p".to_owned(),
            self.machine.port().to_string(),
        ]
    }
}
