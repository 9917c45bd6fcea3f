//! Something wrong in the file, and where.

use std::ops::Range;

/// What is wrong, and at which byte.
pub(super) struct Fault {
    pub offset: usize,
    pub what: String,
}

/// Where an item begins; the file's begin where that is not known.
pub(super) fn start(span: Option<Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}
