//! A runtime that is reached by host and port: bytes from here to there and back.

use std::net::Shutdown;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use moorline_ssh_files::Place;

use super::ProxyError;
use crate::carry::{CarryError, Dialling};
use crate::ssh::RouteError;
use crate::standard;

/// Connects within `limit`, through the environment's proxy if it names one, and carries standard input and output until
/// the far end is done, or ssh is.
pub(super) fn carry(place: &Place, limit: Duration) -> Result<ExitCode, ProxyError> {
    let there = Dialling::start(&place.host, place.port.get(), Instant::now() + limit)
        .and_then(Dialling::finish)
        .map_err(with_next_step)?;
    // The limits were for the talk with a proxy.
    there.set_read_timeout(None)?;
    there.set_write_timeout(None)?;
    let to = there.try_clone()?;
    let up = move |input| {
        // What ssh says is of no use once the far end is gone.
        let _ = standard::copy(input, &to);
        let _ = to.shutdown(Shutdown::Write);
    };
    standard::carry(up, &there)?;
    Ok(ExitCode::SUCCESS)
}

/// One's own network and one's own proxy have nothing to do with the cell.
fn with_next_step(error: CarryError) -> ProxyError {
    match &error {
        CarryError::Dial(route) if !matches!(**route, RouteError::OwnNetwork { .. }) => {
            ProxyError::Dial(error)
        }
        _ => ProxyError::Carry(error),
    }
}
