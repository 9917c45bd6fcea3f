//! A proxy's bytes: two threads that block, since an asynchronous standard input costs most of the throughput.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;

use interprocess::local_socket::Stream;

/// What is carried at once, in bytes.
const AT_ONCE: usize = 256 * 1024;

/// Carries this process's standard streams to and from the hub, until the runtime's side ends or nobody reads any
/// more. When standard input ends, the runtime is told, and what it still sends is carried.
///
/// ssh ends a `ProxyCommand` with SIGHUP: that ends the process, and with it the way.
pub(super) fn standard_streams(hub: &Arc<Stream>) -> io::Result<()> {
    let to_hub = Arc::clone(hub);
    thread::Builder::new().name("up".to_owned()).spawn(move || {
        // Nobody is left who could be told: the runtime's side ends next, or the process does.
        let _ = copy(platform::input(), &*to_hub);
        platform::no_more(&to_hub);
    })?;
    match copy(&**hub, platform::output()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
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

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd};

    use interprocess::local_socket::Stream;

    /// Standard input without the standard library's buffer and lock.
    pub fn input() -> impl std::io::Read {
        unbuffered(std::io::stdin().as_fd())
    }

    /// Standard output without the standard library's buffer, which looks for line ends.
    pub fn output() -> impl std::io::Write {
        unbuffered(std::io::stdout().as_fd())
    }

    /// Tells the other side that nothing more comes.
    pub fn no_more(stream: &Stream) {
        let Stream::UdSocket(stream) = stream;
        let _ = rustix::net::shutdown(stream, rustix::net::Shutdown::Write);
    }

    fn unbuffered(fd: BorrowedFd<'_>) -> Either {
        match fd.try_clone_to_owned() {
            Ok(owned) => Either::Open(File::from(owned)),
            Err(error) => Either::Closed(error.kind()),
        }
    }

    pub enum Either {
        Open(File),
        Closed(std::io::ErrorKind),
    }

    impl std::io::Read for Either {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self {
                Self::Open(file) => file.read(buffer),
                Self::Closed(kind) => Err((*kind).into()),
            }
        }
    }

    impl std::io::Write for Either {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self {
                Self::Open(file) => file.write(bytes),
                Self::Closed(kind) => Err((*kind).into()),
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(windows)]
mod platform {
    use interprocess::local_socket::Stream;

    pub fn input() -> impl std::io::Read {
        std::io::stdin()
    }

    pub fn output() -> impl std::io::Write {
        std::io::stdout()
    }

    /// A pipe has no half that could be closed; ssh ends its proxy when it is done.
    pub fn no_more(_stream: &Stream) {}
}
