//! What becomes of a packet: it comes back changed, late, or not at all. Pure: time and chance come in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// The weather, and what is on its way.
#[derive(Debug)]
pub struct Sky {
    delay: Duration,
    loss_percent: u8,
    swallowed: Vec<Ipv4Addr>,
    /// Takes no new connections.
    shut: Vec<Ipv4Addr>,
    names: Ipv4Addr,
    on_the_way: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    taken: u64,
    chance: u64,
}

impl Sky {
    /// Fair weather over a network whose name server is `names`; `seed` decides which packets will be lost.
    pub fn new(names: Ipv4Addr, seed: u64) -> Self {
        let (delay, loss_percent, swallowed, shut) = (Duration::ZERO, 0, Vec::new(), Vec::new());
        let (on_the_way, taken, chance) = (BinaryHeap::new(), 0, seed);
        Self { delay, loss_percent, swallowed, shut, names, on_the_way, taken, chance }
    }

    /// A packet and its answer together take this long, and this share is lost, each way.
    pub fn set(&mut self, round_trip: Duration, loss_percent: u8) {
        (self.delay, self.loss_percent) = (round_trip / 2, loss_percent);
    }

    /// Nothing goes to this address any more, or comes from there.
    pub fn swallow(&mut self, address: Ipv4Addr) {
        self.swallowed.push(address);
    }

    /// Nothing that begins a connection goes to this address any more; those that stand go on.
    pub fn shut(&mut self, address: Ipv4Addr) {
        self.shut.push(address);
    }

    /// Nothing is swallowed or shut any more.
    pub fn spit_out(&mut self) {
        self.swallowed.clear();
        self.shut.clear();
    }

    /// A packet comes in.
    pub fn take(&mut self, mut packet: Vec<u8>, now: Instant) {
        let Some(to) = destination(&packet) else { return };
        let turned_away = self.shut.contains(&to) && begins_a_connection(&packet);
        if self.swallowed.contains(&to) || turned_away || self.is_lost() {
            return;
        }
        if to == self.names {
            if !answer_no_such_name(&mut packet) {
                return;
            }
        } else if to.octets()[..3] != self.names.octets()[..3] {
            return;
        }
        turn_round(&mut packet);
        self.taken += 1;
        self.on_the_way.push(Reverse((now + self.delay, self.taken, packet)));
    }

    /// When the next packet arrives.
    pub fn next(&self) -> Option<Instant> {
        self.on_the_way.peek().map(|Reverse((due, ..))| *due)
    }

    /// The next packet that has arrived by now, in the order in which they were sent.
    pub fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next()? > now {
            return None;
        }
        self.on_the_way.pop().map(|Reverse((_, _, packet))| packet)
    }

    /// Knuth's multiplier, 64 bits; the upper half is random enough.
    fn is_lost(&mut self) -> bool {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % 100 < u64::from(self.loss_percent)
    }
}

/// Where an IPv4 packet (RFC 791 section 3.1) without options goes; anything else goes nowhere.
fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    let header: &[u8; 20] = packet.first_chunk()?;
    let [.., a, b, c, d] = *header;
    (header[0] == 0x45).then_some(Ipv4Addr::new(a, b, c, d))
}

/// Whether it is the first packet of a TCP connection (RFC 9293 section 3.1).
fn begins_a_connection(packet: &[u8]) -> bool {
    const TCP: u8 = 6;
    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;
    packet[9] == TCP && packet.get(33).is_some_and(|flags| flags & (SYN | ACK) == SYN)
}

/// Swaps sender and receiver. All checksums stay right: they are sums, and the addresses are summands of each.
fn turn_round(packet: &mut [u8]) {
    let Some(header) = packet.first_chunk_mut::<20>() else { return };
    let (from, to) = header[12..].split_at_mut(4);
    from.swap_with_slice(to);
}

/// Makes a DNS question (RFC 1035 section 4.1.1, over UDP: RFC 768) its own answer. `false` if it is none.
fn answer_no_such_name(packet: &mut [u8]) -> bool {
    const UDP: u8 = 17;
    const NAME_SERVICE: [u8; 2] = [0, 53];
    let Some((header, rest)) = packet.split_at_mut_checked(20) else { return false };
    let Some((udp, question)) = rest.split_at_mut_checked(8) else { return false };
    if header[9] != UDP || udp[2..4] != NAME_SERVICE || question.len() < 12 {
        return false;
    }
    let (from, to) = udp.split_at_mut(2);
    from.swap_with_slice(&mut to[..2]);
    // No checksum.
    udp[6..].fill(0);
    // An answer, recursion desired and available, NXDOMAIN.
    question[2..4].copy_from_slice(&[0x81, 0x83]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 53);

    fn packet(to: [u8; 4], protocol: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20];
        packet[0] = 0x45;
        packet[9] = protocol;
        packet[12..16].copy_from_slice(&[10, 77, 0, 1]);
        packet[16..20].copy_from_slice(&to);
        packet.extend(body);
        packet
    }

    #[test]
    fn a_packet_comes_back_from_where_it_was_sent_after_half_a_round_trip() {
        let (mut sky, now) = (Sky::new(NAMES, 1), Instant::now());
        sky.set(Duration::from_millis(300), 0);
        sky.take(packet([10, 77, 0, 2], 6, b"a"), now);
        sky.take(packet([10, 77, 0, 2], 6, b"b"), now);
        sky.take(packet([8, 8, 8, 8], 6, b"the rest of the world is silent"), now);
        assert_eq!(sky.next(), Some(now + Duration::from_millis(150)));
        assert_eq!(sky.arrived(now + Duration::from_millis(149)), None);
        let later = now + Duration::from_millis(150);
        let first = sky.arrived(later).unwrap();
        assert_eq!(
            (&first[12..16], &first[16..20], &first[20..]),
            (&[10, 77, 0, 2][..], &[10, 77, 0, 1][..], &b"a"[..])
        );
        assert_eq!(sky.arrived(later).unwrap()[20..], *b"b", "in order");
        assert_eq!(sky.arrived(later), None);
    }

    #[test]
    fn as_many_are_lost_as_was_said_and_all_that_is_swallowed() {
        let (mut sky, now) = (Sky::new(NAMES, 1), Instant::now());
        let came_of = |sky: &mut Sky| {
            (0..10_000).for_each(|_| sky.take(packet([10, 77, 0, 2], 6, b""), now));
            std::iter::from_fn(|| sky.arrived(now)).count()
        };
        assert_eq!(came_of(&mut sky), 10_000);
        sky.set(Duration::ZERO, 20);
        assert!((7800..8200).contains(&came_of(&mut sky)));
        sky.swallow(Ipv4Addr::new(10, 77, 0, 2));
        assert_eq!(came_of(&mut sky), 0);
        sky.spit_out();
        assert!(came_of(&mut sky) > 0);
    }

    #[test]
    fn a_place_that_is_shut_keeps_what_stands() {
        let (mut sky, now) = (Sky::new(NAMES, 1), Instant::now());
        sky.shut(Ipv4Addr::new(10, 77, 0, 2));
        let mut comes = |flags: u8| {
            let header = [&[0; 13][..], &[flags], &[0; 6]].concat();
            sky.take(packet([10, 77, 0, 2], 6, &header), now);
            sky.arrived(now).is_some()
        };
        assert_eq!((comes(0x02), comes(0x12), comes(0x10), comes(0x01)), (false, true, true, true));
    }

    #[test]
    fn every_name_is_unknown_and_nothing_else_is_answered() {
        let (mut sky, now) = (Sky::new(NAMES, 1), Instant::now());
        let question = [&[200, 1, 0, 53, 0, 20, 9, 9][..], &[7, 7, 1, 0], &[0; 8]].concat();
        sky.take(packet(NAMES.octets(), 17, &question), now);
        let answer = sky.arrived(now).unwrap();
        assert_eq!(answer[20..32], [0, 53, 200, 1, 0, 20, 0, 0, 7, 7, 0x81, 0x83]);
        for (protocol, body) in [(6, &question[..]), (17, b"short"), (17, &[0; 40])] {
            sky.take(packet(NAMES.octets(), protocol, body), now);
        }
        sky.take(vec![0x60; 60], now);
        sky.take(Vec::new(), now);
        assert_eq!(sky.next(), None);
    }
}
