//! A runtime that is reached by host and port: bytes from here to there and back.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use moorline_ssh_files::{HostName, Place};

use super::error::ProxyError;
use crate::net::connect::ConnectError;
use crate::net::dial::Dialling;
use crate::net::error::CarryError;
use crate::net::stdio;

/// Connects within `limit`, through the environment's proxy if it names one, and carries standard input and output until
/// the far end is done, or ssh is.
pub(super) fn carry(place: &Place, limit: Duration) -> Result<ExitCode, ProxyError> {
    let end = Instant::now() + limit;
    let there = Dialling::start(&place.host, place.port.get(), end)
        .and_then(Dialling::finish)
        .map_err(with_next_step)?;
    // sshd greets by itself; a limit of zero would be none.
    let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    there.set_read_timeout(Some(left))?;
    there.set_write_timeout(None)?;
    let to = there.try_clone()?;
    let up = move |input| {
        // What ssh says is of no use once the far end is gone.
        let _ = stdio::copy(input, &to);
        let _ = to.shutdown(Shutdown::Write);
    };
    let greeting = Greeting { stream: &there, host: &place.host, limit, awaited: true };
    stdio::carry(up, greeting).map_err(|error| match error.downcast::<CarryError>() {
        Ok(silence) => ProxyError::Dial(silence),
        Err(error) => ProxyError::Streams(error),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What comes from the far side; it is an error if that is nothing at all.
struct Greeting<'a> {
    stream: &'a TcpStream,
    host: &'a HostName,
    limit: Duration,
    awaited: bool,
}

impl Read for Greeting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&mut &*self.stream).read(buffer);
        if !self.awaited {
            return read;
        }
        match read {
            Ok(1..) => {
                self.awaited = false;
                self.stream.set_read_timeout(None)?;
                read
            }
            Ok(0) => Err(io::Error::other(CarryError::ClosedAtOnce(self.host.clone()))),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::ConnectionReset => {
                    io::Error::other(CarryError::ClosedAtOnce(self.host.clone()))
                }
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    io::Error::other(CarryError::Silent { host: self.host.clone(), after: self.limit })
                }
                _ => error,
            }),
        }
    }
}

/// One's own network and one's own proxy have nothing to do with the cell.
fn with_next_step(error: CarryError) -> ProxyError {
    match &error {
        CarryError::Connect(ConnectError::OwnNetwork { .. }) => ProxyError::Carry(error),
        CarryError::Connect(_) => ProxyError::Dial(error),
        _ => ProxyError::Carry(error),
    }
}
