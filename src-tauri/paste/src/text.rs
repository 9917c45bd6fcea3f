//! The pasted text as lines that recognisers can read: colour codes, frames, quoting, log wrapping and the notebook's
//! `Copy` buttons are gone, private keys are cut out, line numbers are the person's own.
//!
//! Nothing is taken out of the middle of a word except colour codes: a host name with an invisible character in it
//! must reach the validator as it is.

mod cell;
pub mod line;
mod markup;

use std::cell::OnceCell;

pub use cell::{Variables, quoted};
pub use line::{Line, bare};

use super::ssh_command::{self, SshCommand};

/// A pasted text, cleaned.
#[derive(Debug)]
pub struct Text {
    /// The lines, in order, without those of private keys.
    pub lines: Vec<Line>,
    /// The lines on which private keys began.
    pub private_keys: Vec<usize>,
    /// The literals that a cell among the lines gives its variables.
    pub variables: Variables,
    /// The `ssh` commands in the lines, once they were looked for.
    pub commands: OnceCell<Vec<SshCommand>>,
}

impl Text {
    /// Cleans a text. Never fails: what it does not know stays as it is.
    pub fn new(raw: &str) -> Self {
        let raw = markup::without_colours(raw.trim_start_matches('\u{feff}'));
        let mut lines = Vec::new();
        for (index, line) in raw.split('\n').enumerate() {
            // A progress bar writes over itself; each state is a line of its own.
            for part in line.trim_end_matches('\r').split('\r') {
                markup::unwrap(part, &mut |text| lines.push(Line { number: index + 1, text, source: false }));
            }
        }
        let private_keys = cut_private_keys(&mut lines);
        join_continued(&mut lines);
        let variables = cell::mark(&mut lines);
        Self { lines, private_keys, variables, commands: OnceCell::new() }
    }

    /// The lines up to `before` before and `after` after the one at `index`, itself included.
    pub fn around(&self, index: usize, before: usize, after: usize) -> &[Line] {
        let end = (index + after + 1).min(self.lines.len());
        &self.lines[index.saturating_sub(before).min(end)..end]
    }
}

fn cut_private_keys(lines: &mut Vec<Line>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut inside = false;
    lines.retain(|line| {
        let text = line.text.trim();
        let begins = (text.contains("-BEGIN ") && text.contains("PRIVATE KEY"))
            || text.starts_with("PuTTY-User-Key-File");
        if begins {
            found.push(line.number);
            inside = !(text.contains("-END ") && text.contains("PRIVATE KEY"));
            return false;
        }
        if !inside {
            return true;
        }
        if text.contains("-END ") || text.starts_with("Private-MAC") {
            inside = false;
            return false;
        }
        inside = text.is_empty() || is_key_material(text);
        !inside
    });
    found.dedup();
    found
}

/// A line of base64, or a header such as `Proc-Type: 4,ENCRYPTED` or `Private-Lines: 3`.
fn is_key_material(text: &str) -> bool {
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\\');
    text.bytes().all(base64)
        || [
            "Proc-Type:",
            "DEK-Info:",
            "Encryption:",
            "Comment:",
            "Public-Lines:",
            "Private-Lines:",
            "Key-Derivation:",
            "Argon2-",
        ]
        .iter()
        .any(|header| text.starts_with(header))
}

/// A backslash at the end of a shell line continues it.
fn join_continued(lines: &mut Vec<Line>) {
    let mut joined: Vec<Line> = Vec::with_capacity(lines.len());
    let mut open = false;
    for line in lines.drain(..) {
        let continues = [" \\", ";\\", "&\\"].iter().any(|end| line.text.trim_end().ends_with(end));
        match joined.last_mut().filter(|_| open) {
            Some(last) => last.text.push_str(line.text.trim_start()),
            None => joined.push(line),
        }
        if continues && let Some(last) = joined.last_mut() {
            let kept = last.text.trim_end().len().saturating_sub(1);
            last.text.truncate(kept);
        }
        open = continues;
    }
    *lines = joined;
}

/// All `ssh` commands of a text.
pub fn commands(text: &Text) -> &[SshCommand] {
    text.commands.get_or_init(|| text.lines.iter().flat_map(ssh_command::in_line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &str) -> Vec<(usize, String)> {
        Text::new(raw).lines.into_iter().map(|l| (l.number, l.text)).collect()
    }

    #[track_caller]
    fn one(raw: &str, expected: &str) {
        assert_eq!(cleaned(raw), [(1, expected.to_owned())], "{raw:?}");
    }

    #[test]
    fn wrapping_goes_and_words_stay() {
        one("\u{1b}[32mssh\u{1b}[0m -p 1 root@h\u{1b}]8;;x\u{7}", "ssh -p 1 root@h");
        one("ssh\u{a0}root@h", "ssh root@h");
        one("> > ssh root@h", "ssh root@h");
        one("║   zrok access private x   ║", "zrok access private x");
        one("Copyssh a.trycloudflare.com", "ssh a.trycloudflare.com");
        one("CopyHost *.trycloudflare.com", "Host *.trycloudflare.com");
        one("Copya-b.trycloudflare.com", "a-b.trycloudflare.com");
        one("Copyright 2026", "Copyright 2026");
        one(
            "Copy authtoken from https://dashboard.ngrok.com/auth",
            "Copy authtoken from https://dashboard.ngrok.com/auth",
        );
        one("<pre><code>ssh -p 1 root@h &amp;&amp; x</code></pre>", "ssh -p 1 root@h && x");
        one("|1|abc=|def= ssh-ed25519 A", "|1|abc=|def= ssh-ed25519 A");
    }

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(
            cleaned("a\r\n10%\r100%\r\nssh -p 1 \\\n  root@h\nb"),
            [(1, "a"), (2, "10%"), (2, "100%"), (3, "ssh -p 1 root@h"), (5, "b")]
                .map(|(n, t)| (n, t.to_owned()))
        );
    }

    #[test]
    fn json_lines_become_their_values() {
        assert_eq!(
            cleaned(
                r#"{"level":"info","msg":"do this:\nzrok access private x","n":{"public_url":"tcp://h:1"}}"#
            ),
            ["level: info", "do this:", "zrok access private x", "public_url: tcp://h:1"]
                .map(|t| (1, t.to_owned()))
        );
        one(
            r#"      "Successfully running 2.tcp.ngrok.io:13254\n","#,
            "Successfully running 2.tcp.ngrok.io:13254",
        );
    }

    #[test]
    fn an_invisible_character_inside_a_word_stays() {
        one("tcp://0.tcp\u{200b}.ngrok.io:1", "tcp://0.tcp\u{200b}.ngrok.io:1");
    }

    #[test]
    fn private_keys_are_cut_out() {
        let text = Text::new(
            "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAA==\n-----END OPENSSH PRIVATE KEY-----\nssh -p 1 root@h",
        );
        assert_eq!(text.private_keys, [2]);
        assert_eq!(text.lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["a", "ssh -p 1 root@h"]);
        let cut_short = Text::new("-----BEGIN RSA PRIVATE KEY-----\nQUJD\ntcp://h.example:1");
        assert_eq!(cut_short.lines.len(), 1, "a key without its end must not swallow the rest");
    }
}
