//! Lines of bytes, as OpenSSH reads them: ended by LF, a CR before it being blank space.

/// The UTF-8 encoding of U+FEFF at the start of a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eol {
    Lf,
    CrLf,
}

impl Eol {
    /// What most lines of the text end with; LF when there is a tie or no line end.
    pub(crate) fn dominant(text: &[u8]) -> Self {
        let (mut all, mut crlf) = (0_usize, 0_usize);
        for at in memchr::memchr_iter(b'\n', text) {
            all += 1;
            crlf += usize::from(at > 0 && text[at - 1] == b'\r');
        }
        Self::majority(crlf, all)
    }

    pub(crate) fn majority(crlf: usize, all: usize) -> Self {
        if crlf * 2 > all { Self::CrLf } else { Self::Lf }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// From 1.
    pub(crate) number: usize,
    /// Offset of its first byte.
    pub(crate) start: usize,
    /// Offset behind its line end.
    pub(crate) end: usize,
    /// Its bytes without LF; a CR before it is still there.
    pub(crate) text: &'a [u8],
}

/// Iterates over the lines of a text; a last line may lack its LF, and there is no empty line behind a last LF.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    all: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(all: &'a [u8]) -> Self {
        Self { all, at: 0, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.at >= self.all.len() {
            return None;
        }
        let start = self.at;
        let stop = memchr::memchr(b'\n', &self.all[start..]).map_or(self.all.len(), |n| start + n);
        self.at = (stop + 1).min(self.all.len());
        self.number += 1;
        Some(Line { number: self.number, start, end: self.at, text: &self.all[start..stop] })
    }
}

/// Line (from 1) in which the byte at `offset` stands.
pub(crate) fn line_number(text: &[u8], offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text[..offset]).count()
}

/// Whether the text is UTF-16: by its byte-order mark, or by a NUL beside an ASCII character at the very start.
pub(crate) fn is_utf16(text: &[u8]) -> bool {
    matches!(text, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || matches!(text, [0, 1..=0x7f, 0, ..] | [1..=0x7f, 0, 1..=0x7f, 0, ..])
}

/// Whether lines are separated by CR alone.
pub(crate) fn is_cr_only(text: &[u8]) -> bool {
    memchr::memchr(b'\n', text).is_none() && memchr::memchr(b'\r', text).is_some_and(|at| at + 1 < text.len())
}

/// Without blanks (space, tab, CR, form feed, vertical tab) at both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | 0x0b | 0x0c, rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | 0x0b | 0x0c] = text {
        text = rest;
    }
    text
}

/// Whether `name` (in lower case) fits a pattern of `*` and `?`, as `ssh_config(5)` has them, under PATTERNS. Goes back
/// to the last `*` alone, so a hostile pattern costs no more than the product of both lengths.
pub(crate) fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b) if *b == b'?' || b.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}
