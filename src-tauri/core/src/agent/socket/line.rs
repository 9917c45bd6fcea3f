//! Lines of bounded length that come in bounded time, once they have begun.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout, timeout_at};

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("a line is longer than {0} bytes")]
    TooLong(usize),
    #[error("a line was begun and not finished within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("what was said was not read within {} s", .0.as_secs())]
    NotRead(Duration),
    #[error(transparent)]
    Broken(#[from] io::Error),
}

/// The lines of a stream, without their ends.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    longest: usize,
    patience: Duration,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(reader: R, longest: usize, patience: Duration) -> Self {
        Self { reader: BufReader::new(reader), longest, patience }
    }

    /// Waits for as long as it takes for a line to begin, and then not for long. `None` at the end; what was begun
    /// then is no line.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        let mut line = Vec::new();
        let mut end: Option<Instant> = None;
        loop {
            let slow = LineError::Slow(self.patience);
            let read = match end {
                Some(end) => timeout_at(end, self.reader.fill_buf()).await.map_err(|_| slow)??,
                None => self.reader.fill_buf().await?,
            };
            if read.is_empty() {
                return Ok(None);
            }
            end = end.or(Some(Instant::now() + self.patience));
            let (part, taken, whole) = match read.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&read[..at], at + 1, true),
                None => (read, read.len(), false),
            };
            if line.len() + part.len() > self.longest {
                return Err(LineError::TooLong(self.longest));
            }
            line.extend_from_slice(part);
            self.reader.consume(taken);
            if whole {
                return Ok(Some(line));
            }
        }
    }
}

/// Writes one line; whoever does not read it in time is not waited for.
pub(super) async fn say<W: AsyncWrite + Unpin>(
    to: &mut W,
    what: &impl Serialize,
    patience: Duration,
) -> Result<(), LineError> {
    let mut line = serde_json::to_vec(what).map_err(io::Error::from)?;
    line.push(b'\n');
    let written = async {
        to.write_all(&line).await?;
        to.flush().await
    };
    Ok(timeout(patience, written).await.map_err(|_| LineError::NotRead(patience))??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Lines<&[u8]> {
        Lines::new(text, 8, Duration::from_secs(10))
    }

    #[tokio::test]
    async fn lines_come_whole_and_the_rest_is_none() {
        let mut lines = lines(b"a\n\n12345678\nrest");
        for wanted in [&b"a"[..], b"", b"12345678"] {
            assert_eq!(lines.next().await.unwrap().unwrap(), wanted);
        }
        assert!(lines.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused_before_its_end() {
        assert!(matches!(lines(b"123456789").next().await, Err(LineError::TooLong(8))));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_waited_for_and_half_a_line_is_not() {
        let (mut there, here) = tokio::io::duplex(64);
        let mut lines = Lines::new(here, 8, Duration::from_secs(10));
        let waited = timeout(Duration::from_secs(3600), lines.next()).await;
        assert!(waited.is_err(), "an hour of silence is no fault");
        there.write_all(b"ab").await.unwrap();
        assert!(matches!(lines.next().await, Err(LineError::Slow(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_not_waited_for() {
        let (_there, mut here) = tokio::io::duplex(4);
        let said = say(&mut here, &"a longer text", Duration::from_secs(10)).await;
        assert!(matches!(said, Err(LineError::NotRead(_))), "{said:?}");
    }
}
