//! Reaching a runtime, with the person's help where its relay wants a passphrase or password typed.

use std::time::Duration;

use moorline_core::ssh::context::Tools;
use moorline_core::ssh::reach::{self, Expected, ReachError, Seen, relay_ssh};
use moorline_core::ssh::{Prompts, SystemSsh};
use moorline_model::session::{Link, Session};

use crate::ask::Terminal;
use crate::printer::Printer;

/// How long a runtime may take to answer.
pub const LIMIT: Duration = Duration::from_secs(15);

/// How long a person may take to type what ssh asks for, and all that follows.
const TYPING_LIMIT: Duration = Duration::from_secs(60);

/// What answered, and the ssh that the relay let in.
pub struct Reached {
    /// What answered.
    pub seen: Seen,
    /// For further dials of the same relay.
    pub ssh: SystemSsh,
}

/// Reaches within `limit` without asking anything. Only if the relay refuses that login and a person sits at the
/// terminal may ssh ask them, for a minute.
pub async fn reach(
    tools: &Tools,
    session: &Session,
    expected: &Expected,
    limit: Duration,
    terminal: Option<&Terminal>,
    printer: &Printer,
) -> Result<Reached, ReachError> {
    let ssh = relay_ssh(tools, session);
    let waiting = printer.waiting(format!("reaching {}", session.link));
    let seen = reach::reach(tools, &ssh, session, expected, limit).await;
    drop(waiting);
    match (seen, &session.link) {
        (Err(error), Link::Relay(link)) if terminal.is_some() && error.wants_login() => {
            let (relay, name) = (&link.relay, &session.name);
            printer.note(if ssh.prompts == Prompts::Never {
                format!(
                    "{relay} wants a login, so ssh asks you; an ssh-agent, or `moorline secret set {name} relay-password`, saves that"
                )
            } else {
                format!("{relay} refused the stored password, so ssh asks you")
            });
            let ssh = SystemSsh { prompts: Prompts::Terminal, ..ssh };
            let seen = reach::reach(tools, &ssh, session, expected, TYPING_LIMIT).await?;
            Ok(Reached { seen, ssh })
        }
        (seen, _) => Ok(Reached { seen: seen?, ssh }),
    }
}

/// `limit`, or longer where this ssh asks a person.
pub fn patient(limit: Duration, ssh: &SystemSsh) -> Duration {
    if ssh.prompts == Prompts::Terminal { limit.max(TYPING_LIMIT) } else { limit }
}
