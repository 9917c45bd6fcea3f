//! Reads one text.

use crate::doubt::Doubt;
use crate::finding::Finding;
use crate::reading::{LONGEST, Reading};
use crate::{merge, recognisers, text};

/// Reads a pasted text of at most [`LONGEST`] bytes. Never fails: what cannot be used is told as a doubt or a notice.
pub fn read(text: &str) -> Reading {
    if text.len() > LONGEST {
        return Reading { doubts: vec![Doubt::TooLong { bytes: text.len() }], ..Reading::default() };
    }
    let text = text::Text::new(text);
    merge::merge(recognisers::ALL.iter().flat_map(|find| bounded(find(&text))).collect())
}

/// A text of nothing but endpoints must not make the merging slow; the last ones are the newest.
pub(super) fn bounded(mut findings: Vec<Finding>) -> Vec<Finding> {
    const MOST: usize = 256;
    findings.drain(..findings.len().saturating_sub(MOST));
    findings
}
