//! Questions to the person, on the terminal itself, so that a pasted text may come through standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};

use secrecy::SecretString;

#[cfg(unix)]
const TERMINAL_IN: &str = "/dev/tty";
#[cfg(windows)]
const TERMINAL_IN: &str = "CONIN$";

/// A terminal that can be asked.
pub struct Terminal {
    input: BufReader<File>,
}

impl Terminal {
    /// The terminal, when a person sits at one: standard error is one and it can be read.
    pub fn open(json: bool) -> Option<Self> {
        if json || !std::io::stderr().is_terminal() {
            return None;
        }
        File::open(TERMINAL_IN).ok().map(|file| Self { input: BufReader::new(file) })
    }

    /// One line of answer, trimmed; `None` at end of input.
    pub fn ask(&mut self, question: &str) -> Option<String> {
        let _ = write!(anstream::stderr(), "{question} ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        match self.input.read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim().to_owned()),
        }
    }

    /// `yes` or `y`; anything else is no.
    pub fn confirm(&mut self, question: &str) -> bool {
        self.ask(&format!("{question} [y/N]"))
            .is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// A secret, typed without echo.
    pub fn ask_secret(&mut self, question: &str) -> Option<SecretString> {
        rpassword::prompt_password(format!("{question} ")).ok().map(SecretString::from)
    }
}
