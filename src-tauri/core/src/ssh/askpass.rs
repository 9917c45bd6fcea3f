//! Answering `ssh`'s question for a relay's password from the vault.
//!
//! The program that [`Prompts::Askpass`](crate::ssh::Prompts) names calls [`answer`] with what ssh asks (ssh(1),
//! SSH_ASKPASS). Only the relay's own password prompt is answered: ssh asks through the same program for the
//! passphrases of keys, for one-time codes, and for the passwords of hosts on the way to the relay.

use std::time::Duration;

use moorline_model::session::RelayTarget;
use moorline_ssh_files::Alias;
use secrecy::SecretString;

pub use crate::ssh::{ASKPASS_RELAY, ASKPASS_SESSION};

use crate::ssh::context::Tools;
use crate::ssh::kept_secrets;

/// `ssh -G` answers at once; a canonical name in the person's config may make it ask a name server.
const LIMIT: Duration = Duration::from_secs(5);

/// The relay password of this session that was given for this relay, if `prompt` is that relay's question for it.
pub async fn answer(
    tools: &Tools,
    session: &Alias,
    relay: &RelayTarget,
    prompt: &str,
) -> Option<SecretString> {
    let (user, host) = asked_for(prompt)?;
    if !is_login(tools, relay, user, host).await? {
        return None;
    }
    kept_secrets::password_of_relay(tools, session, relay).ok()?
}

async fn is_login(tools: &Tools, relay: &RelayTarget, user: &str, host: &str) -> Option<bool> {
    let login = tools.ssh.login_at(relay, LIMIT).await.ok()?;
    // ssh cuts long names in this prompt (OpenSSH sshconnect2.c prints at most 30 and 128 bytes of them).
    let same = |shown: &str, whole: &str, cut: usize| {
        !shown.is_empty() && (shown == whole || (shown.len() == cut && whole.starts_with(shown)))
    };
    Some(same(user, &login.user, 30) && same(host, &login.shown, 128))
}

/// Whose password a prompt asks for: `user@host's password:`, or `(user@host) Password:` where the server asks
/// through a dialogue. ssh writes the login itself; what follows it in a dialogue is the server's, and must be that
/// one word.
fn asked_for(prompt: &str) -> Option<(&str, &str)> {
    let prompt = prompt.trim_end();
    let login = match prompt.strip_prefix('(') {
        Some(dialogue) => {
            let (login, asked) = dialogue.split_once(") ")?;
            asked.eq_ignore_ascii_case("password:").then_some(login)?
        }
        None => prompt.strip_suffix("'s password:").or_else(|| prompt.strip_suffix("'s Password:"))?,
    };
    let (user, host) = login.rsplit_once('@')?;
    (!login.contains(char::is_whitespace)).then_some((user, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_s_own_password_prompt_is_recognised() {
        for prompt in
            ["me@relay.example's password: ", "(me@relay.example) Password: ", "(me@relay.example) password:"]
        {
            assert_eq!(asked_for(prompt), Some(("me", "relay.example")), "{prompt}");
        }
    }

    #[test]
    fn every_other_question_is_left_to_the_person() {
        for prompt in [
            "",
            "password:",
            "Password: ",
            "Enter passphrase for key '/home/me/.ssh/id_ed25519': ",
            "Enter passphrase for /home/me/me@relay's password: x",
            "(me@relay) One-time password: ",
            "(me@relay) Verification code: ",
            "(me@relay) Password (again):",
            "(me@jump) (me@relay) Password:",
            "Enter PIN for ECDSA-SK key /home/me/.ssh/id: ",
            "The authenticity of host 'relay' can't be established.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Allow forwarding of me@relay's password: maybe?",
            "say me@relay's password: ",
        ] {
            assert_eq!(asked_for(prompt), None, "{prompt}");
        }
    }
}
