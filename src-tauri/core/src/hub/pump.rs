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
    // The default stack is touched nowhere near its end, but counts where memory is limited.
    let up = thread::Builder::new().name("up".to_owned()).stack_size(128 * 1024);
    up.spawn(move || {
        // Nobody is left who could be told: the runtime's side ends next, or the process does.
        let _ = platform::input().and_then(|input| copy(input, platform::bare(&to_hub)));
        platform::no_more(&to_hub);
    })?;
    match platform::output().and_then(|output| copy(platform::bare(hub), output)) {
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
    use std::io;
    use std::os::fd::AsFd;

    use interprocess::local_socket::Stream;
    use interprocess::os::unix::uds_local_socket;

    /// Standard input without the standard library's buffer and lock.
    pub fn input() -> io::Result<File> {
        let pipe = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        widen(&pipe);
        Ok(pipe)
    }

    /// Standard output without the standard library's buffer, which looks for line ends.
    pub fn output() -> io::Result<File> {
        let pipe = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        widen(&pipe);
        Ok(pipe)
    }

    /// The socket itself.
    pub fn bare(stream: &Stream) -> &uds_local_socket::Stream {
        let Stream::UdSocket(socket) = stream;
        socket
    }

    /// Tells the other side that nothing more comes.
    pub fn no_more(stream: &Stream) {
        let _ = rustix::net::shutdown(bare(stream), rustix::net::Shutdown::Write);
    }

    /// More fits into a pipe of this size, which saves both ends many calls. Not splice(2): it keeps a pipe locked while
    /// it waits for the other side, and ssh, which waits for that lock, then does not read what would end the wait.
    #[cfg(target_os = "linux")]
    fn widen(pipe: &File) {
        // It may be no pipe, and a person may be at their limit.
        let _ = rustix::pipe::fcntl_setpipe_size(pipe, super::AT_ONCE);
    }

    #[cfg(not(target_os = "linux"))]
    fn widen(_pipe: &File) {}
}

#[cfg(windows)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::windows::io::AsHandle;

    use interprocess::local_socket::Stream;
    use interprocess::os::windows::named_pipe::local_socket as named_pipe;

    /// Standard input without the standard library's buffer and lock.
    pub fn input() -> io::Result<File> {
        Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
    }

    /// Standard output without the standard library's buffer.
    pub fn output() -> io::Result<File> {
        Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
    }

    /// The pipe itself.
    pub fn bare(stream: &Stream) -> &named_pipe::Stream {
        let Stream::NamedPipe(pipe) = stream;
        pipe
    }

    /// A pipe has no half that could be closed; ssh ends its proxy when it is done.
    pub fn no_more(_stream: &Stream) {}
}
