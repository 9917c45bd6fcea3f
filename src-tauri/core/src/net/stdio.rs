//! Standard input and output for those who carry gigabytes through them: without the buffers, the lock and the search for
//! line ends that the standard library puts before them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::thread;

/// What [`carry`] takes at once, in bytes.
const AT_ONCE: usize = 256 * 1024;

/// Carries what comes `from` the far side to standard output, until that side ends or nobody reads any more; and lets
/// `up` carry standard input to it, on a thread of its own, and tell it when there is no more. Both threads block: an
/// asynchronous standard input costs most of the throughput.
///
/// ssh ends a `ProxyCommand` with SIGHUP: that ends the process.
pub(crate) fn carry(up: impl FnOnce(File) + Send + 'static, from: impl Read) -> io::Result<()> {
    let (input, output) = (input(AT_ONCE)?, output(AT_ONCE)?);
    // The default stack is touched nowhere near its end, but counts where memory is limited.
    let thread = thread::Builder::new().name("up".to_owned()).stack_size(128 * 1024);
    thread.spawn(move || up(input))?;
    match copy(from, output) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Until `from` ends, well or with a reset. Not [`std::io::copy`], which would use splice(2): that keeps a pipe locked
/// while it waits for the other side, and ssh, which waits for that lock, then does not read what would end the wait.
pub(crate) fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; AT_ONCE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
        to.flush()?;
    }
}

/// Standard input. Where it is a pipe, it takes as much as `room` bytes at once from here on.
pub(crate) fn input(room: usize) -> io::Result<File> {
    platform::file(io::stdin()).inspect(|pipe| platform::widen(pipe, room))
}

/// Standard output. Where it is a pipe, it takes as much as `room` bytes at once from here on.
pub(crate) fn output(room: usize) -> io::Result<File> {
    platform::file(io::stdout()).inspect(|pipe| platform::widen(pipe, room))
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsFd;

    pub fn file(stream: impl AsFd) -> io::Result<File> {
        stream.as_fd().try_clone_to_owned().map(File::from)
    }

    /// ssh's pipes carry 64 KiB at a time; with more there are fewer changes of hands.
    #[cfg(target_os = "linux")]
    pub fn widen(pipe: &File, room: usize) {
        // It may be no pipe, and a person may be at their limit.
        let _ = rustix::pipe::fcntl_setpipe_size(pipe, room);
    }

    #[cfg(not(target_os = "linux"))]
    pub fn widen(_pipe: &File, _room: usize) {}
}

#[cfg(windows)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::windows::io::AsHandle;

    pub fn file(stream: impl AsHandle) -> io::Result<File> {
        stream.as_handle().try_clone_to_owned().map(File::from)
    }

    pub fn widen(_pipe: &File, _room: usize) {}
}
