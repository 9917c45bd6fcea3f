//! No text in core, or in a crate below it, names a command of ours or a flag: each face words the next step for
//! itself (`next_step.rs`). This reads the sources, since a sentence that nobody provokes is never seen by a test.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// The crates that no face belongs to; those that do not exist yet are looked for.
const CRATES: [&str; 4] = ["core", "ssh-files", "model", "paste"];

/// Commands of other programs, whose flags are theirs.
const FOREIGN: [&str; 3] = ["xcode-select", "nvidia-smi", "gcloud"];

#[test]
fn no_text_below_the_faces_names_a_command_or_a_flag() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for name in CRATES {
        sources(&root.join(name).join("src"), &mut files);
    }
    assert!(files.len() > 100, "the sources are where they are looked for: {}", files.len());
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for (line, literal) in literals(&text) {
            if names_a_command(&literal) {
                found.push(format!("{}:{line}: {literal:?}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "let the faces word these (next_step.rs):\n{}", found.join("\n"));
}

#[test]
fn what_it_looks_for_is_found_and_nothing_else() {
    let text = r##"
        // "moorline add" in a comment
        /* "moorline add" /* nested */ "moorline add" */
        const A: &str = "first";
        const B: &str = "run `moorline \
                         repair`";
        fn c<'a>(quote: char) -> bool { quote == '"' || quote == '\'' }
        const D: &str = r#"say "it" with --folder"#;
        #[cfg(test)]
        mod tests {
            const E: &str = "moorline add }";
        }
        const F: &[u8] = b"moorline_ed25519 -- a name, and moorline's";
        const G: &[&str] = &["--", "--flag"];
    "##;
    let found = literals(text);
    let hits: Vec<(usize, &str)> = found
        .iter()
        .filter(|(_, literal)| names_a_command(literal))
        .map(|(line, literal)| (*line, literal.as_str()))
        .collect();
    assert_eq!(hits, [(5, "run `moorline repair`"), (8, "say \"it\" with --folder")]);
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(!names_a_command("run `xcode-select --install`"), "another program's flag");
    assert!(names_a_command("--json shows it"), "a flag at the start of a sentence");
}

/// Whether a text has `moorline ` before a word, or a flag that no other program's command stands before.
fn names_a_command(text: &str) -> bool {
    let lower_after = |needle: &str| {
        text.match_indices(needle)
            .find(|(at, _)| text[at + needle.len()..].starts_with(|c: char| c.is_ascii_lowercase()))
    };
    if lower_after("moorline ").is_some() {
        return true;
    }
    let flag = lower_after(" --").map(|(at, _)| at);
    // An argument of its own has no blank in it; a sentence that begins with a flag does.
    let starts = text.starts_with("--") && text.contains(' ');
    let foreign = flag.is_some_and(|at| FOREIGN.iter().any(|program| text[..at].contains(program)));
    (flag.is_some() && !foreign) || starts
}

/// The string literals of a source, with their lines, but for those of comments and of what is compiled for tests.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = Rest { text, line: 1 };
    // In what is compiled for tests alone: how many braces are open, once the first is.
    let mut skipped: Option<usize> = None;
    while let Some(c) = rest.text.chars().next() {
        if rest.text.starts_with("//") {
            rest.take(rest.text.find('\n').unwrap_or(rest.text.len()));
        } else if rest.text.starts_with("/*") {
            rest.block_comment();
        } else if rest.text.starts_with("#[cfg(test)]") {
            rest.take("#[cfg(test)]".len());
            skipped = Some(0);
        } else if let Some((line, literal)) = rest.string() {
            if skipped.is_none() {
                found.push((line, literal));
            }
        } else if c == '\'' {
            rest.quoted_character();
        } else if c.is_alphanumeric() || c == '_' {
            rest.take(rest.text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.text.len()));
        } else {
            skipped = match (c, skipped) {
                ('{', Some(open)) => Some(open + 1),
                ('}', Some(open)) if open > 1 => Some(open - 1),
                ('}', Some(_)) | (';', Some(0)) => None,
                (_, skipped) => skipped,
            };
            rest.take(c.len_utf8());
        }
    }
    found
}

/// What is still to be read, and the line that it begins in.
struct Rest<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.text.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.text = rest;
        taken
    }

    fn block_comment(&mut self) {
        let mut open = 0;
        loop {
            if self.text.starts_with("/*") {
                open += 1;
                self.take(2);
            } else if self.text.starts_with("*/") {
                open -= 1;
                self.take(2);
            } else if let Some(c) = self.text.chars().next() {
                self.take(c.len_utf8());
            }
            if open == 0 || self.text.is_empty() {
                return;
            }
        }
    }

    /// A literal of any kind, if one begins here.
    fn string(&mut self) -> Option<(usize, String)> {
        let line = self.line;
        let head = self.text.find('"').map(|at| &self.text[..at])?;
        if !matches!(head.trim_end_matches('#'), "" | "b" | "c" | "r" | "br" | "cr") {
            return None;
        }
        let hashes = head.matches('#').count();
        let raw = head.contains('r');
        if hashes > 0 && !raw {
            return None;
        }
        self.take(head.len() + 1);
        if raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let literal = self.take(self.text.find(&end)?).to_owned();
            self.take(end.len());
            return Some((line, literal));
        }
        let mut literal = String::new();
        loop {
            let c = self.text.chars().next()?;
            self.take(c.len_utf8());
            match c {
                '"' => return Some((line, literal)),
                '\\' if self.text.starts_with('\n') => {
                    let blank = self.text.len() - self.text.trim_start().len();
                    self.take(blank);
                }
                '\\' => {
                    let escaped = self.text.chars().next()?;
                    literal.push(if escaped == 'n' { '\n' } else { escaped });
                    self.take(escaped.len_utf8());
                }
                c => literal.push(c),
            }
        }
    }

    /// A character's literal, or the mark of a lifetime.
    fn quoted_character(&mut self) {
        let mut after = self.text.chars().skip(1);
        let bytes = match (after.next(), after.next()) {
            // The escaped character, then all up to the closing quote.
            (Some('\\'), Some(escaped)) => {
                let start = 2 + escaped.len_utf8();
                start + self.text[start..].find('\'').map_or(0, |end| end + 1)
            }
            (Some(c), Some('\'')) => c.len_utf8() + 2,
            _ => 1,
        };
        self.take(bytes);
    }
}

/// The sources under a directory that are not tests.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
