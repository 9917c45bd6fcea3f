//! stub
use crate::host_key::HostKey;
use crate::names::{Alias, HostName, Port};

/// A host and port, as `known_hosts` names it: `host` for port 22, else `[host]:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The host.
    pub host: HostName,
    /// The port.
    pub port: Port,
}

/// A name under which `known_hosts` may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KnownName {
    /// An alias (`HostKeyAlias`), never with a port.
    Alias(Alias),
    /// An endpoint.
    Place(Place),
}

/// What to change in `known_hosts`. Idempotent: applied twice, the second changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHostsEdit {
    /// Names whose entries go, unless the entry is exactly one that `pin` wants.
    pub drop: Vec<KnownName>,
    /// Names whose entries go only where they hold this very key (endpoints written earlier).
    pub drop_pairs: Vec<(KnownName, HostKey)>,
    /// Names to pin `pin_keys` under, on one line per key (or one hashed line per name and key).
    pub pin_names: Vec<KnownName>,
    /// The keys to pin; empty pins nothing.
    pub pin_keys: Vec<HostKey>,
}

/// All keys that stand in `known_hosts` under exactly `name`, plain or hashed, markers and wildcards aside.
pub fn keys_of(_known_hosts: &[u8], _name: &KnownName) -> Vec<HostKey> {
    unimplemented!()
}
