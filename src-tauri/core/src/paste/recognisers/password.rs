//! Password lines: `Root password: x`, `colab password: x`, `Password for root is: x`, `🔑 password = x`, `sshpass -p x`.

use moorline_ssh_files::UserName;
use secrecy::SecretString;

use super::super::text::{Line, Text};
use super::super::{Confidence, Doubt, Finding, What};

const NAME: &str = "password";
/// Words before `password` that are no user.
const NO_USER: [&str; 24] = [
    "ssh",
    "the",
    "your",
    "a",
    "new",
    "login",
    "user",
    "random",
    "generated",
    "temporary",
    "temp",
    "default",
    "and",
    "or",
    "with",
    "is",
    "server",
    "my",
    "this",
    "linux",
    "account",
    "colab_ssh",
    "set",
    "its",
];
/// Words before `password` that make it one of something else than SSH.
const NOT_SSH: [&str; 9] = ["vnc", "jupyter", "sudo", "keyring", "wifi", "database", "db", "zip", "notebook"];
const LONGEST: usize = 256;

pub fn find(text: &Text) -> Vec<Finding> {
    text.lines.iter().flat_map(|line| labelled(line).into_iter().chain(sshpass(line))).collect()
}

fn labelled(line: &Line) -> Vec<Finding> {
    let lower = line.lower();
    let mut found = Vec::new();
    for (at, word) in lower.match_indices("password").chain(lower.match_indices("passwd")).take(8) {
        // Lower-casing ASCII keeps every byte's place.
        let (before, after) = (&line.text[..at], &line.text[at + word.len()..]);
        let Some((user, value)) = value_after(after) else { continue };
        let Some(user) = user.map_or_else(|| user_before(before), Some) else { continue };
        if is_stand_in(value) {
            continue;
        }
        let what = match value {
            v if v.len() > LONGEST || v.chars().any(is_hidden) => Doubt::Refused {
                reason: "the password there is too long or holds invisible characters".to_owned(),
                line: line.number,
            }
            .into(),
            v => What::Password { user: user.parse().ok(), secret: SecretString::from(v) },
        };
        found.push(Finding::new(NAME, line.number, Confidence::Likely, what));
    }
    found
}

impl From<Doubt> for What {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

/// What follows the word: the user of `for root`, and the value after `:`, `=` or `is`.
fn value_after(after: &str) -> Option<(Option<String>, &str)> {
    let after = after.strip_prefix(['"', '\'', '*']).unwrap_or(after);
    let (user, after) = match after.strip_prefix(" for ") {
        Some(rest) => {
            let end = rest.find(|c: char| c.is_whitespace() || c == ':' || c == '=')?;
            (Some(rest[..end].trim_matches(['"', '\'', '`']).to_owned()), &rest[end..])
        }
        None => (None, after),
    };
    let after = after.trim_start();
    let (said, after) = match after.strip_prefix("is") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, after),
    };
    let rest = match after.strip_prefix([':', '=']) {
        Some(rest) => rest.trim_start().trim_start_matches('*').trim_start(),
        // `password is required` is a sentence; a password that is said has a digit or quotes.
        None if said && after.starts_with(['"', '\'', '`']) => after,
        None if said && after.split_whitespace().next()?.bytes().any(|b| b.is_ascii_digit()) => after,
        None => return None,
    };
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'' | '`') => rest[1..].split(quote).next()?,
        _ => rest.split_whitespace().next()?,
    };
    (!value.is_empty()).then_some((user, value))
}

/// The word before, if it is a user; an empty name stands for none, and `None` for a password that is not for SSH.
fn user_before(before: &str) -> Option<String> {
    let glued = before.chars().next_back().is_some_and(|c| !c.is_whitespace());
    let before = before.trim_end_matches(['_', '-']);
    let word = before
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .next_back()
        .unwrap_or_default();
    let last = if word.is_empty() {
        before
            .split_whitespace()
            .next_back()
            .unwrap_or_default()
            .trim_matches(|c: char| !c.is_ascii_alphanumeric())
    } else {
        word
    };
    let lower = last.to_ascii_lowercase();
    // A word may only be a user when it stands at the line's start: `Enter the vault password`.
    let alone =
        before.split_whitespace().filter(|w| w.contains(|c: char| c.is_ascii_alphanumeric())).count() <= 1;
    if NOT_SSH.contains(&lower.as_str()) || (glued && before.ends_with(['?', '&', '/'])) {
        None
    } else if lower == "root" {
        Some(lower)
    } else if alone && !NO_USER.contains(&lower.as_str()) && !glued {
        Some(last.to_owned())
    } else {
        Some(String::new())
    }
}

/// `********`, `<your password>`, `{password}`, `$PASSWORD`: what stands for a password.
fn is_stand_in(value: &str) -> bool {
    let same = |c: char| matches!(c, '*' | '•' | '·' | '.' | '_' | '●');
    let shell =
        value.strip_prefix('$').is_some_and(|v| v.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    value.chars().all(same)
        || value.starts_with('<')
        || (value.starts_with('{') && value.contains('}'))
        || ["None", "null", "str", "password", "(hidden)", "[hidden]"].contains(&value)
        || shell
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `sshpass -p x ssh …`; the user is the one of the command.
fn sshpass(line: &Line) -> Option<Finding> {
    let mut words = line.text.split_once("sshpass ")?.1.split_whitespace();
    let option = words.next()?.strip_prefix("-p")?;
    let value = if option.is_empty() { words.next()? } else { option }.trim_matches(['"', '\'']);
    if value.is_empty() || is_stand_in(value) {
        return None;
    }
    let what = What::Password { user: None::<UserName>, secret: SecretString::from(value) };
    Some(Finding::new(NAME, line.number, Confidence::Certain, what))
}
