//! Making sure that the login key opens the runtime, with the password if need be.

use std::time::Duration;

use moorline_core::pins::Pins;
use moorline_core::reach::route;
use moorline_core::session::Session;
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::login::{Installed, LoginError, install_login_key, key_login_works};
use moorline_core::ssh::login_key::LoginKey;
use moorline_core::ssh::own_login::OwnLogin;
use moorline_core::tools::Tools;
use moorline_core::vault::{SecretKind, SecretName};
use moorline_ssh_files::HostKey;
use secrecy::SecretString;

use super::reaching::patient;
use crate::printer::Printer;

const LIMIT: Duration = Duration::from_secs(20);

/// For plain ssh, with whatever the person's config adds to it.
const OWN_SSH_LIMIT: Duration = Duration::from_secs(15);

/// How the login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The runtime was not reached.
    NotTried,
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
            Self::NotTried => "not-tried",
            Self::OwnKey => "own-key",
            Self::KeyWorks => "key-works",
            Self::KeyInstalled => "key-installed",
            Self::PasswordRefused => "password-refused",
            Self::KeyMissing => "key-missing",
        }
    }
}

/// Over `ssh` where the way leads through a relay. Tries the login key, installs it with the pasted or stored password where it is missing, and says what a person
/// can do where that fails.
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
    if let Some(own) = &session.identity_file {
        printer.done(format!("ssh logs in with your own key {own}"));
        return Ok(Login::OwnKey);
    }
    let key = LoginKey::ensure(&tools.dirs.login_key())?;
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let pinned: Vec<HostKey> = pins
        .get(&session.name)
        .map(|pins| pins.keys.iter().map(|pinned| pinned.key.clone()).collect())
        .unwrap_or_default();
    let (route, limit) = (route(tools, ssh, session)?, patient(LIMIT, ssh));
    let waiting = printer.waiting("logging in");
    let works = key_login_works(&route, &pinned, &session.user, &key, limit).await;
    drop(waiting);
    match works {
        Ok(true) => {
            printer.done("the login key works");
            return Ok(Login::KeyWorks);
        }
        Ok(false) => {}
        Err(error) => {
            printer.note(format!("could not log in: {error}"));
            return Ok(Login::KeyMissing);
        }
    }
    let given_for = pins.get(&session.name).and_then(|pins| pins.password_for.clone());
    let stored = match given_for {
        Some(link) if pasted.is_none() && link == session.link.described() => {
            stored_password(tools, session, printer)
        }
        Some(link) if pasted.is_none() => {
            printer.note(format!(
                "the stored password was given for {link}, and is not sent elsewhere; if it is the same here: moorline secret set {}",
                session.name
            ));
            None
        }
        _ => None,
    };
    let Some(password) = pasted.or(stored.as_ref()) else {
        advise(session, &key, printer);
        return Ok(Login::KeyMissing);
    };
    let waiting = printer.waiting("installing the login key");
    let installed = install_login_key(&route, &pinned, &session.user, password, &key, limit).await;
    drop(waiting);
    match installed {
        Ok(installed) => {
            let added = installed == Installed::Added;
            printer.done(if added {
                "installed the login key with the password"
            } else {
                "the login key is installed"
            });
            Ok(Login::KeyInstalled)
        }
        Err(error) => {
            printer.note(format!("the login key could not be installed: {error}"));
            advise(session, &key, printer);
            let refused = matches!(error, LoginError::WrongPassword);
            Ok(if refused { Login::PasswordRefused } else { Login::KeyMissing })
        }
    }
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

fn stored_password(tools: &Tools, session: &Session, printer: &Printer) -> Option<SecretString> {
    let name = SecretName { session: Some(session.name.clone()), kind: SecretKind::Password };
    tools.vault.get(&name).unwrap_or_else(|error| {
        printer.note(error);
        None
    })
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
