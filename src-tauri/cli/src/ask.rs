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
        Some(Self { input: BufReader::new(file), _echo: echo })
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

    /// As [`Terminal::ask`], with the further lines of an answer that was pasted in one go.
    pub fn ask_lines(&mut self, question: &str) -> Option<String> {
        let mut answer = self.ask(question)?;
        while more(&self.input) {
            answer.push('\n');
            if self.input.read_line(&mut answer).ok()? == 0 {
                break;
            }
        }
        Some(answer)
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

/// How long the lines of one paste may be apart.
#[cfg(unix)]
const PASTE_GAP: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

#[cfg(unix)]
fn more(input: &BufReader<File>) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut wanted = [PollFd::new(input.get_ref(), PollFlags::IN)];
    !input.buffer().is_empty() || poll(&mut wanted, Some(&PASTE_GAP)).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
fn more(input: &BufReader<File>) -> bool {
    !input.buffer().is_empty()
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
