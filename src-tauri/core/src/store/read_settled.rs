//! Reading files that google-colab-cli and gcloud rewrite in place: they empty the file, then fill it.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::store::read_file;

/// A file that was written longer ago than this is not on its way any more.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// The longest wait for a file that is being rewritten.
const PATIENCE: Duration = Duration::from_millis(600);

/// From one look to the next.
const AGAIN: Duration = Duration::from_millis(15);

/// No such file is longer, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Why nothing came of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// What the system said.
    System(String),
    /// It is empty, and stays so.
    Empty,
    /// What is wrong with it.
    Odd(&'static str),
}

/// What `parse` makes of the file; `None` where there is no file. While `parse` makes nothing of a file that was
/// written just now, it is read again for a moment. Their lock is of no use: it is a database file of theirs, which
/// readers would have to create.
///
/// # Errors
/// The file cannot be read, is empty, or `parse`'s last reason.
pub(crate) fn read<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, NotRead> {
    let end = Instant::now() + PATIENCE;
    loop {
        let read = read_file::read(path).map_err(|error| NotRead::System(error.to_string()))?;
        let Some(bytes) = read else { return Ok(None) };
        let parsed = match std::str::from_utf8(&bytes) {
            _ if bytes.len() > LONGEST => Err(NotRead::Odd("it is longer than 1 MiB")),
            Ok(text) if text.trim().is_empty() => Err(NotRead::Empty),
            Ok(text) => parse(text).map_err(NotRead::Odd),
            // A rewrite may have been seen in the middle of a character.
            Err(_) => Err(NotRead::Odd("it is not text")),
        };
        match parsed {
            Ok(parsed) => return Ok(Some(parsed)),
            Err(why) if Instant::now() > end || !is_young(path) => return Err(why),
            Err(_) => thread::sleep(AGAIN),
        }
    }
}

fn is_young(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
    age.is_some_and(|age| age < ON_ITS_WAY)
}
