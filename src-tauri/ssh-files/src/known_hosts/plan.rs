//! What becomes of the lines that name a target, and where new ones go.

use super::edit::{KnownHostsEdit, KnownHostsError, KnownHostsOutcome};
use super::hashed;
use super::line::Entry;
use super::scan::{Found, Hit, Target};
use crate::host_key::HostKey;
use crate::text::{self, BYTE_ORDER_MARK, Eol};
use std::collections::BTreeSet;

enum Verdict {
    Keep,
    /// All of the line's names are dropped.
    Drop {
        foreign: bool,
    },
    /// These are the names that stay.
    Narrow {
        names: Vec<u8>,
        foreign: bool,
    },
}

struct Plan<'e, 't> {
    edit: &'e KnownHostsEdit,
    targets: &'t [Target<'e>],
    write_hashed: bool,
    /// Which pins stand in the file already: (target, key), or (`usize::MAX`, key) for a whole plain line.
    standing: BTreeSet<(usize, usize)>,
    remarks: Vec<String>,
}

const WHOLE_LINE: usize = usize::MAX;

/// A span of the file, and what stands in its place.
struct Span {
    start: usize,
    end: usize,
    with: Vec<u8>,
}

pub(super) fn carry_out(
    original: &[u8],
    edit: &KnownHostsEdit,
    targets: &[Target<'_>],
    found: &Found,
) -> Result<KnownHostsOutcome, KnownHostsError> {
    let write_hashed = found.others_hashed * 2 > found.others;
    let mut plan = Plan { edit, targets, write_hashed, standing: BTreeSet::new(), remarks: Vec::new() };
    if original.starts_with(BYTE_ORDER_MARK) {
        plan.remarks.push(
            "known_hosts starts with a byte-order mark, so ssh does not see its first entry; save it as UTF-8 without BOM"
                .to_owned(),
        );
    }
    let verdicts: Vec<(&Hit, Verdict)> =
        found.hits.iter().map(|hit| (hit, plan.judge(hit, original))).collect();
    let (pinned, added) = plan.missing_lines(Eol::majority(found.crlf, found.line_ends))?;
    let insert_at = insertion_point(original, &verdicts);

    let mut pin =
        Some(Span { start: insert_at, end: insert_at, with: pinned }).filter(|pin| !pin.with.is_empty());
    let mut spans = Vec::new();
    let (mut dropped, mut narrowed, mut foreign_lines) = (0, 0, 0);
    for (hit, verdict) in verdicts {
        let (span, foreign) = match verdict {
            Verdict::Keep => continue,
            Verdict::Drop { foreign } => {
                dropped += 1;
                (Span { start: hit.start, end: hit.end, with: Vec::new() }, foreign)
            }
            Verdict::Narrow { names, foreign } => {
                narrowed += 1;
                let entry = hit.entry(original);
                let start = hit.start + entry.names_at;
                (Span { start, end: start + entry.names.len(), with: names }, foreign)
            }
        };
        foreign_lines += usize::from(foreign);
        spans.extend(pin.take_if(|pin| pin.start <= span.start));
        spans.push(span);
    }
    spans.extend(pin);
    Ok(KnownHostsOutcome {
        bytes: with_spans(original, &spans),
        dropped,
        narrowed,
        added,
        foreign: foreign_lines,
        remarks: plan.remarks,
    })
}

/// The text with these spans, which stand in order and do not overlap.
fn with_spans(original: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut text =
        Vec::with_capacity(original.len() + spans.iter().map(|span| span.with.len()).sum::<usize>());
    let mut at = 0;
    for span in spans {
        text.extend_from_slice(&original[at..span.start]);
        text.extend_from_slice(&span.with);
        at = span.end;
    }
    text.extend_from_slice(&original[at..]);
    text
}

impl Plan<'_, '_> {
    fn judge(&mut self, hit: &Hit, original: &[u8]) -> Verdict {
        let entry = hit.entry(original);
        if entry.marker.is_some() || entry.has_pattern() {
            self.remark_untouched(hit, &entry, original);
            return Verdict::Keep;
        }
        let key = entry.key();
        match hit.hashed {
            Some(target) => self.judge_hashed(target, key.as_ref()),
            None => self.judge_plain(&entry, key.as_ref()),
        }
    }

    fn judge_hashed(&mut self, index: usize, key: Option<&HostKey>) -> Verdict {
        let target = &self.targets[index];
        let pinned = self.pinned_key(key).filter(|_| target.pin);
        if let Some(key) = pinned
            && (self.write_hashed || !target.is_alias())
        {
            self.standing.insert((index, key));
            return Verdict::Keep;
        }
        let paired = key.is_some_and(|k| target.pairs.contains(&k));
        if target.drop || paired {
            Verdict::Drop { foreign: !target.is_alias() && !paired }
        } else {
            Verdict::Keep
        }
    }

    fn judge_plain(&mut self, entry: &Entry<'_>, key: Option<&HostKey>) -> Verdict {
        let targets = self.targets;
        let named = |token: &[u8]| targets.iter().position(|t| t.is(token));
        let has_alias = entry.tokens().any(|t| named(t).is_some_and(|i| targets[i].is_alias()));
        let pinned = self.pinned_key(key);
        if let Some(key) = pinned
            && !self.write_hashed
            && self.names_exactly_the_pins(entry)
            && self.standing.insert((WHOLE_LINE, key))
        {
            return Verdict::Keep;
        }
        let mut rest: Vec<&[u8]> = Vec::new();
        let mut gone = 0;
        let mut foreign = !has_alias;
        for token in entry.tokens() {
            let Some(index) = named(token) else {
                foreign |= !token.is_empty();
                rest.push(token);
                continue;
            };
            let target = &targets[index];
            let wanted = pinned.filter(|_| target.pin && !has_alias);
            if let Some(key) = wanted {
                self.standing.insert((index, key));
            }
            let paired = has_alias && key.is_some_and(|k| target.pairs.contains(&k));
            let stays = wanted.is_some() || !(target.drop || paired);
            if stays {
                rest.push(token);
            } else {
                gone += 1;
            }
        }
        if gone == 0 {
            Verdict::Keep
        } else if rest.iter().all(|t| t.is_empty()) {
            Verdict::Drop { foreign }
        } else {
            Verdict::Narrow { names: rest.join(&b','), foreign }
        }
    }

    fn pinned_key(&self, key: Option<&HostKey>) -> Option<usize> {
        key.and_then(|key| self.edit.pin_keys.iter().position(|k| k == key))
    }

    fn names_exactly_the_pins(&self, entry: &Entry<'_>) -> bool {
        let pins = || self.targets.iter().filter(|t| t.pin);
        pins().all(|t| entry.tokens().any(|token| t.is(token)))
            && entry.tokens().all(|token| pins().any(|t| t.is(token)))
    }

    fn remark_untouched(&mut self, hit: &Hit, entry: &Entry<'_>, original: &[u8]) {
        let Some(target) = self.targets.iter().find(|t| entry.tokens().any(|token| t.is(token))) else {
            return;
        };
        let why = match entry.marker {
            Some(marker) => format!("a {} line", String::from_utf8_lossy(marker).escape_debug()),
            None => "a line with patterns".to_owned(),
        };
        let line = text::line_number(original, hit.start);
        self.remarks.push(format!(
            "known_hosts, line {line}, is {why} that names {}; it was left as it is, look whether it still holds",
            target.text
        ));
    }

    /// The text of the pins that do not stand in the file yet, and how many lines that is.
    fn missing_lines(&self, eol: Eol) -> Result<(Vec<u8>, usize), KnownHostsError> {
        let mut text = String::new();
        let mut lines = 0;
        let mut add = |names: &str, key: &HostKey| {
            text.push_str(names);
            text.push(' ');
            text.push_str(&key.to_string());
            text.push_str(eol.as_str());
            lines += 1;
        };
        // In the order that the caller named them, each name and key once.
        let mut pins: Vec<usize> = Vec::new();
        for name in &self.edit.pin_names {
            let index = self.targets.iter().position(|t| t.pin && t.text == name.to_string());
            pins.extend(index.filter(|i| !pins.contains(i)));
        }
        for (number, key) in self.edit.pin_keys.iter().enumerate() {
            let repeated = self.edit.pin_keys[..number].contains(key);
            if repeated || pins.is_empty() {
                continue;
            }
            if self.write_hashed {
                for &index in pins.iter().filter(|i| !self.standing.contains(&(**i, number))) {
                    let name = self.targets[index].text.as_bytes();
                    add(&hashed::hash(name).map_err(KnownHostsError::Random)?, key);
                }
            } else if !self.standing.contains(&(WHOLE_LINE, number)) {
                let names: Vec<&str> = pins.iter().map(|i| self.targets[*i].text.as_str()).collect();
                add(&names.join(","), key);
            }
        }
        Ok((text.into_bytes(), lines))
    }
}

fn insertion_point(original: &[u8], verdicts: &[(&Hit, Verdict)]) -> usize {
    let ours = verdicts.iter().find(|(_, v)| matches!(v, Verdict::Drop { foreign: false }));
    if let Some((hit, _)) = ours {
        return hit.start;
    }
    // Behind a last line without line end there is no place for a line that can be taken out again.
    memchr::memrchr(b'\n', original).map_or(0, |n| n + 1)
}
