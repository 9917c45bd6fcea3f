//! Reads a file up to a size that no real one has.

use std::fs::File;
use std::io::{self, Read as _};

/// More than any real file; keeps a mistake (a log, a device) out of memory.
pub(super) const SIZE_CAP: u64 = 64 * 1024 * 1024;

/// Whether a file holds exactly these bytes. Compares piece by piece, which is cheaper than reading it whole.
pub(super) fn holds(mut file: &File, mut expected: &[u8]) -> io::Result<bool> {
    let mut piece = vec![0_u8; 128 * 1024];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(expected.is_empty());
        }
        let Some(rest) = expected.strip_prefix(&piece[..length]) else { return Ok(false) };
        expected = rest;
    }
}

/// Reads a file from its start, as far as the cap.
pub(super) fn read_capped(mut file: &File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len().min(SIZE_CAP);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.by_ref().take(SIZE_CAP + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_CAP {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
    }
    Ok(bytes)
}
