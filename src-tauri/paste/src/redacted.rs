//! A pasted text as it may be shown again: every password in it is unreadable.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use secrecy::ExposeSecret;

use super::read_text::read;
use super::reading::LONGEST;
use super::text::Text;
use super::{Finding, What};

/// What stands where a password stood.
pub const REDACTED: &str = "••••••";

/// A password shorter than this may be part of other words by chance.
const SHORT: usize = 6;
/// More different secrets than this stand in no cell.
const MOST: usize = 32;
/// How often the text is read again; what still holds a password then is not shown at all.
const ROUNDS: usize = 4;

/// What is shown of a text that no face has seen: its lines in which something was found, without any password, and how
/// many others there are. Whatever else stands in a clipboard, tokens and passwords that nothing names, stays out of it.
pub fn echo(text: &str) -> String {
    let shown = redacted(text);
    if shown.lines().count() != text.lines().count() {
        return REDACTED.to_owned();
    }
    let found: BTreeSet<usize> =
        read(text).findings.into_iter().filter(|one| is_shown(&one.what)).map(|one| one.line).collect();
    let mut echo = String::new();
    let mut others = 0;
    for (number, line) in (1..).zip(shown.lines()) {
        if found.contains(&number) {
            echo.push_str(line);
            echo.push('\n');
        } else if !line.trim().is_empty() {
            others += 1;
        }
    }
    match others {
        0 => {}
        1 => echo.push_str("(1 more line was read and is not shown here)\n"),
        _ => {
            let _ = writeln!(echo, "({others} more lines were read and are not shown here)");
        }
    }
    echo
}

/// Whether the line of a finding says where it leads, or whose key it is.
fn is_shown(what: &What) -> bool {
    matches!(
        what,
        What::Link { .. }
            | What::LoopbackPort { .. }
            | What::User(_)
            | What::Password { .. }
            | What::Fingerprint(_)
            | What::HostKey { .. }
            | What::Folder(_)
            | What::Name(_)
    )
}

/// The text with every password that [`read`] finds in it replaced by [`REDACTED`]: the runtime's, the relay's, those
/// that were not taken, and private keys. A line that spells one in a way that cannot be replaced is replaced whole, and
/// so is a text that is too long to be read, or holds very many.
pub fn redacted(text: &str) -> String {
    if text.len() > LONGEST {
        return REDACTED.to_owned();
    }
    let mut out = without_private_keys(text);
    for _ in 0..ROUNDS {
        let mut secrets = secrets(&out);
        if secrets.is_empty() {
            return out;
        }
        if secrets.len() > MOST {
            return REDACTED.to_owned();
        }
        out = secrets.iter().fold(out, |out, secret| replaced(&out, secret));
        // The marks are longer than some passwords, and what is too long cannot be read again.
        if out.len() > LONGEST {
            return REDACTED.to_owned();
        }
        secrets.retain(|secret| secret.len() >= SHORT);
        out = without_lines(&out, &secrets);
    }
    if secrets(&out).is_empty() { out } else { REDACTED.to_owned() }
}

/// The secrets of a text, the longest first.
fn secrets(text: &str) -> Vec<String> {
    let mut all: Vec<String> = found(text).into_iter().map(|(_, secret)| secret).collect();
    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    all.dedup();
    all
}

/// The secrets of a text, by line.
fn found(text: &str) -> Vec<(usize, String)> {
    let told = |f: &Finding| f.what.secret().map(|s| (f.line, s.expose_secret().to_owned()));
    read(text).findings.iter().filter_map(told).collect()
}

/// The text without a secret: everywhere, or as a whole word if it is short.
fn replaced(text: &str, secret: &str) -> String {
    if secret.len() >= SHORT {
        return text.replace(secret, REDACTED);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in text.match_indices(secret) {
        let inside = |c: char| c.is_alphanumeric();
        let end = at + found.len();
        out.push_str(&text[from..at]);
        let whole = !text[..at].ends_with(inside) && !text[end..].starts_with(inside);
        out.push_str(if whole { REDACTED } else { found });
        from = end;
    }
    out.push_str(&text[from..]);
    out
}

/// The text without the lines that still hold a secret when they are read: escaped, encoded, or cut by colour codes.
fn without_lines(text: &str, long: &[String]) -> String {
    let cleaned = Text::new(text);
    let mut bad: Vec<usize> = found(text).into_iter().map(|(line, _)| line).collect();
    for (index, line) in cleaned.lines.iter().enumerate() {
        if long.iter().any(|secret| line.text.contains(secret)) {
            // A line that is continued ends where the next one begins.
            let next = cleaned.lines.get(index + 1).map_or(line.number, |next| next.number);
            bad.extend(line.number..next.max(line.number + 1));
        }
    }
    if bad.is_empty() {
        return text.to_owned();
    }
    bad.sort_unstable();
    let shown = |(index, line)| if bad.binary_search(&(index + 1)).is_ok() { REDACTED } else { line };
    text.split('\n').enumerate().map(shown).collect::<Vec<_>>().join("\n")
}

/// The text with each private key replaced by one mark.
fn without_private_keys(text: &str) -> String {
    let cleaned = Text::new(text);
    if cleaned.private_keys.is_empty() {
        return text.to_owned();
    }
    let total = text.split('\n').count();
    let mut lines: Vec<&str> = text.split('\n').collect();
    for begin in &cleaned.private_keys {
        let next = cleaned.lines.iter().map(|line| line.number).find(|number| number > begin);
        for line in lines.iter_mut().take(next.map_or(total, |next| next - 1)).skip(begin - 1) {
            *line = REDACTED;
        }
    }
    lines.join("\n")
}
