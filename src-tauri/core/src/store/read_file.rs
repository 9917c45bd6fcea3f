//! Reading files that people own, whatever stands in their place: a FIFO would block for ever, a device never end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// More than any real file that Moorline reads.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The content of a regular file, at most 64 MiB of it, symlinks followed; `None` if there is none. Never blocks on
/// a file that is no regular one.
///
/// # Errors
/// It is no regular file, it is larger, or it cannot be read.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB");
    if found.len() > LARGEST {
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

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(flags(rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY));
    }
    options.open(path)
}

/// As the standard library takes them.
#[cfg(unix)]
pub(crate) fn flags(flags: rustix::fs::OFlags) -> i32 {
    flags.bits().cast_signed()
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
