//! `launch_ssh_cloudflared("…")` and `launch_ssh(token, "…")` of `colab_ssh` in a cell: the password that they give root
//! is an argument, and is never printed.

use moorline_ssh_files::UserName;
use secrecy::SecretString;

use super::super::text::{Text, quoted};
use super::super::{Confidence, Finding, What};
use super::password_words::is_stand_in;

const NAME: &str = "colab-ssh-call";
/// The calls, with the place of the password among their arguments.
const CALLS: [(&str, usize); 2] = [("launch_ssh_cloudflared(", 0), ("launch_ssh(", 1)];
/// How many lines a call may go on for.
const LONGEST_CALL: usize = 8;

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines.iter().enumerate() {
        for (call, place) in CALLS {
            let Some((before, _)) = line.text.split_once(call).filter(|(b, _)| !b.ends_with("def ")) else {
                continue;
            };
            let whole: Vec<&str> =
                text.around(index, 0, LONGEST_CALL).iter().map(|line| line.text.as_str()).collect();
            let whole = whole.join(" ");
            let (password, token) = read(&arguments(&whole[before.len() + call.len()..]), place);
            let mut push = |what| found.push(Finding::new(NAME, line.number, Confidence::Certain, what));
            if let Some(secret) = password.and_then(|value| secret(text, value)) {
                push(What::Password { user: Some(UserName::root()), secret });
            }
            if let Some(secret) = token.and_then(|value| secret(text, value)) {
                push(What::OtherSecret(secret));
            }
        }
    }
    found
}

/// The password and the token among the arguments.
fn read<'a>(arguments: &[&'a str], place: usize) -> (Option<&'a str>, Option<&'a str>) {
    let named = |name: &str| {
        arguments.iter().find_map(|argument| {
            argument.strip_prefix(name)?.trim_start().strip_prefix('=').map(str::trim_start)
        })
    };
    let at = |place: usize| arguments.get(place).copied().filter(|argument| !is_named(argument));
    let token = if place == 0 { None } else { named("token").or_else(|| at(0)) };
    (named("password").or_else(|| at(place)), token)
}

fn is_named(argument: &str) -> bool {
    argument.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// A literal, or a variable that holds one.
fn secret(text: &Text, value: &str) -> Option<SecretString> {
    let value = quoted(value).or_else(|| text.variables.get(value))?;
    (!value.is_empty() && !value.contains(['{', '$']) && !is_stand_in(value))
        .then(|| SecretString::from(value))
}

/// The arguments up to the bracket that closes the call, split at commas.
fn arguments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut quote, mut depth, mut from) = (None, 0_usize, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth > 0 => depth -= 1,
            (None, ',' | ')') if depth == 0 => {
                found.push(text[from..at].trim());
                from = at + 1;
                if c == ')' {
                    return found;
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Root's password and the other secrets.
    fn told(raw: &str) -> (Option<String>, Vec<String>) {
        let (mut password, mut others) = (None, Vec::new());
        for finding in find(&Text::new(raw)) {
            match finding.what {
                What::Password { user, secret } => {
                    assert_eq!(user, Some(UserName::root()));
                    password = Some(secret.expose_secret().to_owned());
                }
                What::OtherSecret(secret) => others.push(secret.expose_secret().to_owned()),
                other => panic!("{other}"),
            }
        }
        (password, others)
    }

    #[test]
    fn the_password_is_found_wherever_it_stands() {
        for call in [
            "launch_ssh_cloudflared(\"pa,ss)1\")",
            "launch_ssh_cloudflared('pa,ss)1', verbose=True)",
            "launch_ssh_cloudflared(verbose=f(1, 2), password = \"pa,ss)1\")",
            "launch_ssh_cloudflared(\n    verbose=True,\n    password=\"pa,ss)1\",\n)",
            "pw = 'pa,ss)1'\nlaunch_ssh_cloudflared(pw)",
            "pw = 'pa,ss)1'\nlaunch_ssh_cloudflared(password=pw)",
        ] {
            assert_eq!(told(call), (Some("pa,ss)1".to_owned()), vec![]), "{call}");
        }
        assert_eq!(told("launch_ssh('tok1', 'pass1')"), (Some("pass1".to_owned()), vec!["tok1".to_owned()]));
        assert_eq!(told("launch_ssh(token='tok1')"), (None, vec!["tok1".to_owned()]));
    }

    #[test]
    fn what_is_no_literal_is_no_password() {
        for call in [
            "launch_ssh_cloudflared(pw)",
            "launch_ssh_cloudflared()",
            "launch_ssh_cloudflared(password=getpass())",
            "launch_ssh_cloudflared('a' + b)",
            "launch_ssh_cloudflared(f'{pw}')",
            "launch_ssh_cloudflared(\"<your password>\")",
            "launch_ssh_cloudflared(\"never closed",
            "def launch_ssh_cloudflared(password=\"secret1\"):",
            "launch_ssh(tok)",
        ] {
            assert_eq!(told(call), (None, vec![]), "{call}");
        }
    }
}
