//! `moorline proxy` for a runtime that is reached by host and port: bytes from here to there and back.
//!
//! Two threads that block, each with a large buffer: an asynchronous standard input costs more than half the
//! throughput.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use moorline_core::ssh_files::Place;

const BUFFER: usize = 256 * 1024;

/// For each address of the name; ssh's own limit is 15 s for all of them.
const CONNECT: Duration = Duration::from_secs(10);

/// Carries standard input and output until the far end is done, or ssh is.
pub fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let there = connect(place)?;
    there.set_nodelay(true).context("cannot set up the connection; try again")?;
    let up = there.try_clone().context("cannot set up the connection; try again")?;
    // Ends with the process: what ssh says is of no use once the far end is gone.
    thread::spawn(move || {
        if let Ok(stdin) = unbuffered(&io::stdin()) {
            let _ = pump(stdin, &up);
        }
        let _ = up.shutdown(Shutdown::Write);
    });
    let stdout =
        unbuffered(&io::stdout()).context("standard output is closed; ssh runs this program itself")?;
    // An ssh that left says so by closing its end; that is no failure.
    let _ = pump(&there, stdout);
    Ok(ExitCode::SUCCESS)
}

fn connect(place: &Place) -> anyhow::Result<TcpStream> {
    let (host, port) = (place.host.as_str(), place.port.get());
    let Ok(addresses) = (host, port).to_socket_addrs() else {
        bail!("{host} has no address: its tunnel is gone, or this computer is offline; run the cell again");
    };
    let mut refused = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            bail!("{host}:{port} refuses connections: its tunnel is gone; run the cell again")
        }
        Some(error) => bail!("{host}:{port} cannot be reached ({error}); look at `moorline status`"),
        None => bail!("{host} has no address; run the cell again"),
    }
}

fn pump(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The standard library buffers its own handles by lines.
#[cfg(unix)]
fn unbuffered(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn unbuffered(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    stream.as_handle().try_clone_to_owned().map(File::from)
}
