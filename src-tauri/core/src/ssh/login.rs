//! Logging in with this desktop's key, and putting that key on a runtime with a pasted password.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::text::shown;
use moorline_ssh_files::{HostKey, UserName};
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::{ChannelMsg, Disconnect, MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::client::{Accept, Connection, Exchange, Gate, Purpose, exchange_for};
use super::failure::last_line;
use super::login_key::LoginKey;
use super::probe_error::ProbeError;
use super::route::Route;

/// Adds the line that comes on standard input to `authorized_keys`, unless its key is there.
///
/// One line, single-quoted, with neither backslash nor exclamation mark outside what the inner shell reads, so that
/// any login shell (fish and csh too) hands it to `/bin/sh` unchanged. A line that was cut off is never added:
/// `read` fails without its line end. The new line goes in with one appending write.
pub(crate) const INSTALL: &str = concat!(
    "exec /bin/sh -c '",
    "set -eu; umask 077; ",
    "IFS= read -r line; ",
    "key=${line#* }; key=${line%% *}\" \"${key%% *}; ",
    "d=$HOME/.ssh; f=$d/authorized_keys; ",
    "mkdir -p \"$d\"; ",
    "if [ -f \"$f\" ] && grep -q \"^$key\" \"$f\"; then echo moorline:there; exit 0; fi; ",
    "nl=; ",
    "if [ -s \"$f\" ] && [ -n \"$(tail -c 1 \"$f\")\" ]; then nl=$(printf \"%b_\" \"\\0012\"); nl=${nl%_}; fi; ",
    "printf \"%s%s%b\" \"$nl\" \"$line\" \"\\0012\" >> \"$f\"; ",
    "echo moorline:added'",
);

/// Whether the key was on the runtime before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// The runtime knew the key.
    AlreadyThere,
    /// It was added.
    Added,
}

/// Why a login, or the installing of the login key, failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server shows another key than the pinned ones; nothing was sent to it.
    #[error("the server shows another host key ({}) than the pinned one, so nothing was sent to it; compare the keys first", got.fingerprint())]
    WrongKey {
        /// The key it showed.
        got: HostKey,
    },
    /// There is no pinned key to hold the server to.
    #[error("no host key is pinned yet, so nothing was sent; settle the host key first")]
    NoPinnedKey,
    /// The password is wrong (or root may not use one).
    #[error("the runtime refused the password; copy it again from the cell's output")]
    WrongPassword,
    /// The server takes no password.
    #[error(
        "the runtime does not accept passwords (it offers {offered}); add the key in the notebook instead"
    )]
    PasswordNotOffered {
        /// What it takes.
        offered: String,
    },
    /// The key line was added, but the server does not take the key.
    #[error(
        "the runtime stored the login key but does not accept it; check AuthorizedKeysFile and StrictModes in its sshd_config"
    )]
    KeyNotTaken,
    /// The key that the person named could not be used.
    #[error("cannot log in with your own key: {cause}; add it to your ssh agent and try again")]
    NoSignature {
        /// Why.
        cause: String,
    },
    /// The runtime could not store the key.
    #[error("the runtime could not store the login key: {said}")]
    NotStored {
        /// What it printed, escaped and bounded.
        said: String,
    },
    /// The connection broke.
    #[error("the connection broke during the login: {cause}; try again")]
    Broken {
        /// Why.
        cause: String,
    },
    /// It took too long.
    #[error("the login did not finish within {} s; try again", after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// No connection, or no key exchange.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl LoginError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Probe(error) = self { error.next_step() } else { None }
    }
}

/// Whether `key` logs `user` in. Goes no further than the key exchange unless the server's key is one of `pinned`.
pub async fn key_login_works(
    route: &Route,
    pinned: &[HostKey],
    user: &UserName,
    key: &LoginKey,
    limit: Duration,
) -> Result<bool, LoginError> {
    bounded(limit, async |end| key_login(route, pinned, user, key, end).await).await
}

/// Logs `user` in with `password`, appends the public half of `key` to their `authorized_keys`, and proves by a
/// second login that the key works; all of it within `limit`. The password leaves this machine only after the
/// server has proven one of the `pinned` keys and said that it takes passwords; it is tried once.
pub async fn install_login_key(
    route: &Route,
    pinned: &[HostKey],
    user: &UserName,
    password: &SecretString,
    key: &LoginKey,
    limit: Duration,
) -> Result<Installed, LoginError> {
    bounded(limit, async |end| {
        let mut connection = reach(route, pinned, end).await?;
        password_login(&mut connection, user, password).await?;
        let installed = store(&connection, key).await?;
        goodbye(&connection).await;
        drop(connection);
        let works = key_login(route, pinned, user, key, end).await?;
        if works { Ok(installed) } else { Err(LoginError::KeyNotTaken) }
    })
    .await
}

impl From<russh::Error> for LoginError {
    fn from(cause: russh::Error) -> Self {
        Self::Broken { cause: shown(&cause.to_string(), 160) }
    }
}

pub(super) async fn bounded<T>(
    limit: Duration,
    work: impl AsyncFnOnce(Instant) -> Result<T, LoginError>,
) -> Result<T, LoginError> {
    let end = Instant::now() + limit;
    timeout_at(end, work(end)).await.unwrap_or(Err(LoginError::TimedOut { after: limit }))
}

async fn key_login(
    route: &Route,
    pinned: &[HostKey],
    user: &UserName,
    key: &LoginKey,
    end: Instant,
) -> Result<bool, LoginError> {
    let mut connection = reach(route, pinned, end).await?;
    let result = connection.handle.authenticate_publickey(user.as_str(), key.for_login()).await?;
    let taken = taken(&result, &connection.handle);
    goodbye(&connection).await;
    taken
}

/// Whether the server took the login. russh says that it did not, too, when the connection ended before an answer:
/// that is no refusal.
///
/// # Errors
/// The connection ended.
pub(super) fn taken(result: &AuthResult, handle: &Handle<Gate>) -> Result<bool, LoginError> {
    match result {
        AuthResult::Failure { remaining_methods, .. }
            if remaining_methods.is_empty() && handle.is_closed() =>
        {
            Err(hung_up())
        }
        answered => Ok(answered.success()),
    }
}

fn hung_up() -> LoginError {
    LoginError::Broken { cause: "it hung up before it answered".to_owned() }
}

pub(super) async fn reach(route: &Route, pinned: &[HostKey], end: Instant) -> Result<Connection, LoginError> {
    reach_for(Purpose::Talk, route, pinned, end).await
}

pub(super) async fn reach_for(
    purpose: Purpose,
    route: &Route,
    pinned: &[HostKey],
    end: Instant,
) -> Result<Connection, LoginError> {
    if pinned.is_empty() {
        return Err(LoginError::NoPinnedKey);
    }
    match exchange_for(purpose, route, Accept::OneOf(pinned.to_vec()), end).await? {
        Exchange::Ready(connection) => Ok(connection),
        Exchange::Stopped(got) if pinned.contains(&got) => {
            Err(LoginError::Broken { cause: "it hung up after the key exchange".to_owned() })
        }
        Exchange::Stopped(got) => Err(LoginError::WrongKey { got }),
    }
}

async fn password_login(
    connection: &mut Connection,
    user: &UserName,
    password: &SecretString,
) -> Result<(), LoginError> {
    let handle = &mut connection.handle;
    // Asked first, so that the password does not travel to a server that would not take it.
    let answer = handle.authenticate_none(user.as_str()).await?;
    taken(&answer, handle)?;
    let offered = match answer {
        AuthResult::Success => return Ok(()),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    if offered.contains(&MethodKind::Password) {
        let result = handle.authenticate_password(user.as_str(), password.expose_secret()).await?;
        return if taken(&result, handle)? { Ok(()) } else { Err(LoginError::WrongPassword) };
    }
    if offered.contains(&MethodKind::KeyboardInteractive) {
        return answer_one_prompt(connection, user, password, &offered).await;
    }
    Err(LoginError::PasswordNotOffered { offered: names(&offered) })
}

/// Answers a dialogue that asks for exactly one hidden thing with the password; any other dialogue is left.
async fn answer_one_prompt(
    connection: &mut Connection,
    user: &UserName,
    password: &SecretString,
    offered: &MethodSet,
) -> Result<(), LoginError> {
    use KeyboardInteractiveAuthResponse as Reply;
    let handle = &mut connection.handle;
    let mut reply = handle.authenticate_keyboard_interactive_start(user.as_str(), None).await?;
    let mut answered = false;
    // PAM ends a dialogue with an empty request; more than a few rounds is no password dialogue.
    for _ in 0..4 {
        let answers = match reply {
            Reply::Success => return Ok(()),
            Reply::Failure { .. } if handle.is_closed() => return Err(hung_up()),
            Reply::Failure { .. } if answered => return Err(LoginError::WrongPassword),
            Reply::Failure { .. } => break,
            Reply::InfoRequest { ref prompts, .. } => match prompts.as_slice() {
                [] => Vec::new(),
                [prompt] if !prompt.echo && !answered => {
                    answered = true;
                    vec![password.expose_secret().to_owned()]
                }
                [_] if answered => return Err(LoginError::WrongPassword),
                _ => break,
            },
        };
        reply = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Err(LoginError::PasswordNotOffered { offered: names(offered) })
}

async fn store(connection: &Connection, key: &LoginKey) -> Result<Installed, LoginError> {
    let mut channel = connection.handle.channel_open_session().await?;
    channel.exec(true, INSTALL).await?;
    channel.data_bytes(format!("{}\n", key.public_line()).into_bytes()).await?;
    channel.eof().await?;
    let (mut printed, mut complained, mut status) = (Vec::new(), Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => keep(&mut printed, &data),
            ChannelMsg::ExtendedData { data, .. } => keep(&mut complained, &data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::Failure => {
                return Err(LoginError::NotStored { said: "it does not run commands".to_owned() });
            }
            _ => {}
        }
    }
    let printed = String::from_utf8_lossy(&printed);
    // A login shell's profile may print lines of its own before ours.
    let outcome = printed.lines().rev().find_map(|line| match line {
        "moorline:there" => Some(Installed::AlreadyThere),
        "moorline:added" => Some(Installed::Added),
        _ => None,
    });
    if let (Some(installed), Some(0) | None) = (outcome, status) {
        return Ok(installed);
    }
    let said = last_line(&String::from_utf8_lossy(&complained));
    Err(LoginError::NotStored { said: if said.is_empty() { "it did not say why".to_owned() } else { said } })
}

/// A polite end, so that the server does not log a lost connection; it does not matter if it gets lost.
pub(super) async fn goodbye(connection: &Connection) {
    let _ = connection.handle.disconnect(Disconnect::ByApplication, "", "").await;
}

fn keep(buffer: &mut Vec<u8>, data: &[u8]) {
    let room = 16_384_usize.saturating_sub(buffer.len());
    buffer.extend(data.iter().take(room));
}

fn names(methods: &MethodSet) -> String {
    let names: Vec<String> = methods.iter().map(|m| <&str>::from(m).to_owned()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs the script as an sshd would, with `shell` as the login shell.
    fn run(shell: &str, home: &std::path::Path, input: &str) -> (Option<i32>, String) {
        let mut child = Command::new(shell)
            .args(["-c", INSTALL])
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_script_adds_whole_lines_only_and_each_key_once() {
        for shell in ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/bin/csh", "/bin/zsh"] {
            if !std::path::Path::new(shell).exists() {
                continue;
            }
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join(".ssh/authorized_keys");
            let held = || std::fs::read_to_string(&file).unwrap_or_default();
            let (status, _) = run(shell, home.path(), "ssh-ed25519 AAAAcut");
            assert!(status != Some(0) && held().is_empty(), "{shell}: a line that was cut off is not added");
            let line = "ssh-ed25519 AAAA+/x= moorline@a b $(touch x) `id` \\n %s 'q' \"q\"\n";
            assert_eq!(run(shell, home.path(), line), (Some(0), "moorline:added\n".to_owned()), "{shell}");
            assert_eq!(held(), line, "{shell}");
            assert_eq!(run(shell, home.path(), line), (Some(0), "moorline:there\n".to_owned()), "{shell}");
            let other = "ssh-ed25519 BBBB other\n";
            assert_eq!(run(shell, home.path(), other), (Some(0), "moorline:added\n".to_owned()), "{shell}");
            assert_eq!(held(), format!("{line}{other}"), "{shell}");
        }
    }
}
