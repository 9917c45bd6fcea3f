//! The terminal while a person types: read byte by byte, and put back as it was however the program ends.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use zeroize::Zeroizing;

use crate::ending::{Due, leave};
use crate::typed::{Next, Typed, Until};

/// How long the pieces of one paste may be apart.
const PASTE_GAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// A terminal that never falls silent is not waited for.
const MOST_GAPS: usize = 100;
/// What a shell reports after Ctrl-C.
const INTERRUPTED: i32 = 130;

const ASK_FOR_BRACKETS: &[u8] = b"\x1b[?2004h";
const NO_MORE_BRACKETS: &[u8] = b"\x1b[?2004l";

/// A terminal whose bytes come as they are typed. What is left unread when this is dropped is discarded, so that it
/// reaches no other question and no shell.
pub struct Bytes {
    input: OwnedFd,
    screen: Option<File>,
    before: Termios,
    _due: Due,
}

impl Bytes {
    /// Takes over the terminal behind `input`.
    pub fn of(input: impl AsFd) -> io::Result<Self> {
        let input = input.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&input)?;
        let mut screen = File::options().write(true).open("/dev/tty").ok();
        let due = {
            let (input, before) = (input.try_clone()?, before.clone());
            let screen = screen.as_ref().and_then(|screen| screen.try_clone().ok());
            Due::at_end(move || put_back(&input, screen, &before))
        };
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        now.input_modes.remove(InputModes::IXON);
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&input, OptionalActions::Now, &now)?;
        if knows_sequences() {
            show(&mut screen, ASK_FOR_BRACKETS);
        }
        Ok(Self { input, screen, before, _due: due })
    }

    /// The text, at most a little more than `limit` bytes; `None` if it ended before it began. Ctrl-C ends the
    /// program.
    pub fn read(&mut self, until: Until, limit: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut typed = Typed::new(until);
        let mut chunk = Zeroizing::new([0; 4096]);
        let mut shown = Zeroizing::new(Vec::new());
        loop {
            let count = match rustix::io::read(&self.input, &mut *chunk) {
                Ok(count) => count,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let next = typed.take(&chunk[..count], &mut shown);
            show(&mut self.screen, &shown);
            shown.clear();
            match next {
                _ if count == 0 || typed.len() > limit => break,
                Next::Done => break,
                Next::Maybe if !follows(&self.input) => break,
                Next::Cancel if !follows(&self.input) => {
                    show(&mut self.screen, b"^C\n");
                    leave(INTERRUPTED)
                }
                Next::More | Next::Maybe | Next::Cancel => {}
            }
        }
        Ok((typed.len() > 0).then(|| typed.into_text()))
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        put_back(&self.input, self.screen.take(), &self.before);
    }
}

/// Discards what was typed or pasted so far, and what still comes of it.
pub fn discard(terminal: impl AsFd) {
    for _ in 0..MOST_GAPS {
        let _ = tcflush(&terminal, QueueSelector::IFlush);
        if !follows(&terminal) {
            break;
        }
    }
    // A line that is not complete shows in no poll.
    let _ = tcflush(&terminal, QueueSelector::IFlush);
}

fn put_back(input: &OwnedFd, mut screen: Option<File>, before: &Termios) {
    discard(input);
    if knows_sequences() {
        show(&mut screen, NO_MORE_BRACKETS);
    }
    let _ = tcsetattr(input, OptionalActions::Flush, before);
}

fn knows_sequences() -> bool {
    std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

fn follows(terminal: impl AsFd) -> bool {
    let mut wanted = [PollFd::new(&terminal, PollFlags::IN)];
    poll(&mut wanted, Some(&PASTE_GAP)).is_ok_and(|_| wanted[0].revents() == PollFlags::IN)
}

fn show(screen: &mut Option<File>, bytes: &[u8]) {
    if let Some(screen) = screen {
        let _ = screen.write_all(bytes);
    }
}
