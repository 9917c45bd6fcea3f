//! File leases (Linux, `fcntl(2)`). The one module with unsafe code: no safe binding knows `F_SETLEASE`.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "fcntl's lease operations have no safe wrapper")
)]

use std::fs::File;

/// From Linux's `fcntl.h`; the same on every architecture.
#[cfg(target_os = "linux")]
const F_SETSIG: libc::c_int = 10;

/// What the kernel answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lease {
    /// Nobody has the file open for writing, and whoever wants to must wait for us.
    Held,
    /// Somebody has the file open for writing.
    Writers,
    /// This file system or user gets no leases.
    Unavailable,
}

/// Asks for a read lease on a file that is open for reading only.
#[cfg(target_os = "linux")]
pub(super) fn take(file: &File) -> Lease {
    use std::os::fd::AsRawFd as _;
    let fd = file.as_raw_fd();
    // The kernel tells of a broken lease by a signal. SIGIO, the default, would end the process; SIGURG is ignored
    // unless somebody handles it, and we ask instead.
    // SAFETY: `fd` is open for the whole call, and both operations take an integer.
    let answer = unsafe {
        if libc::fcntl(fd, F_SETSIG, libc::SIGURG) == -1 {
            return Lease::Unavailable;
        }
        libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK)
    };
    match answer {
        -1 if std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN) => Lease::Writers,
        -1 => Lease::Unavailable,
        _ => Lease::Held,
    }
}

/// Whether a lease that was taken has not been broken since.
#[cfg(target_os = "linux")]
pub(super) fn still_held(file: &File) -> bool {
    use std::os::fd::AsRawFd as _;
    // SAFETY: `file` is open for the whole call, and the operation takes no argument.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLEASE) == libc::F_RDLCK }
}

/// Lets whoever waits for the lease go on.
#[cfg(target_os = "linux")]
pub(super) fn give_back(file: &File) {
    use std::os::fd::AsRawFd as _;
    // SAFETY: `file` is open for the whole call, and the operation takes an integer.
    unsafe {
        libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn take(_file: &File) -> Lease {
    Lease::Unavailable
}

#[cfg(not(target_os = "linux"))]
pub(super) fn still_held(_file: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_back(_file: &File) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_open_writer_denies_the_lease() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let writer = File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        if take(&reader) == Lease::Unavailable {
            return; // this file system has none
        }
        assert_eq!(take(&reader), Lease::Writers);
        drop(writer);
        assert_eq!(take(&reader), Lease::Held);
        assert!(still_held(&reader));
        give_back(&reader);
    }
}
