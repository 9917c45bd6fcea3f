//! Independent clients, each with the person's own files and strict about host keys.

use crate::outcome::Outcome;
use crate::stage::Stage;

/// A client that a person may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// OpenSSH, as typed in a terminal but never asking anything.
    OpenSsh,
    /// paramiko, as scripts and older JetBrains-like tools use it.
    Paramiko,
    /// asyncssh.
    AsyncSsh,
}

/// All of them.
pub const ALL: [Client; 3] = [Client::OpenSsh, Client::Paramiko, Client::AsyncSsh];

impl Client {
    /// Runs `true` on the runtime behind the alias.
    pub fn connect(self, stage: &Stage, alias: &str) -> Outcome {
        match self {
            Self::OpenSsh => stage.run("ssh", &["-o", "BatchMode=yes", alias, "true"]),
            Self::Paramiko => python(stage, include_str!("../clients/paramiko_client.py"), alias),
            Self::AsyncSsh => python(stage, include_str!("../clients/asyncssh_client.py"), alias),
        }
    }

    /// Insists that it connects.
    #[track_caller]
    pub fn connects(self, stage: &Stage, alias: &str) {
        self.connect(stage, alias).works(&format!("{self:?} reaches {alias}"));
    }

    /// Insists that it refuses the host key, rather than failing in some other way.
    #[track_caller]
    pub fn refuses_host_key(self, stage: &Stage, alias: &str) {
        let outcome = self.connect(stage, alias).fails(&format!("{self:?} refuses a key that is not pinned"));
        let sentence = match self {
            Self::OpenSsh => "Host key verification failed",
            Self::Paramiko | Self::AsyncSsh => "host key refused",
        };
        outcome.says(sentence);
    }
}

fn python(stage: &Stage, program: &str, alias: &str) -> Outcome {
    let ssh_dir = stage.home_inside().join(".ssh");
    let ssh_dir = ssh_dir.to_str().expect("the home's name is text");
    stage.run_with_input(stage.python(), &["-B", "-", ssh_dir, alias], program)
}
