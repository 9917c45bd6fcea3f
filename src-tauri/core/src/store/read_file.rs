//! Reading files that people own, whatever stands in their place: a FIFO would block for ever, a device never end, and
//! google-colab-cli and gcloud rewrite theirs in place: they empty the file, then fill it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// More than any real file that Moorline reads.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A file that was written longer ago than this is not on its way any more.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// The longest wait for a file that is being rewritten.
const PATIENCE: Duration = Duration::from_millis(600);

/// From one look to the next.
const AGAIN: Duration = Duration::from_millis(15);

/// No file that is rewritten in place is longer, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Why nothing came of a file that is rewritten in place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// What the system said.
    System(String),
    /// It is empty, and stays so.
    Empty,
    /// What is wrong with it.
    Odd(&'static str),
}

/// The content of a regular file, at most 64 MiB of it, symlinks followed; `None` if there is none. Never blocks on
/// a file that is no regular one.
///
/// # Errors
/// It is no regular file, it is larger, or it cannot be read.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB");
    if file.metadata()?.len() > LARGEST {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// As [`read`], as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<Option<String>> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    read(path)?.map(|bytes| String::from_utf8(bytes).map_err(no_text)).transpose()
}

/// What `parse` makes of the file; `None` where there is no file. While `parse` makes nothing of a file that was
/// written just now, it is read again for a moment. Their lock is of no use: it is a database file of theirs, which
/// readers would have to create.
///
/// # Errors
/// The file cannot be read, is empty, or `parse`'s last reason.
pub(crate) fn read_settled<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, NotRead> {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = read(path).map_err(|error| NotRead::System(error.to_string()))?;
        let Some(bytes) = found else { return Ok(None) };
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

/// Opens a regular file for reading; `None` if there is none.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_are_read_and_links_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("f"), dir.path().join("l"));
        assert_eq!(read(&file).unwrap(), None, "no file is no error");
        std::fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_text(&link).unwrap().unwrap(), "text");
        std::fs::write(&file, [0xff]).unwrap();
        assert!(read_text(&file).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
        for path in [&fifo, dir.path(), Path::new("/dev/zero")] {
            let said = read(path).unwrap_err().to_string();
            assert_eq!(said, "it is not a regular file", "{}", path.display());
        }
        let huge = dir.path().join("huge");
        File::create(&huge).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(read(&huge).unwrap_err().to_string().contains("64 MiB"));
    }
}
