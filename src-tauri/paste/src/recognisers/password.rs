//! Password lines: `Root password: x`, `colab password: x`, `Password for root is: x`, `🔑 password = x`, `sshpass -p x`,
//! `echo root:x | chpasswd`.

use moorline_ssh_files::UserName;
use secrecy::SecretString;

use super::super::text::{Line, Text, quoted};
use super::super::{Confidence, Doubt, Finding, What};
use super::relay_password::RelayPassword;
use crate::recognisers::password_words::{is_hidden, is_stand_in, sshpass};

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
    let relay = RelayPassword::of(text);
    let mut found = Vec::new();
    for line in &text.lines {
        found.extend(labelled(line, &relay));
        found.extend(chpasswd(line));
        if let Some((value, _)) = sshpass(line).filter(|(value, _)| !relay.is(value)) {
            let what = What::Password { user: None, secret: SecretString::from(value) };
            found.push(Finding::new(NAME, line.number, Confidence::Certain, what));
        }
    }
    found
}

fn labelled(line: &Line, relay: &RelayPassword) -> Vec<Finding> {
    let lower = line.lower();
    let mut found = Vec::new();
    for (at, word) in lower.match_indices("password").chain(lower.match_indices("passwd")).take(8) {
        // Lower-casing ASCII keeps every byte's place.
        let (before, after) = (&line.text[..at], &line.text[at + word.len()..]);
        let told = if line.source {
            in_source(before, after).map(|value| (None, value))
        } else {
            value_after(after)
        };
        let Some((user, value)) = told.filter(|(_, value)| !is_stand_in(value)) else { continue };
        let user = user.map_or_else(|| user_before(before), Some);
        let mut push = |what| found.push(Finding::new(NAME, line.number, Confidence::Likely, what));
        if value.len() > LONGEST || value.chars().any(is_hidden) {
            push(What::Doubt(Doubt::Refused {
                reason: "the password there is too long or holds invisible characters".to_owned(),
                line: line.number,
            }));
            push(What::OtherSecret(SecretString::from(value)));
            continue;
        }
        let secret = SecretString::from(value);
        match user {
            _ if relay.is(value) && line.source => {}
            // Of which machine it is, the cell does not say clearly.
            Some(user) if user.is_empty() && relay.wanted && line.source => push(What::OtherSecret(secret)),
            Some(user) => push(What::Password { user: user.parse().ok(), secret }),
            None => push(What::OtherSecret(secret)),
        }
    }
    found
}

/// In source only a literal is a password: `password = "x"`, `"password": "x"`, a shell's `PASSWORD=x`, and the end of a
/// text that is printed. What is called, computed or asked for there is none.
fn in_source<'a>(before: &str, after: &'a str) -> Option<&'a str> {
    // The call has a recogniser of its own, which knows its arguments.
    if before.contains("launch_ssh_cloudflared(") || before.contains("launch_ssh(") {
        return None;
    }
    let key = after.strip_prefix(['"', '\'']);
    let rest = key.unwrap_or(after).trim_start();
    let rest = rest.strip_prefix(": str").map_or(rest, str::trim_start);
    let value = match rest.strip_prefix('=') {
        Some(value) if value.starts_with(['"', '\'', ' ']) => quoted(value.trim_start())?,
        Some(value) => {
            let name = before
                .trim_start_matches(['!', ' '])
                .trim_start_matches("export ")
                .trim_start_matches("%env ");
            let is_shell = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let telling = value.bytes().any(|b| b.is_ascii_digit()) && !value.contains(char::is_whitespace);
            (is_shell && telling && !value.contains(['(', '[', '.', '"', '\''])).then_some(value)?
        }
        None if key.is_some() => quoted(rest.strip_prefix(':')?.trim_start())?,
        None => rest.strip_prefix(':')?.trim_start().split_once(['"', '\''])?.0,
    };
    let computed = value.contains(['{', '$', '(', ')', '\\']) || value.contains("%s");
    (!value.is_empty() && !computed && !value.contains(char::is_whitespace)).then_some(value)
}

/// `echo root:x | chpasswd` and `chpasswd <<< root:x`.
fn chpasswd(line: &Line) -> Option<Finding> {
    let (before, after) = line.text.split_once("chpasswd")?;
    let login = match after.trim_start().strip_prefix("<<<") {
        Some(login) => login,
        None => before.rsplit_once('|')?.0.rsplit_once("echo ")?.1,
    };
    let login = login.trim().trim_start_matches("-n ").trim_start_matches("-e ").trim();
    let (user, value) = login.trim_start_matches(['"', '\'']).split_once(':')?;
    let value = value.split(['"', '\'', ' ']).next()?;
    if value.is_empty() || value.contains(['$', '{', '`', '\\', '%']) || is_stand_in(value) {
        return None;
    }
    let what =
        What::Password { user: Some(user.parse::<UserName>().ok()?), secret: SecretString::from(value) };
    Some(Finding::new(NAME, line.number, Confidence::Certain, what))
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
