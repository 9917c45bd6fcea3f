//! Whether this computer has a way out, and noticing when that changes.
//!
//! The system is asked which of its addresses it would use to reach the world: a datagram socket is connected,
//! which looks up a route and sends nothing. The answer is absent without a network, and another one on another
//! network; it is asked for every 5 s, in the same way on every system.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::sync::mpsc;

const EVERY: Duration = Duration::from_secs(5);

/// Somewhere in the world: documentation addresses (RFC 5737, RFC 3849), which no network has for its own.
const SOMEWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// The addresses with which this computer would go out into the world, by IPv4 and IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaysOut {
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl WaysOut {
    /// Asks the system. Nothing is sent.
    pub fn now() -> Self {
        let [v4, v6] = SOMEWHERE.map(own_address);
        Self { v4, v6 }
    }

    /// Whether there is none.
    pub fn none(self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}

/// Sends `changed` at every change, until nobody receives any more.
pub async fn watch<T: Clone>(changed: T, out: mpsc::Sender<T>) {
    let mut known = WaysOut::now();
    while !out.is_closed() {
        tokio::time::sleep(EVERY).await;
        let now = WaysOut::now();
        if now != known {
            known = now;
            if out.send(changed.clone()).await.is_err() {
                return;
            }
        }
    }
}

fn own_address(there: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(SocketAddr::new(there, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}
