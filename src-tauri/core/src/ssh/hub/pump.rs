//! A proxy's bytes, to and from the hub.

use std::io;
use std::sync::Arc;

use interprocess::local_socket::Stream;

use crate::net::stdio;

/// Carries this process's standard streams to and from the hub; see [`standard::carry`].
pub(super) fn standard_streams(hub: &Arc<Stream>) -> io::Result<()> {
    let to_hub = Arc::clone(hub);
    let up = move |input| {
        // Nobody is left who could be told: the runtime's side ends next, or the process does.
        let _ = stdio::copy(input, platform::bare(&to_hub));
        platform::no_more(&to_hub);
    };
    stdio::carry(up, platform::bare(hub))
}

#[cfg(unix)]
mod platform {
    use interprocess::local_socket::Stream;
    use interprocess::os::unix::uds_local_socket;

    /// The socket itself.
    pub fn bare(stream: &Stream) -> &uds_local_socket::Stream {
        let Stream::UdSocket(socket) = stream;
        socket
    }

    /// Tells the other side that nothing more comes.
    pub fn no_more(stream: &Stream) {
        let _ = rustix::net::shutdown(bare(stream), rustix::net::Shutdown::Write);
    }
}

#[cfg(windows)]
mod platform {
    use interprocess::local_socket::Stream;
    use interprocess::os::windows::named_pipe::local_socket as named_pipe;

    /// The pipe itself.
    pub fn bare(stream: &Stream) -> &named_pipe::Stream {
        let Stream::NamedPipe(pipe) = stream;
        pipe
    }

    /// A pipe has no half that could be closed; ssh ends its proxy when it is done.
    pub fn no_more(_stream: &Stream) {}
}
