//! What becomes of a text, without a second copy of what stays.
//!
//! A `known_hosts` may be megabytes, of which an edit changes two lines. Holding and comparing the rest twice would
//! cost more than finding those lines.

use std::borrow::Cow;

/// A span of the basis, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) with: Vec<u8>,
}

/// A text in terms of another one, its basis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Revision {
    Whole(Vec<u8>),
    /// In order, without overlap.
    Spans(Vec<Span>),
}

impl Revision {
    pub(crate) const UNCHANGED: Self = Self::Spans(Vec::new());

    /// The text, piece by piece.
    pub(crate) fn pieces<'a>(&'a self, basis: &'a [u8]) -> Vec<&'a [u8]> {
        let spans = match self {
            Self::Whole(text) => return vec![text],
            Self::Spans(spans) => spans,
        };
        let mut pieces = Vec::with_capacity(2 * spans.len() + 1);
        let mut at = 0;
        for span in spans {
            pieces.extend([&basis[at..span.start], &span.with]);
            at = span.end;
        }
        pieces.push(&basis[at..]);
        pieces
    }

    pub(crate) fn text<'a>(&'a self, basis: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::Whole(text) => Cow::Borrowed(text),
            Self::Spans(spans) if spans.is_empty() => Cow::Borrowed(basis),
            Self::Spans(_) => Cow::Owned(self.pieces(basis).concat()),
        }
    }

    pub(crate) fn is_empty(&self, basis: &[u8]) -> bool {
        self.pieces(basis).iter().all(|piece| piece.is_empty())
    }

    /// Whether the text is the basis itself.
    pub(crate) fn is_noop(&self, basis: &[u8]) -> bool {
        matches!(self, Self::Spans(spans) if spans.is_empty()) || self.is(basis, basis)
    }

    /// Whether the text is `other`.
    pub(crate) fn is(&self, basis: &[u8], mut other: &[u8]) -> bool {
        let pieces = self.pieces(basis);
        // Lengths first: they nearly always differ where the texts do.
        pieces.iter().map(|piece| piece.len()).sum::<usize>() == other.len()
            && pieces.iter().all(|piece| other.strip_prefix(*piece).map(|rest| other = rest).is_some())
    }
}

impl From<Vec<u8>> for Revision {
    fn from(text: Vec<u8>) -> Self {
        Self::Whole(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_make_the_text_and_know_when_nothing_changed() {
        let span = |start, end, with: &str| Span { start, end, with: with.into() };
        let revision = Revision::Spans(vec![span(0, 0, "new\n"), span(0, 2, ""), span(4, 5, "B")]);
        let basis = b"a\nb\nb\n";
        assert_eq!(&*revision.text(basis), b"new\nb\nB\n");
        assert!(revision.is(basis, b"new\nb\nB\n") && !revision.is(basis, b"new\nb\nX\n"));
        assert!(!revision.is_noop(basis) && !revision.is_empty(basis));
        assert!(Revision::Spans(vec![span(2, 4, "b\n")]).is_noop(basis));
        assert!(Revision::UNCHANGED.is_noop(basis) && Revision::Whole(basis.to_vec()).is_noop(basis));
        assert!(Revision::Spans(vec![span(0, 6, "")]).is_empty(basis));
    }
}
