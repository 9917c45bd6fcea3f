//! One line of `known_hosts`, taken apart without copying.

use crate::host_key::HostKey;

/// The fields of a line that holds an entry. Offsets of `names` count from the start of the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// `@cert-authority`, `@revoked` or any other first field that starts with `@`.
    pub(super) marker: Option<&'a [u8]>,
    /// The names as they stand: a comma list, or one hashed name.
    pub(super) names: &'a [u8],
    /// Offset of `names` in the line.
    pub(super) names_at: usize,
    key_type: &'a [u8],
    /// From the key's text to the end of the line. Most lines' keys are never looked at.
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Reads a line without its LF. `None` for comments, blank lines and lines with fewer than three fields, which
    /// hold no key.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let mut field = || {
            while matches!(line.get(at), Some(b' ' | b'\t')) {
                at += 1;
            }
            let start = at;
            let length = line[start..].iter().position(|b| matches!(b, b' ' | b'\t' | b'\r'));
            at = length.map_or(line.len(), |n| start + n);
            (start, &line[start..at])
        };
        let (mut names_at, mut names) = field();
        let marker = match names.first() {
            None | Some(b'#') => return None,
            Some(b'@') => {
                let marker = names;
                (names_at, names) = field();
                Some(marker)
            }
            Some(_) => None,
        };
        let (_, key_type) = field();
        let rest = &line[at..];
        let rest = &rest[rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()..];
        if matches!(rest, [] | [b'\r', ..]) {
            None
        } else {
            Some(Self { marker, names, names_at, key_type, rest })
        }
    }

    /// Salt and hash as base64, if the name is a hashed one (`|1|salt|hash`).
    pub(super) fn hashed(&self) -> Option<(&'a [u8], &'a [u8])> {
        let rest = self.names.strip_prefix(b"|1|")?;
        let bar = memchr::memchr(b'|', rest)?;
        Some((&rest[..bar], &rest[bar + 1..]))
    }

    /// Whether any name is a wildcard or negated pattern, or a hashed name within a list, which would begin to mean
    /// something if the names before it went.
    pub(super) fn has_pattern(&self) -> bool {
        memchr::memchr3(b'*', b'?', b'!', self.names).is_some()
            || (!self.names.starts_with(b"|") && memchr::memchr(b'|', self.names).is_some())
    }

    /// The names of a comma list.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &'a [u8]> {
        self.names.split(|b| *b == b',')
    }

    /// The key, if it is one of the kinds that this crate knows.
    pub(super) fn key(&self) -> Option<HostKey> {
        let name = std::str::from_utf8(self.key_type).ok()?;
        let end = self.rest.iter().position(|b| matches!(b, b' ' | b'\t' | b'\r')).unwrap_or(self.rest.len());
        let text = std::str::from_utf8(&self.rest[..end]).ok()?;
        format!("{name} {text}").parse().ok()
    }
}
