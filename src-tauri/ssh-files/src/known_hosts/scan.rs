//! One pass over the file: which lines name one of the targets, and what the file looks like otherwise.

use super::edit::{KnownHostsEdit, KnownName, Place};
use super::hashed::Sought;
use super::line::Entry;
use crate::host_key::HostKey;
use crate::names::Port;

/// Below this many bytes a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 512 * 1024;
const MOST_THREADS: usize = 8;

/// A name that the edit is about, in the spellings that a file may have.
#[derive(Debug)]
pub(super) struct Target<'e> {
    pub(super) name: &'e KnownName,
    /// As we write and hash it, lower case.
    pub(super) text: String,
    /// `[host]:22`, which some tools write and ssh never looks up.
    other_text: Option<String>,
    pub(super) drop: bool,
    pub(super) pin: bool,
    pub(super) pairs: Vec<&'e HostKey>,
}

impl<'e> Target<'e> {
    pub(super) fn of_edit(edit: &'e KnownHostsEdit) -> Vec<Self> {
        let mut targets: Vec<Self> = Vec::new();
        for name in &edit.drop {
            Self::named(&mut targets, name).drop = true;
        }
        for name in &edit.pin_names {
            Self::named(&mut targets, name).pin = !edit.pin_keys.is_empty();
        }
        for (name, key) in &edit.drop_pairs {
            Self::named(&mut targets, name).pairs.push(key);
        }
        targets
    }

    fn named<'t>(targets: &'t mut Vec<Self>, name: &'e KnownName) -> &'t mut Self {
        let text = name.to_string();
        let index = targets.iter().position(|t| t.text == text).unwrap_or_else(|| {
            targets.push(Self::new(name, text));
            targets.len() - 1
        });
        &mut targets[index]
    }

    fn new(name: &'e KnownName, text: String) -> Self {
        let other_text = match name {
            KnownName::Place(Place { host, port }) if *port == Port::SSH => Some(format!("[{host}]:22")),
            _ => None,
        };
        Self { name, text, other_text, drop: false, pin: false, pairs: Vec::new() }
    }

    pub(super) fn is_alias(&self) -> bool {
        matches!(self.name, KnownName::Alias(_))
    }

    /// Whether a plain name in the file is this one.
    pub(super) fn is(&self, token: &[u8]) -> bool {
        let same = |text: &String| text.as_bytes().eq_ignore_ascii_case(token);
        same(&self.text) || self.other_text.as_ref().is_some_and(same)
    }
}

/// A line that names a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) start: usize,
    /// Behind its line end.
    pub(super) end: usize,
    /// The target's index, if the name is hashed.
    pub(super) hashed: Option<usize>,
}

impl Hit {
    /// The fields, of which [`scan`] has made sure.
    pub(super) fn entry<'a>(&self, file: &'a [u8]) -> Entry<'a> {
        Entry::read(self.line(file)).unwrap_or_else(|| unreachable!("a hit was read as an entry before"))
    }

    /// The line without its LF.
    pub(super) fn line<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let line = &file[self.start..self.end];
        line.strip_suffix(b"\n").unwrap_or(line)
    }
}

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the file's order.
    pub(super) hits: Vec<Hit>,
    /// Entries without marker that name somebody else (too): with a hashed name, and all. An edit does not change
    /// these counts, so that they decide alike the next time.
    pub(super) others_hashed: usize,
    pub(super) others: usize,
    /// Line ends: CRLF, and all.
    pub(super) crlf: usize,
    pub(super) line_ends: usize,
}

pub(super) fn scan(file: &[u8], targets: &[Target<'_>]) -> Found {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = (file.len() / WORTH_A_THREAD).clamp(1, threads.min(MOST_THREADS));
    let chunks = split_at_lines(file, parts);
    let sought = &Sought::new(targets.iter().map(|t| t.text.as_str()));
    let found: Vec<Found> = if let [(start, chunk)] = chunks[..] {
        vec![scan_chunk(chunk, start, targets, sought)]
    } else {
        std::thread::scope(|scope| {
            let running: Vec<_> = chunks
                .iter()
                .map(|(start, chunk)| scope.spawn(move || scan_chunk(chunk, *start, targets, sought)))
                .collect();
            running.into_iter().map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
        })
    };
    found.into_iter().reduce(Found::followed_by).unwrap_or_default()
}

impl Found {
    fn followed_by(mut self, mut next: Self) -> Self {
        self.hits.append(&mut next.hits);
        self.others_hashed += next.others_hashed;
        self.others += next.others;
        self.crlf += next.crlf;
        self.line_ends += next.line_ends;
        self
    }
}

fn split_at_lines(file: &[u8], parts: usize) -> Vec<(usize, &[u8])> {
    let mut chunks = Vec::with_capacity(parts);
    let mut start = 0;
    for part in 1..=parts {
        let wanted = (file.len() / parts * part).max(start);
        let end = match memchr::memchr(b'\n', &file[wanted..]) {
            Some(n) if part < parts => wanted + n + 1,
            _ => file.len(),
        };
        chunks.push((start, &file[start..end]));
        start = end;
    }
    chunks
}

fn scan_chunk(chunk: &[u8], offset: usize, targets: &[Target<'_>], sought: &Sought) -> Found {
    let mut found = Found::default();
    let mut start = 0;
    while start < chunk.len() {
        let stop = memchr::memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |n| start + n);
        let end = (stop + 1).min(chunk.len());
        let line = &chunk[start..stop];
        if end > stop {
            found.line_ends += 1;
            found.crlf += usize::from(line.last() == Some(&b'\r'));
        }
        if let Some(entry) = Entry::read(line) {
            let hit = Hit { start: offset + start, end: offset + end, hashed: None };
            found.take(&entry, hit, targets, sought);
        }
        start = end;
    }
    found
}

impl Found {
    fn take(&mut self, entry: &Entry<'_>, hit: Hit, targets: &[Target<'_>], sought: &Sought) {
        if let Some((salt, hash)) = entry.hashed() {
            if entry.marker.is_some() {
                return;
            }
            let matched = sought.find(salt, hash);
            if matched.is_some() {
                self.hits.push(Hit { hashed: matched, ..hit });
            } else {
                self.others += 1;
                self.others_hashed += 1;
            }
            return;
        }
        let (mut ours, mut others) = (false, false);
        for token in entry.tokens() {
            let named = targets.iter().any(|t| t.is(token));
            ours |= named;
            others |= !named;
        }
        if ours {
            self.hits.push(hit);
        }
        if others && entry.marker.is_none() {
            self.others += 1;
        }
    }
}
