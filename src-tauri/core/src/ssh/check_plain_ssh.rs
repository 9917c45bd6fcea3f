//! The last word about a session: plain `ssh NAME`, with everything that the person's configuration adds to it.

use std::time::Duration;

use moorline_ssh_files::Alias;

use super::failure::last_line;
use super::system_ssh::{Prompts, SshRunError, SystemSsh};

/// How plain ssh fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnLogin {
    /// It logs in and runs a command.
    Works,
    /// It does not: its last line, escaped and bounded; empty if it said nothing.
    Fails(String),
}

impl SystemSsh {
    /// Runs `ssh ALIAS true` as the person would, but asks them nothing: what would ask (a passphrase, a password)
    /// fails. Their `Match exec` and forwardings take part.
    ///
    /// # Errors
    /// ssh cannot be run, or did not end within `limit`.
    pub async fn logs_in(&self, alias: &Alias, limit: Duration) -> Result<OwnLogin, SshRunError> {
        let mut argv = self.present_file_options();
        // A quiet LogLevel of the person's would hide why it fails.
        for option in ["BatchMode=yes", "ConnectTimeout=10", "LogLevel=INFO"] {
            argv.extend(["-o".to_owned(), option.to_owned()]);
        }
        argv.extend(["-T", "--", alias.as_str(), "true"].map(str::to_owned));
        let mut env = self.prompts.env();
        if env.is_empty() {
            // An ssh that the entry starts as its proxy does not know of BatchMode, and would ask on the terminal.
            env = vec![("SSH_ASKPASS", "false".into()), ("SSH_ASKPASS_REQUIRE", "force".into())];
        }
        let output = self.run_child(&argv, env, &[], alias.as_str(), limit).await?;
        Ok(if output.status == 0 { OwnLogin::Works } else { OwnLogin::Fails(last_line(&output.stderr)) })
    }

    /// Whether this ssh had to ask the person to get as far as it got.
    pub fn asks_person(&self) -> bool {
        self.prompts == Prompts::Terminal
    }
}
