//! Where a relay is and which key it shows, as the person's own `ssh` has it: for a runtime that must reach the same
//! machine from elsewhere, and hold it to that key.

use std::time::Duration;

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{Fingerprint, HostKey, HostName, InvalidName, Place, Port, UserName};
use tokio::time::Instant;

use super::route::Route;
use super::system_ssh::{SshRunError, SystemSsh, login_command, option_in};
use super::{SshFailure, probe};

/// Prints the public host keys where sshd keeps them by default (sshd_config(5), HostKey).
const HOST_KEYS: &str = "exec /bin/sh -c 'cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null; exit 0'";

/// How long the relay is knocked at from here, where it does not tell its keys itself.
const KNOCK: Duration = Duration::from_secs(10);

/// Where a relay is, whatever the person's own `ssh` calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPlace {
    /// Host and port that `ssh` connects to.
    pub place: Place,
    /// The user it logs in as.
    pub user: UserName,
    /// The key that the relay has proven to the person's `ssh`, which knew it.
    pub key: HostKey,
    /// Whether the person's `ssh` gets there through another machine: then others may not reach it at this place.
    pub behind_another: bool,
}

/// Why a relay's place or key is not known.
#[derive(Debug, thiserror::Error)]
pub enum RelayPlaceError {
    /// The relay could not be asked.
    #[error(transparent)]
    Ssh(#[from] SshRunError),
    /// What the person's configuration says of it cannot be used.
    #[error("your ssh config leads to the relay in a way that a runtime cannot follow: {0}")]
    Name(#[from] InvalidName),
    /// The key itself was not found.
    #[error(
        "{relay} shows a key ({print}) that is not among /etc/ssh/ssh_host_*_key.pub there; put its public half there and try again"
    )]
    NoKey {
        /// The relay.
        relay: String,
        /// The key's fingerprint.
        print: Fingerprint,
    },
    /// ssh did not say which key it accepted.
    #[error("ssh does not say which key {relay} has shown; check that `ssh -v` prints `Server host key`")]
    NotSaid {
        /// The relay.
        relay: String,
    },
}

/// Asks the person's `ssh` where the relay is, logs in there, and gives the key that was verified.
///
/// # Errors
/// The relay cannot be reached, or its key is unknown to the person's `ssh`.
pub async fn relay_place(
    system: &SystemSsh,
    target: &RelayTarget,
    limit: Duration,
) -> Result<RelayPlace, RelayPlaceError> {
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let printed = system.resolved(target, left()).await?;
    let value = |option| option_in(&printed, option).unwrap_or_default();
    let user: UserName = value("user").parse()?;
    let place = Place { host: value("hostname").parse::<HostName>()?, port: value("port").parse::<Port>()? };
    let set = |option| option_in(&printed, option).is_some_and(|value| value != "none");
    let behind_another = set("proxyjump") || set("proxycommand");

    // A master connection of the person's would say nothing of keys.
    let argv = system.remote_argv(target, &["-v", "-o", "ControlPath=none"], HOST_KEYS);
    let host = target.to_string();
    let output = system.run_child(&argv, system.prompts.env(), &[], &host, left()).await?;
    if output.status == 255 {
        let (login, failure) = (login_command(target), SshFailure::read(&output.stderr));
        return Err(SshRunError::Ssh { host, login, failure }.into());
    }
    let Some(print) = shown_key(&output.stderr) else {
        return Err(RelayPlaceError::NotSaid { relay: host });
    };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut key = keys_in(&told).find(|key| key.fingerprint() == print);
    if key.is_none() && !behind_another {
        let route = Route::Tcp(place.clone());
        let knocked = probe::host_key_preferring(&route, &[], left().min(KNOCK)).await;
        key = knocked.ok().filter(|key| key.fingerprint() == print);
    }
    match key {
        Some(key) => Ok(RelayPlace { place, user, key, behind_another }),
        None => Err(RelayPlaceError::NoKey { relay: host, print }),
    }
}

/// The fingerprint of the key that ssh has verified, as OpenSSH says it at its first level of `-v` (sshconnect.c).
/// A machine on the way, whose ssh prints the like, comes first.
fn shown_key(stderr: &str) -> Option<Fingerprint> {
    let said = |line: &str| {
        let (_, print) = line.trim_end().strip_prefix("debug1: Server host key: ")?.split_once(' ')?;
        print.parse().ok()
    };
    stderr.lines().rev().find_map(said)
}

fn keys_in(printed: &str) -> impl Iterator<Item = HostKey> + '_ {
    printed.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        format!("{} {}", words.next()?, words.next()?).parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_machine_s_key_is_the_relay_s() {
        let (jump, relay) = (
            "SHA256:mVNCGyC7cHHGqKf/CH0Q1eRJYdVOxy+yTU+VjW21DMU",
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        );
        let said = format!(
            "debug1: Server host key: ssh-ed25519 {jump}\r\ndebug1: x\r\ndebug1: Server host key: ssh-ed25519 {relay}\r\nWelcome\n"
        );
        assert_eq!(shown_key(&said), Some(relay.parse().unwrap()));
        assert_eq!(shown_key("Server host key: x\ndebug1: Server host key: ssh-ed25519 no\n"), None);
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLDA0ODxAREhMUFRYXGBka";
        let told = format!("Welcome\n{key} root@relay\nssh-dss AAAA x\n");
        assert_eq!(keys_in(&told).map(|key| key.base64().len()).collect::<Vec<_>>(), [68]);
    }
}
