//! The story of every end-to-end test: a person with ssh files of their own follows a runtime as `colab`.

use std::fs;

use crate::clients::{self, Client};
use crate::desktop::Desktop;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::runtime::Runtime;
use crate::stage::Stage;
use crate::weather::Weather;

/// A config as people have it: options for all hosts that leak into everything, a bastion, an include.
pub const PERSONS_CONFIG: &str = "\
# my machines, do not touch
AddKeysToAgent no
Include config.d/*

Host bastion
\tHostName bastion.example.org
\tUser ada
\tPort 2222   

Host gpu-? !gpu-x
    ProxyJump bastion
Host *
    ForwardAgent yes
    UpdateHostKeys yes
    StrictHostKeyChecking accept-new
    ServerAliveInterval 120
    ControlMaster auto
    ControlPath ~/.ssh/cm-%C
";

/// What the person already knows of other hosts: shared lines, a wildcard, a port, a comment. No line with a
/// marker, on which paramiko gives up; those are the crate's own tests' affair.
pub const PERSONS_KNOWN_HOSTS: &str = "\
# servers at work
bastion.example.org,203.0.113.7 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLDA0ODxAREhMUFRYXGBka
*.intern.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYWFhYWFhYWFhYWFhYWFhYWFxgZGhscHR4fICEiIyQl ada@desk

[git.example.org]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICEhISEhISEhISEhISEhISEhIiMkJSYnKCkqKywtLi8w
";

/// The person, their desktop, and the runtime they follow.
#[derive(Debug)]
pub struct Story {
    /// The person's machine.
    pub stage: Stage,
    /// Its keyring.
    pub desktop: Desktop,
    /// The machine that drifts.
    pub runtime: Runtime,
    config: String,
    known_hosts: String,
}

impl Story {
    /// A person with files of their own, a desktop with a keyring, and a runtime that has just been started.
    pub fn begin() -> Self {
        Self::told(Stage::new(), Runtime::start())
    }

    /// As [`Story::begin`], where the person and the runtime are on a network with weather.
    pub fn begin_on(weather: &Weather) -> Self {
        Self::told(Stage::on(weather), Runtime::start_on(weather))
    }

    fn told(stage: Stage, runtime: Runtime) -> Self {
        let desktop = Desktop::start(&stage);
        stage.hide(runtime.password());
        let mut story = Self {
            stage,
            desktop,
            runtime,
            config: String::new(),
            known_hosts: PERSONS_KNOWN_HOSTS.to_owned(),
        };
        story.person_writes_config(PERSONS_CONFIG);
        story.stage.put(".ssh/known_hosts", PERSONS_KNOWN_HOSTS);
        story.stage.put(".ssh/config.d/lab", "Host lab\n    HostName lab.example.org\n    Port 2022\n");
        story
    }

    /// The person's own config, from before Moorline.
    pub fn person_writes_config(&mut self, config: &str) {
        config.clone_into(&mut self.config);
        self.stage.put(".ssh/config", config);
    }

    /// Takes what is in `known_hosts` now for the person's own.
    pub fn person_knows_hosts(&mut self) {
        self.known_hosts = self.stage.text(".ssh/known_hosts");
    }

    /// `moorline ARGUMENTS --from -`, with the text pasted and the fingerprint compared by the person.
    pub fn paste(&self, arguments: &[&str], text: &str) -> Outcome {
        let fingerprint = self.runtime.host_key().fingerprint();
        let rest = ["--from", "-", "--yes", "--fingerprint", &fingerprint];
        let mut arguments: Vec<&str> = arguments.iter().copied().chain(rest).collect();
        if arguments[0] == "add" && !Machine::takes_passwords() {
            // Cells speak of root, who is not the user of this runtime.
            arguments.extend(["--user", self.runtime.user()]);
        }
        self.stage.moorline_reads(&arguments, text)
    }

    /// `moorline add NAME`, with what a cell printed about the runtime, which is found at this host.
    pub fn follow(&self, name: &str, host: &str) {
        let (port, user) = (self.runtime.port(), self.runtime.user());
        let cell = format!("ssh -p {port} {user}@{host}\npassword: {}\n", self.runtime.password());
        self.paste(&["add", name], &cell).works("the cell's text is enough to add");
        self.help_login_without_root();
    }

    /// Lets Moorline's login key in, as a cell of the person's own does, or because the password cannot be
    /// used: see [`Machine::takes_passwords`].
    pub fn cell_authorises_login_key(&self) {
        let public = self.stage.text(".ssh/moorline_ed25519.pub");
        assert!(
            public.starts_with("ssh-ed25519 "),
            "Moorline made its login key, but the public half is {public:?}"
        );
        self.runtime.machine().authorise(public.trim_end());
    }

    /// As [`Story::cell_authorises_login_key`], but only where the password cannot do it.
    pub fn help_login_without_root(&self) {
        if !Machine::takes_passwords() {
            self.cell_authorises_login_key();
        }
    }

    /// Insists that everybody connects, strictly, and that nothing of the person's was changed.
    #[track_caller]
    pub fn all_is_well(&self) {
        for client in clients::ALL {
            client.connects(&self.stage, "colab");
        }
        self.foreign_bytes_are_kept();
    }

    /// Insists that the runtime before the present one, at the same place, is refused by everybody.
    #[track_caller]
    pub fn former_key_is_refused(&mut self, generation: usize) {
        self.runtime.serve_keys_of(generation - 1);
        for client in clients::ALL {
            client.refuses_host_key(&self.stage, "colab");
        }
        self.runtime.serve_keys_of(generation);
        Client::OpenSsh.connects(&self.stage, "colab");
    }

    /// Insists that every byte outside of what Moorline owns is as the person left it.
    #[track_caller]
    pub fn foreign_bytes_are_kept(&self) {
        let config = self.stage.text(".ssh/config");
        let (block, rest) = split_block(&config);
        assert!(block.contains("Host colab\n"), "the block holds the session:\n{config}");
        assert_eq!(rest, self.config, "the person's config is untouched outside the block");
        let known_hosts = self.stage.text(".ssh/known_hosts");
        let own = |line: &&str| line.split([' ', ',']).next() == Some("colab");
        let (ours, theirs): (Vec<&str>, Vec<&str>) = known_hosts.split_inclusive('\n').partition(own);
        assert_eq!(
            theirs.concat(),
            self.known_hosts,
            "the person's known_hosts is untouched but for our line"
        );
        assert_eq!(ours.len(), 1, "there is one line for the session:\n{known_hosts}");
    }
}

/// Moorline's block, and everything around it.
///
/// # Panics
/// When there is not exactly one.
#[track_caller]
pub fn split_block(config: &str) -> (String, String) {
    let ours = |line: &&str| line.starts_with("# >>> moorline >>>");
    assert_eq!(config.lines().filter(ours).count(), 1, "there is one block:\n{config}");
    let (before, rest) = config.split_once("# >>> moorline >>>").expect("there is a begin marker");
    let (block, after) = rest.split_once("# <<< moorline <<<\n").expect("there is an end marker");
    (block.to_owned(), format!("{before}{after}"))
}

/// A pasted text of the project's fixtures, or the one at this path below `tests/`.
pub fn fixture(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
