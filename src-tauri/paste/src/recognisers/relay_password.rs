//! The relay's own password, where a cell hands it to the `ssh -R` that opens the tunnel: through `sshpass`, or through
//! the program that `SSH_ASKPASS` names.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::super::ssh_command::parse;
use super::super::text::{Line, Text, commands};
use super::super::{Confidence, Finding, What};
use super::hop::hops;
use super::password_words::{is_stand_in, sshpass};

const NAME: &str = "relay-password";

/// What a text says of the relay's password.
#[derive(Debug, Default)]
pub struct RelayPassword {
    /// The lines that hand one over, and what they hand over.
    told: Vec<(usize, String)>,
    /// Whether the tunnel is opened with one.
    pub wanted: bool,
}

impl RelayPassword {
    /// Reads a text.
    pub fn of(text: &Text) -> Self {
        let commands = commands(text);
        let hops: BTreeSet<usize> = hops(commands).map(|hop| hop.outer.line).collect();
        let opens = commands.iter().any(|command| !command.remote_forwards.is_empty());
        let asks = opens && text.lines.iter().any(|line| line.text.contains("SSH_ASKPASS"));
        let mut told = Vec::new();
        for (index, line) in text.lines.iter().enumerate() {
            if let Some((secret, rest)) = sshpass(line)
                && (parse(rest, line.number).is_some_and(|c| !c.remote_forwards.is_empty())
                    || hops.contains(&line.number))
            {
                told.push((line.number, secret.to_owned()));
            }
            let before = index.checked_sub(1).and_then(|before| text.lines.get(before));
            if asks && let Some(answer) = answer(line, before) {
                told.push((line.number, answer.to_owned()));
            }
        }
        Self { wanted: asks, told }
    }

    /// Whether this is the relay's.
    pub fn is(&self, secret: &str) -> bool {
        self.told.iter().any(|(_, told)| told == secret)
    }
}

pub fn find(text: &Text) -> Vec<Finding> {
    let finding = |(line, secret): (usize, String)| {
        Finding::new(NAME, line, Confidence::Certain, What::RelayPassword(SecretString::from(secret)))
    };
    RelayPassword::of(text).told.into_iter().map(finding).collect()
}

/// What a line makes the program say that answers ssh's question: `echo "echo x" > answer.sh`, `write('…\necho x')`, or
/// an `echo x` right after `#!/bin/sh`.
fn answer<'a>(line: &'a Line, before: Option<&Line>) -> Option<&'a str> {
    let text = line.text.as_str();
    let script = before.is_some_and(|before| before.text.starts_with("#!"));
    let at = text.rfind("echo ").filter(|at| {
        let written = text[..*at].ends_with(['"', '\'']) || text[..*at].ends_with("\\n");
        (written && (text.contains('>') || text.contains("write"))) || (script && *at == 0)
    })?;
    let said = text[at + "echo ".len()..].trim_start_matches(['"', '\'', '\\']);
    let said = said.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\')).next()?;
    (!said.is_empty() && !said.contains(['$', '{', '(']) && !is_stand_in(said)).then_some(said)
}
