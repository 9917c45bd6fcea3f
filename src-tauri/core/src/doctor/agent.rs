//! The ssh agent.

use super::check::Check;
use super::surroundings::{AgentFacts, Surroundings};

/// sshd's `MaxAuthTries` is 6, and each offered key is a try.
const TRIES: usize = 5;

pub(super) fn agent(found: &Surroundings) -> Check {
    const ID: &str = "agent";
    const TITLE: &str = "SSH agent";
    match found.agent {
        AgentFacts::NotSet => Check::ok(ID, TITLE, "None is running; Moorline's own key needs none."),
        AgentFacts::Silent => {
            let detail = "SSH_AUTH_SOCK names an agent that does not answer; Moorline's own key needs none, but a relay's may.";
            Check::advice(ID, TITLE, detail, "Log out and in again, or run: unset SSH_AUTH_SOCK")
        }
        AgentFacts::Keys(count) if count > TRIES => {
            let detail = format!(
                "It holds {count} keys; servers give up after six tries. Moorline's entries offer only their own key, but your relay's entry may offer all."
            );
            let next = "If a relay says \"Too many authentication failures\", add `IdentitiesOnly yes` and an IdentityFile to its Host entry";
            Check::advice(ID, TITLE, detail, next)
        }
        AgentFacts::Keys(count) => {
            let keys = if count == 1 { "key" } else { "keys" };
            Check::ok(ID, TITLE, format!("It answers and holds {count} {keys}."))
        }
    }
}
