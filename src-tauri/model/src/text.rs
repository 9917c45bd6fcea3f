//! What is said to a person when something failed: by the command line, and by the program that ssh runs.

use std::error::Error;

/// The whole chain of causes as one sentence; a cause that its parent already quotes is not said twice.
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Text from outside may hold control characters that would move the cursor or recolour the terminal.
pub fn visible(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if hidden(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Foreign text fit for a message: control characters escaped, cut after `limit` characters.
pub fn shown(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        // Direction marks and other invisible characters could make a message read as something else.
        let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || invisible {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{said}")]
    struct Chain {
        said: &'static str,
        source: Option<Box<Chain>>,
    }

    #[test]
    fn a_cause_is_said_once() {
        let end = Chain { said: "no room", source: None };
        let middle = Chain { said: "cannot write", source: Some(end.into()) };
        let top = Chain { said: "cannot write; try again", source: Some(middle.into()) };
        assert_eq!(sentence(&top), "cannot write; try again: no room");
    }

    #[test]
    fn control_and_direction_characters_are_shown_not_obeyed() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\td"), "a\\u{1b}[2Jb\\u{202e}c\td");
    }
}
