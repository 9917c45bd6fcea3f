//! Questions to the person, on the terminal itself, so that a pasted text may come through standard input.

use std::fs::File;
use std::io::{IsTerminal, Write};

use anyhow::bail;
use secrecy::SecretString;

#[cfg(unix)]
const TERMINAL_IN: &str = "/dev/tty";
#[cfg(windows)]
const TERMINAL_IN: &str = "CONIN$";

/// More than the fingerprints of any machine's keys.
#[cfg(unix)]
const LONGEST_ANSWER: usize = 64 * 1024;

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
    input: File,
    _echo: Echo,
}

impl Terminal {
    /// The terminal, when a person sits at one: standard error is one and it can be read.
    pub fn open(json: bool) -> Option<Self> {
        if json || !std::io::stderr().is_terminal() {
            return None;
        }
        let file = File::open(TERMINAL_IN).ok()?;
        let echo = Echo::of(&file);
        Some(Self { input: file, _echo: echo })
    }

    /// The answer, trimmed; `None` at end of input. What was typed before the question is no answer to it, what is
    /// pasted in one go is one answer, and what is left unread is discarded.
    pub fn ask_lines(&mut self, question: &str) -> Option<String> {
        #[cfg(unix)]
        {
            // Before the discarding: nothing may slip in between, and nothing is echoed that does not count.
            let mut bytes = crate::tty::Bytes::of(&self.input).ok()?;
            crate::tty::discard(&self.input);
            say(question);
            let answer = bytes.read(crate::typed::Until::Enter, LONGEST_ANSWER).ok()??;
            Some(String::from_utf8_lossy(&answer).trim().to_owned())
        }
        #[cfg(not(unix))]
        {
            use std::io::BufRead;
            say(question);
            let mut input = std::io::BufReader::new(&self.input);
            let mut answer = String::new();
            input.read_line(&mut answer).ok().filter(|count| *count > 0)?;
            while !input.buffer().is_empty() {
                input.read_line(&mut answer).ok().filter(|count| *count > 0)?;
            }
            Some(answer.trim().to_owned())
        }
    }

    /// `yes` or `y`; anything else is no.
    pub fn confirm(&mut self, question: &str) -> bool {
        self.ask_lines(&format!("{question} [y/N]"))
            .is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// A secret, typed on the terminal without echo; `None` without one.
pub fn ask_secret(question: &str) -> Option<SecretString> {
    discard();
    let secret = rpassword::prompt_password(format!("{question} ")).ok().map(SecretString::from);
    discard();
    secret
}

fn say(question: &str) {
    let _ = write!(anstream::stderr(), "{question} ");
    let _ = std::io::stderr().flush();
}

/// Forgets what was typed so far.
fn discard() {
    #[cfg(unix)]
    if let Ok(terminal) = File::open(TERMINAL_IN) {
        crate::tty::discard(&terminal);
    }
}

/// Turns the terminal's echo on again when dropped: an ssh that is ended at its time limit while it asks for a
/// passphrase leaves it off.
struct Echo {
    #[cfg(unix)]
    before: Option<(File, rustix::termios::Termios)>,
}

#[cfg(unix)]
impl Echo {
    fn of(terminal: &File) -> Self {
        let before = rustix::termios::tcgetattr(terminal).ok();
        Self { before: terminal.try_clone().ok().zip(before) }
    }
}

#[cfg(unix)]
impl Drop for Echo {
    fn drop(&mut self) {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Some((terminal, before)) = &self.before else { return };
        let echoes = |modes: LocalModes| modes.contains(LocalModes::ECHO);
        // Setting it from the background would stop this process, so only where it must be.
        if tcgetattr(terminal).is_ok_and(|now| echoes(now.local_modes) != echoes(before.local_modes)) {
            let _ = tcsetattr(terminal, OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
impl Echo {
    fn of(_: &File) -> Self {
        Self {}
    }
}
