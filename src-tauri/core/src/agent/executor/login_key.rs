//! Installing the login key, for which the keyring may have to be waited for.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::session::Session;
use moorline_ssh_files::Alias;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::agent::message::{KeyInstall, Msg};
use crate::agent::run::Messages;
use crate::net::backoff::PACE;
use crate::ssh::context::Tools;
use crate::ssh::ensure_login::{self, Login};
use crate::ssh::reach::relay_ssh;
use crate::store::vault::VaultError;

/// How long installing the login key may take.
const LOGIN_LIMIT: Duration = Duration::from_secs(20);

/// How often a locked keyring is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Installs the login key and says what became of it; after that waits, if the keyring is locked, until it is open.
pub(super) async fn install_key(tools: Arc<Tools>, session: Session, out: Messages) {
    let name = session.name.clone();
    let (runtime, shared) = (Handle::current(), Arc::clone(&tools));
    // The keyring blocks.
    let tried = spawn_blocking(move || runtime.block_on(outcome(&shared, &session))).await;
    let outcome = tried.unwrap_or_else(|error| KeyInstall::NotTried(error.to_string()));
    let shut = outcome == KeyInstall::VaultShut;
    if out.send(Msg::KeyInstalled(name.clone(), outcome)).await && shut {
        tokio::select! {
            () = opened(&tools) => drop(out.send(Msg::VaultOpened(name)).await),
            () = out.closed() => {}
        }
    }
}

async fn opened(tools: &Arc<Tools>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let tools = Arc::clone(tools);
        if matches!(spawn_blocking(move || tools.vault.is_locked()).await, Ok(false)) {
            return;
        }
    }
}

async fn outcome(tools: &Tools, session: &Session) -> KeyInstall {
    let ssh = relay_ssh(tools, session);
    // The watcher has just been refused: this is the next login.
    match ensure_login::install(tools, &ssh, session, None, LOGIN_LIMIT, PACE).await {
        Ok(Login::KeyWorks | Login::KeyInstalled(_) | Login::OwnKey) => KeyInstall::Done,
        Ok(Login::NoPassword(_)) => KeyInstall::NoPassword,
        Ok(Login::PasswordOfAnother(_, link)) => KeyInstall::Failed(other_password(&session.name, &link)),
        Ok(Login::VaultShut(_, VaultError::Locked)) => KeyInstall::VaultShut,
        Ok(Login::VaultShut(_, error)) => KeyInstall::NotTried(error.to_string()),
        Ok(Login::NotTried(error)) => KeyInstall::NotTried(error.to_string()),
        Ok(Login::NotInstalled(_, error)) => KeyInstall::Failed(error.to_string()),
        Err(error) => KeyInstall::NotTried(error.to_string()),
    }
}

fn other_password(name: &Alias, link: &str) -> String {
    format!(
        "The stored password was given for {link}, and is not sent elsewhere. If it is the same for {name}, store it again."
    )
}
