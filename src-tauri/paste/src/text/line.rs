//! One line of a text.

/// One line, cleaned.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the pasted text, from 1. Parts of one JSON line share it.
    pub number: usize,
    /// What it says.
    pub text: String,
    /// Whether it is a line of a cell rather than of what one printed.
    pub source: bool,
}

impl Line {
    /// The words between blanks, without the quotes and punctuation around them.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split_whitespace().map(bare).filter(|w| !w.is_empty())
    }

    /// The line in lower case.
    pub fn lower(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

/// A word without the quotes, brackets and punctuation around it. The bracket of `[host]:port` stays.
pub fn bare(word: &str) -> &str {
    const AROUND: [char; 14] = ['"', '\'', '`', '(', ')', '[', ']', '{', '}', ',', ';', '|', '<', '>'];
    let core = word.trim_start_matches(AROUND);
    let bracket = core.contains("]:") && word[..word.len() - core.len()].ends_with('[');
    let core = if bracket { &word[word.len() - core.len() - 1..] } else { core };
    core.trim_end_matches(AROUND).trim_end_matches(['.', ':', '!', '?'])
}
