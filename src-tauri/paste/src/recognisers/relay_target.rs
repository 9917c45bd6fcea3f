//! The relay that an ssh command logs in to.

use moorline_model::session::RelayTarget;
use moorline_ssh_files::InvalidName;

use super::super::ssh_command::SshCommand;

/// How an `ssh` command reaches its own destination, as a relay.
pub fn relay_target(command: &SshCommand) -> Result<RelayTarget, InvalidName> {
    let (user, place) = command.login_and_place();
    let mut relay: RelayTarget = place.parse()?;
    if let Some(user) = user {
        relay.user = Some(user.split(':').next().unwrap_or(user).parse()?);
    }
    if let Some(port) = &command.port {
        relay.port = Some(port.parse()?);
    }
    Ok(relay)
}
