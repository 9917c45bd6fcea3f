//! Who holds a port on a relay, and the key behind it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use moorline_model::session::{RelayLink, RelayTarget};
use moorline_ssh_files::{HostKey, KeyAlgorithm, Port};
use tokio::time::Instant;

use super::probe;
use super::probe_error::ProbeError;
use super::route::Route;
use super::system_ssh::{SshRunError, SystemSsh};

/// Prints the kernel's socket tables (proc(5), /proc/net/tcp), then the login's own user id.
const LISTENERS: &str =
    "exec /bin/sh -c 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; echo uid; exec id -u'";

/// Someone who listens on a port of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The address it is bound to.
    pub address: IpAddr,
    /// The user that owns the socket.
    pub uid: u32,
    /// The socket's inode: another one is another listener.
    pub inode: u64,
}

/// Who listens on one port of the relay, on whatever address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listeners {
    /// The user id of the person's own login there.
    pub login_uid: u32,
    /// All listeners on that port.
    pub holders: Vec<Listener>,
}

/// Why a key behind a relay's port has not trust `channel`.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The person never said that the relay is theirs alone.
    #[error(
        "a key seen on {relay}'s port proves nothing by itself, because this session's relay was not declared yours alone; compare the fingerprints"
    )]
    NotDeclared {
        /// The relay.
        relay: String,
    },
    /// Nothing listens on 127.0.0.1 there.
    #[error("nothing listens on port {port} of {relay}; start the tunnel in the notebook again")]
    NobodyListens {
        /// The relay.
        relay: String,
        /// The port.
        port: u16,
    },
    /// Another user listens on that port.
    #[error(
        "port {port} of {relay} is (also) held by user id {uid}, not only by your login there; find out who that is before you trust the key behind it"
    )]
    HeldByAnother {
        /// The relay.
        relay: String,
        /// The port.
        port: u16,
        /// The other user.
        uid: u32,
    },
    /// The relay does not tell.
    #[error(
        "{relay} does not tell who holds its ports (it has no readable /proc/net/tcp); compare the fingerprints"
    )]
    Unknown {
        /// The relay.
        relay: String,
    },
    /// The relay could not be asked.
    #[error(transparent)]
    Ssh(#[from] SshRunError),
    /// The key could not be fetched.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl Listeners {
    /// Whether a connection to `127.0.0.1` on that port ends at the login's own user, and nobody else has the port
    /// on any address. Gives the first other user otherwise, `None` if nobody listens.
    pub fn solely_mine(&self) -> Result<(), Option<u32>> {
        if let Some(other) = self.holders.iter().find(|h| h.uid != self.login_uid) {
            return Err(Some(other.uid));
        }
        if self.answering().is_some() { Ok(()) } else { Err(None) }
    }

    /// Whoever answers a connection to `127.0.0.1` on that port.
    pub fn answering(&self) -> Option<&Listener> {
        let answers = |ip: IpAddr| ip == Ipv4Addr::LOCALHOST || ip.is_unspecified();
        self.holders.iter().find(|h| answers(h.address))
    }
}

/// Asks the relay who listens on `port`. `None` if it does not tell (no Linux, or `/proc` hidden).
pub async fn listeners(
    system: &SystemSsh,
    target: &RelayTarget,
    port: Port,
    limit: Duration,
) -> Result<Option<Listeners>, SshRunError> {
    let output = system.run(target, LISTENERS, None, limit).await?;
    Ok(read_tables(&String::from_utf8_lossy(&output.stdout), port.get()))
}

/// Fetches the key behind the relay's port, with trust `channel`: the person declared the relay theirs alone, and
/// before and after the fetch their own login, and nobody else, holds the port. Of several keys, one of the `first`
/// types is fetched.
pub async fn channel_key(
    system: &SystemSsh,
    link: &RelayLink,
    route: &Route,
    first: &[KeyAlgorithm],
    limit: Duration,
) -> Result<HostKey, ChannelError> {
    if !link.mine_alone {
        return Err(ChannelError::NotDeclared { relay: link.relay.to_string() });
    }
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    require_mine(system, link, left()).await?;
    let key = probe::host_key_preferring(route, first, left()).await?;
    require_mine(system, link, left()).await?;
    Ok(key)
}

async fn require_mine(system: &SystemSsh, link: &RelayLink, limit: Duration) -> Result<(), ChannelError> {
    let (relay, port) = (link.relay.to_string(), link.port.get());
    let Some(found) = listeners(system, &link.relay, link.port, limit).await? else {
        return Err(ChannelError::Unknown { relay });
    };
    found.solely_mine().map_err(|other| match other {
        Some(uid) => ChannelError::HeldByAnother { relay, port, uid },
        None => ChannelError::NobodyListens { relay, port },
    })
}

fn read_tables(printed: &str, port: u16) -> Option<Listeners> {
    // A login shell's profile may print lines before ours; the tables' heads and the last line are unmistakable.
    let (tables, tail) = printed.rsplit_once("\nuid\n")?;
    let login_uid = tail.trim().parse().ok()?;
    if !tables.contains("local_address") {
        return None;
    }
    let holders = tables.lines().filter_map(|line| listener(line, port)).collect();
    Some(Listeners { login_uid, holders })
}

/// One line of the table, if it is a listener on `port`: `sl local_address rem_address st … … … uid … inode …`.
fn listener(line: &str, port: u16) -> Option<Listener> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let (address, its_port) = local.split_once(':')?;
    let listens = state == "0A" && u16::from_str_radix(its_port, 16) == Ok(port);
    if listens { Some(Listener { address: address_of(address)?, uid, inode }) } else { None }
}

/// The kernel prints addresses as 32-bit words of the relay's own byte order; loopback tells which that is.
fn address_of(hex: &str) -> Option<IpAddr> {
    let words: Vec<u32> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| std::str::from_utf8(word).ok().and_then(|w| u32::from_str_radix(w, 16).ok()))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [0x7f00_0001] => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        [word] => Some(IpAddr::V4(Ipv4Addr::from(word.to_le_bytes()))),
        [_, _, _, _] => {
            let mut bytes = [0; 16];
            for (place, word) in bytes.chunks_mut(4).zip(&words) {
                place.copy_from_slice(&word.to_le_bytes());
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn line(local: &str, state: &str, uid: u32) -> String {
        format!(
            "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {uid}        0 12345 1\n"
        )
    }

    fn read(lines: &[String]) -> Listeners {
        read_tables(&format!("Welcome!\n{HEAD}{}uid\n1000\n", lines.concat()), 7423).unwrap()
    }

    #[test]
    fn only_the_login_s_own_port_is_its_own() {
        let mine = line("0100007F:1CFF", "0A", 1000);
        assert_eq!(read(std::slice::from_ref(&mine)).solely_mine(), Ok(()));
        let everywhere = line("00000000:1CFF", "0A", 1000);
        assert_eq!(read(&[everywhere]).solely_mine(), Ok(()));
        let dual = line("00000000000000000000000000000000:1CFF", "0A", 1000);
        assert_eq!(read(&[dual]).solely_mine(), Ok(()));

        let other = line("0100007F:1CFF", "0A", 1001);
        assert_eq!(read(&[other]).solely_mine(), Err(Some(1001)));
        let squatted = line("00000000000000000000000001000000:1CFF", "0A", 1001);
        assert_eq!(read(&[mine.clone(), squatted]).solely_mine(), Err(Some(1001)), "[::1] is someone else's");
        let elsewhere = line("0200007F:1CFF", "0A", 1000);
        assert_eq!(read(&[elsewhere]).solely_mine(), Err(None), "127.0.0.2 is not where we connect to");
        let connected = line("0100007F:1CFF", "01", 1000);
        let other_port = line("0100007F:1D00", "0A", 1000);
        assert_eq!(read(&[connected, other_port]).solely_mine(), Err(None));
    }

    #[test]
    fn a_relay_that_does_not_tell_is_no_proof() {
        assert_eq!(read_tables("uid\n1000\n", 7423), None);
        assert_eq!(read_tables("\nuid\n1000\n", 7423), None);
        assert_eq!(read_tables(&format!("{HEAD}\nuid\n"), 7423), None);
        assert_eq!(read_tables("", 7423), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_relay_prints_is_read_without_a_panic(text in "(?s).{0,400}", tail in "[0-9 \\n]{0,12}") {
            let _ = read_tables(&text, 7423);
            let _ = read_tables(&format!("{HEAD}{text}\nuid\n{tail}"), 7423);
        }

        #[test]
        fn a_port_with_any_other_user_s_listener_is_never_mine(
            uids in proptest::collection::vec(0_u32..3, 1..6),
            addresses in proptest::collection::vec(0_u32.., 6),
        ) {
            let lines: Vec<String> = uids
                .iter()
                .zip(&addresses)
                .map(|(uid, address)| line(&format!("{address:08X}:1CFF"), "0A", 1000 + uid))
                .collect();
            let found = read(&lines);
            proptest::prop_assert_eq!(found.holders.len(), uids.len());
            if uids.iter().any(|uid| *uid != 0) {
                proptest::prop_assert!(matches!(found.solely_mine(), Err(Some(_))));
            }
        }
    }
}
