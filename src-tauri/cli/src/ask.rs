//! Questions to the person, on the terminal itself, so that a pasted text may come through standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};

use anyhow::bail;
use secrecy::SecretString;

#[cfg(unix)]
const TERMINAL_IN: &str = "/dev/tty";
#[cfg(windows)]
const TERMINAL_IN: &str = "CONIN$";

/// Goes on only if the person says yes.
///
/// # Errors
/// They said something else, or there is nobody to ask and `--yes` was not given.
pub fn confirm(terminal: &mut Option<Terminal>, question: &str) -> anyhow::Result<()> {
    let Some(terminal) = terminal else { bail!("{question} Nothing was changed; say --yes to go ahead") };
    if terminal.confirm(question) { Ok(()) } else { bail!("nothing was changed") }
}

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
    fn confirm(&mut self, question: &str) -> bool {
        self.ask(&format!("{question} [y/N]"))
            .is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// A secret, typed on the terminal without echo; `None` without one.
pub fn ask_secret(question: &str) -> Option<SecretString> {
    rpassword::prompt_password(format!("{question} ")).ok().map(SecretString::from)
}
