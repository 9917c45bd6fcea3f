//! Repairing the relay's own `known_hosts`, for people who hop to the runtime from there.

use std::net::Ipv4Addr;
use std::time::Duration;

use moorline_model::session::RelayTarget;
use moorline_ssh_files::known_hosts::{KnownHostsError, apply, keys_of};
use moorline_ssh_files::{HostKey, HostName, InvalidName, KnownHostsEdit, KnownName, Place, Port};
use tokio::time::Instant;

use super::remote_file::{KNOWN_HOSTS, RemoteFileError};
use super::system_ssh::SystemSsh;

/// What became of the relay's `known_hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayRepair {
    /// There was nothing stale.
    Unchanged,
    /// It was rewritten; the former content is beside it, as `known_hosts.moorline-backup`.
    Written {
        /// How many lines went.
        dropped: usize,
        /// How many lines lost a name.
        narrowed: usize,
        /// How many lines were added.
        added: usize,
    },
}

/// Why the relay's `known_hosts` was not repaired. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RelayRepairError {
    /// It could not be read or written.
    #[error(transparent)]
    File(#[from] RemoteFileError),
    /// The file is of a kind that is not edited.
    #[error("~/.ssh/known_hosts of {relay}: {cause}")]
    Refused {
        /// The relay.
        relay: String,
        /// Why.
        cause: KnownHostsError,
    },
    /// A name that cannot be.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Drops what the relay's own `known_hosts` holds for `[127.0.0.1]:port` and `[localhost]:port`, and puts `key`
/// under `[127.0.0.1]:port` if a key stood there before: whoever never hopped from there gets no new line.
pub async fn repair_relay_known_hosts(
    system: &SystemSsh,
    target: &RelayTarget,
    port: Port,
    key: &HostKey,
    limit: Duration,
) -> Result<RelayRepair, RelayRepairError> {
    let end = Instant::now() + limit;
    let held = KNOWN_HOSTS.read(system, target, end).await?;
    let Some(old) = &held.bytes else { return Ok(RelayRepair::Unchanged) };
    let edit = edit_for(old, port, key)?;
    let relay = target.to_string();
    let done = apply(old, &edit).map_err(|cause| RelayRepairError::Refused { relay, cause })?;
    if done.bytes == *old {
        return Ok(RelayRepair::Unchanged);
    }
    KNOWN_HOSTS.replace(system, target, &held, &done.bytes, end).await?;
    Ok(RelayRepair::Written { dropped: done.dropped, narrowed: done.narrowed, added: done.added })
}

fn edit_for(known_hosts: &[u8], port: Port, key: &HostKey) -> Result<KnownHostsEdit, InvalidName> {
    let name = |host: HostName| KnownName::Place(Place { host, port });
    let literal = name(Ipv4Addr::LOCALHOST.to_string().parse()?);
    let hopped_before = !keys_of(known_hosts, &literal).is_empty();
    Ok(KnownHostsEdit {
        pin_names: if hopped_before { vec![literal.clone()] } else { Vec::new() },
        pin_keys: if hopped_before { vec![key.clone()] } else { Vec::new() },
        drop: vec![literal, name("localhost".parse()?)],
        ..KnownHostsEdit::default()
    })
}
