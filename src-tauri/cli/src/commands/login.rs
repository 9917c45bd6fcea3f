//! Making sure that the login key opens the runtime, with the password if need be.

use std::time::Duration;

use moorline_core::ssh::check_plain_ssh::OwnLogin;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::login::{Installed, LoginError};
use moorline_core::ssh::login_key::LoginKey;
use moorline_core::ssh::{SystemSsh, ensure_login};
use moorline_model::session::Session;
use secrecy::SecretString;

use super::reaching::patient;
use crate::advice::with_command;
use crate::printer::Printer;

const LIMIT: Duration = Duration::from_secs(20);

/// For plain ssh, with whatever the person's config adds to it.
const OWN_SSH_LIMIT: Duration = Duration::from_secs(15);

/// How the login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The session logs in with a key of the person's own, which only their ssh can use.
    OwnKey,
    /// The runtime knows the key already.
    KeyWorks,
    /// The key was installed with the password.
    KeyInstalled,
    /// The runtime does not know the key, and refused the password.
    PasswordRefused,
    /// The runtime does not know the key, and there is no password to install it with, or it failed.
    KeyMissing,
}

impl Login {
    /// Whether the runtime lets this computer in now; see [`ssh_agrees`].
    pub fn works(self) -> bool {
        matches!(self, Self::KeyWorks | Self::KeyInstalled | Self::OwnKey)
    }

    /// For `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::OwnKey => "own-key",
            Self::KeyWorks => "key-works",
            Self::KeyInstalled => "key-installed",
            Self::PasswordRefused => "password-refused",
            Self::KeyMissing => "key-missing",
        }
    }
}

/// Makes sure of the login (see [`moorline_core::ssh::ensure_login`]), and says what a person can do where that fails.
///
/// # Errors
/// The login key itself cannot be made or read.
pub async fn ensure(
    tools: &Tools,
    ssh: &SystemSsh,
    session: &Session,
    pasted: Option<&SecretString>,
    printer: &Printer,
) -> anyhow::Result<Login> {
    let waiting = printer.waiting("logging in");
    let login = ensure_login::ensure(tools, ssh, session, pasted, patient(LIMIT, ssh)).await;
    drop(waiting);
    let key = match login? {
        ensure_login::Login::OwnKey => {
            if let Some(own) = &session.identity_file {
                printer.done(format!("ssh logs in with your own key {own}"));
            }
            return Ok(Login::OwnKey);
        }
        ensure_login::Login::KeyWorks => {
            printer.done("the login key works");
            return Ok(Login::KeyWorks);
        }
        ensure_login::Login::KeyInstalled(installed) => {
            let added = installed == Installed::Added;
            printer.done(if added {
                "installed the login key with the password"
            } else {
                "the login key is installed"
            });
            return Ok(Login::KeyInstalled);
        }
        ensure_login::Login::NotTried(error) => {
            let step = error.next_step().map(|step| step.of(&session.name));
            printer.note(with_command(format!("could not log in: {error}"), step));
            return Ok(Login::KeyMissing);
        }
        ensure_login::Login::NoPassword(key) => key,
        ensure_login::Login::PasswordOfAnother(key, link) => {
            printer.note(format!(
                "the stored password was given for {link}, and is not sent elsewhere; if it is the same here: moorline secret set {}",
                session.name
            ));
            key
        }
        ensure_login::Login::VaultShut(key, error) => {
            printer.note(error);
            key
        }
        ensure_login::Login::NotInstalled(key, error) => {
            let step = error.next_step().map(|step| step.of(&session.name));
            printer.note(with_command(format!("the login key could not be installed: {error}"), step));
            let refused = matches!(error, LoginError::WrongPassword);
            advise(session, &key, printer);
            return Ok(if refused { Login::PasswordRefused } else { Login::KeyMissing });
        }
    };
    advise(session, &key, printer);
    Ok(Login::KeyMissing)
}

/// Whether the person's own ssh agrees that the login works; says why where it does not. `None` if it was not asked,
/// since nothing is to be expected of it or since it would ask the person again.
pub async fn ssh_agrees(ssh: &SystemSsh, session: &Session, login: Login, printer: &Printer) -> Option<bool> {
    if !login.works() || ssh.asks_person() {
        return None;
    }
    let name = &session.name;
    let waiting = printer.waiting(format!("trying ssh {name}"));
    let tried = ssh.logs_in(name, OWN_SSH_LIMIT).await;
    drop(waiting);
    let said = match tried {
        Ok(OwnLogin::Works) => return Some(true),
        Ok(OwnLogin::Fails(said)) if said.is_empty() => "it says nothing".to_owned(),
        Ok(OwnLogin::Fails(said)) => said,
        Err(error) => error.to_string(),
    };
    printer.note(if login == Login::OwnKey {
        format!("`ssh {name}` does not log in without asking you something: {said}")
    } else {
        format!(
            "the login works, but your own `ssh {name}` does not: {said}; look for an option for every host in your ssh config (`moorline doctor` names the usual ones)"
        )
    });
    Some(false)
}

fn advise(session: &Session, key: &LoginKey, printer: &Printer) {
    let home = if session.user.as_str() == "root" { "/root" } else { "~" };
    let name = &session.name;
    printer.note(format!(
        "{name} does not know this computer's login key yet; run this in the notebook, or store the password with `moorline secret set {name}` and repair:"
    ));
    printer.line(format!(
        "  !mkdir -p -m 700 {home}/.ssh && echo '{}' >> {home}/.ssh/authorized_keys",
        key.public_line()
    ));
}
