//! What a person types or pastes at a terminal, byte by byte: the kernel's own line editing would cut long lines,
//! take a control character within a paste for a key that was pressed, and leave what is not read to the shell.

use zeroize::Zeroizing;

/// What ends the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Enter, or a paste that ends with a line.
    Enter,
    /// Ctrl-D.
    EndOfText,
}

/// What is to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More is to be read.
    More,
    /// Enter was pressed: the text is complete unless more follows at once, as in a paste.
    Maybe,
    /// The text is complete.
    Done,
    /// Ctrl-C: the person gives up, unless more follows at once.
    Cancel,
}

/// The text so far. Knows bracketed pastes (xterm, Bracketed Paste Mode: `CSI 200~` and `CSI 201~` around what is
/// pasted); without them, control characters count as pressed only at the edge of what comes in one go.
pub struct Typed {
    until: Until,
    text: Zeroizing<Vec<u8>>,
    /// An escape sequence that is not complete yet.
    escape: Zeroizing<Vec<u8>>,
    pasting: bool,
}

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// No control sequence is longer.
const LONGEST_ESCAPE: usize = 32;

impl Typed {
    /// Nothing yet.
    pub fn new(until: Until) -> Self {
        // Roomy, so that it seldom moves: what it moves from is not wiped.
        let text = Zeroizing::new(Vec::with_capacity(64 * 1024));
        Self { until, text, escape: Zeroizing::default(), pasting: false }
    }

    /// What was typed.
    pub fn into_text(self) -> Zeroizing<Vec<u8>> {
        self.text
    }

    /// How long the text is.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes what came in one go; `shown` gets what the person is to see of it.
    pub fn take(&mut self, bytes: &[u8], shown: &mut Vec<u8>) -> Next {
        let mut next = Next::More;
        for byte in bytes {
            next = self.take_byte(*byte, bytes.len() == 1, shown);
            if next == Next::Done {
                return next;
            }
        }
        next
    }

    fn take_byte(&mut self, byte: u8, alone: bool, shown: &mut Vec<u8>) -> Next {
        if !self.escape.is_empty() || byte == 0x1b {
            return self.take_escape(byte);
        }
        match byte {
            b'\r' | b'\n' => {
                self.text.push(b'\n');
                shown.push(b'\n');
                if self.until == Until::Enter && !self.pasting { Next::Maybe } else { Next::More }
            }
            // Ctrl-D, wherever it stands: what follows is discarded.
            0x04 if !self.pasting => Next::Done,
            // Ctrl-C and Ctrl-\.
            0x03 | 0x1c if !self.pasting && alone => Next::Cancel,
            0x7f | 0x08 if !self.pasting => {
                self.erase(shown);
                Next::More
            }
            // Ctrl-U.
            0x15 if !self.pasting => {
                while self.erase(shown) {}
                Next::More
            }
            _ => {
                self.text.push(byte);
                if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
                    shown.push(byte);
                }
                Next::More
            }
        }
    }

    /// Sequences that are no paste's edges are part of the text: colours, as a cell prints them.
    fn take_escape(&mut self, byte: u8) -> Next {
        self.escape.push(byte);
        let open = match self.escape[..] {
            [_] | [_, b'['] => true,
            [_, b'[', ..] => !(0x40..=0x7e).contains(&byte) && self.escape.len() < LONGEST_ESCAPE,
            _ => false,
        };
        if open {
            return Next::More;
        }
        let escape = std::mem::take(&mut *self.escape);
        if escape == PASTE_BEGINS {
            self.pasting = true;
        } else if escape == PASTE_ENDS {
            self.pasting = false;
            if self.until == Until::Enter && self.text.ends_with(b"\n") {
                return Next::Done;
            }
        } else {
            self.text.extend_from_slice(&escape);
        }
        Next::More
    }

    /// Takes back the last character of the line.
    fn erase(&mut self, shown: &mut Vec<u8>) -> bool {
        if self.text.last().is_none_or(|last| *last == b'\n') {
            return false;
        }
        // Continuation bytes of UTF-8 belong to the character before them.
        while self.text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        shown.extend_from_slice(b"\x08 \x08");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(until: Until, pieces: &[&[u8]]) -> (Next, Vec<u8>) {
        let mut typed = Typed::new(until);
        let mut next = Next::More;
        for piece in pieces {
            next = typed.take(piece, &mut Vec::new());
        }
        (next, typed.into_text().to_vec())
    }

    #[test]
    fn control_keys_count_when_pressed_and_not_when_pasted() {
        let lines = Until::EndOfText;
        assert_eq!(typed(lines, &[b"a", b"\x03"]).0, Next::Cancel);
        assert_eq!(typed(lines, &[b"a\x03\nrm -rf x\n"]), (Next::More, b"a\x03\nrm -rf x\n".to_vec()));
        let pasted: [&[u8]; 3] = [b"\x1b[200~a\r", b"\x03", b"\x04b\x1b[201~"];
        assert_eq!(typed(lines, &pasted), (Next::More, b"a\n\x03\x04b".to_vec()));
        assert_eq!(typed(lines, &[b"a", b"\x04"]), (Next::Done, b"a".to_vec()), "no second Ctrl-D");
        assert_eq!(typed(lines, &[b"a\n\x04yes\nyes\n"]), (Next::Done, b"a\n".to_vec()));
    }

    #[test]
    fn enter_ends_an_answer_and_so_does_a_pasted_line() {
        assert_eq!(typed(Until::Enter, &[b"ye", b"s\n"]), (Next::Maybe, b"yes\n".to_vec()));
        assert_eq!(
            typed(Until::Enter, &[b"\x1b[20", b"0~a\rb\r\x1b[201~"]),
            (Next::Done, b"a\nb\n".to_vec())
        );
        assert_eq!(
            typed(Until::Enter, &[b"\x1b[200~a\rb\x1b[201~"]).0,
            Next::More,
            "the person presses Enter"
        );
    }

    #[test]
    fn a_typed_line_can_be_mended() {
        assert_eq!(typed(Until::Enter, &["nö".as_bytes(), b"\x7f\x7f\x7fyes"]).1, b"yes");
        assert_eq!(typed(Until::EndOfText, &[b"one\ntwo", b"\x15", b"\x7f"]).1, b"one\n", "this line alone");
    }

    #[test]
    fn colours_stay_in_the_text_and_off_the_screen() {
        let mut shown = Vec::new();
        let mut typed = Typed::new(Until::EndOfText);
        typed.take(b"\x1b[31mred\x1b[0m\n", &mut shown);
        assert_eq!(shown, b"red\n");
        assert_eq!(*typed.into_text(), b"\x1b[31mred\x1b[0m\n");
    }
}
