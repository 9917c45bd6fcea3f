//! Bytes that are to be sent.

/// Bytes that are to be sent. The memory is kept and used again, and what was in it is not cleared before it is
/// written anew: at gigabytes, even that is felt.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    filled: usize,
}

impl Outgoing {
    /// What there is to send.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// It was sent.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Takes all that `other` has.
    pub(super) fn append(&mut self, other: &mut Self) {
        let bytes = other.bytes();
        self.room(bytes.len()).copy_from_slice(bytes);
        self.filled += bytes.len();
        other.clear();
    }

    /// Lets `write` fill room at the end: as much as is guessed, then as much as it says that it needs. It gives how
    /// much it wrote, or else how much it needs; `None` where that is no more than it had.
    pub(super) fn fill<E>(
        &mut self,
        guess: usize,
        mut write: impl FnMut(&mut [u8]) -> Result<Result<usize, usize>, E>,
    ) -> Result<Option<()>, E> {
        let mut room = guess;
        loop {
            match write(self.room(room))? {
                Ok(count) => {
                    self.filled += count.min(room);
                    return Ok(Some(()));
                }
                Err(needs) if needs > room => room = needs,
                Err(_) => return Ok(None),
            }
        }
    }

    fn room(&mut self, many: usize) -> &mut [u8] {
        let end = self.filled + many;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(self.filled..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(out: &mut Outgoing, text: &[u8], guess: usize) {
        let done = out.fill(guess, |room| -> Result<_, ()> {
            let Some(room) = room.get_mut(..text.len()) else { return Ok(Err(text.len())) };
            room.copy_from_slice(text);
            Ok(Ok(text.len()))
        });
        assert_eq!(done, Ok(Some(())));
    }

    #[test]
    fn what_was_sent_is_not_sent_again() {
        let (mut out, mut other) = (Outgoing::default(), Outgoing::default());
        put(&mut out, b"a long beginning", 3);
        out.clear();
        assert!(out.is_empty() && out.bytes().is_empty());
        put(&mut out, b"one", 64);
        put(&mut other, b" two", 0);
        out.append(&mut other);
        assert_eq!((out.bytes(), other.is_empty()), (&b"one two"[..], true));
    }

    #[test]
    fn who_wants_more_and_gets_it_and_wants_it_again_gets_nothing() {
        let mut out = Outgoing::default();
        assert_eq!(out.fill(4, |room| Ok::<_, ()>(Err(room.len().min(8)))), Ok(None));
        assert!(out.is_empty());
    }
}
