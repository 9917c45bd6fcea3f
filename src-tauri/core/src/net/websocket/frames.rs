//! WebSocket frames (RFC 6455, section 5): the byte stream in binary messages, out and in. Pure.
//!
//! tungstenite reads whole messages and needs both directions in one hand; a stream needs neither, and an SSH
//! transfer of gigabytes feels each copy. The handshake is tungstenite's.

/// The most that goes into one message. cloudflared's origin reads 16,384 bytes and drops what a message has beyond
/// that; eight less, and a message with its header is exactly one TLS record.
pub(super) const MESSAGE: usize = 16_384 - OWN_HEADER;

/// What our own full messages have before their payload: two bytes, two of length, four of mask.
const OWN_HEADER: usize = 8;

/// The kinds of frames (RFC 6455, section 5.2).
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// In place of a length: it follows in two bytes.
const TWO_BYTES: u8 = 0x7e;

/// Control frames are never longer.
const CONTROL: u64 = 125;

/// Appends `data` as binary messages, each with a mask of its own.
pub(super) fn put_data(out: &mut Vec<u8>, data: &[u8], masks: &mut Masks) {
    for message in data.chunks(MESSAGE) {
        put(out, BINARY, message, masks.next());
    }
}

/// Appends the answer to a ping.
pub(super) fn put_pong(out: &mut Vec<u8>, ping: &[u8], masks: &mut Masks) {
    put(out, PONG, ping, masks.next());
}

/// Appends a goodbye, with the code for a normal end.
pub(super) fn put_close(out: &mut Vec<u8>, masks: &mut Masks) {
    put(out, CLOSE, &1000_u16.to_be_bytes(), masks.next());
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// A piece of the byte stream.
    Data(&'a [u8]),
    /// To be answered with the same bytes.
    Ping(&'a [u8]),
    /// The other side says goodbye; nothing follows.
    Close,
}

/// What came is no WebSocket stream of binary messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it breaks the WebSocket protocol: {0}")]
pub(super) struct Broken(&'static str);

/// Takes the frames apart, whatever pieces they come in.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    head: Vec<u8>,
    kind: u8,
    /// Bytes of the present frame's payload that are still to come.
    left: u64,
    control: Vec<u8>,
    /// A message was begun whose last frame is still to come.
    inside: bool,
    closed: bool,
}

impl Inbound {
    /// Takes the next bytes and gives what they mean, piece by piece.
    pub(super) fn hear(&mut self, mut bytes: &[u8], mut each: impl FnMut(Heard<'_>)) -> Result<(), Broken> {
        while !bytes.is_empty() && !self.closed {
            if self.left == 0 {
                bytes = self.begin(bytes)?;
                if self.left == 0 && self.head.is_empty() {
                    self.end(&mut each);
                }
                continue;
            }
            let many = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (piece, rest) = bytes.split_at(many);
            self.left -= many as u64;
            bytes = rest;
            if self.kind < CLOSE {
                each(Heard::Data(piece));
            } else {
                self.control.extend_from_slice(piece);
            }
            if self.left == 0 {
                self.end(&mut each);
            }
        }
        Ok(())
    }

    /// Whether the other side has said goodbye.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes bytes of a header; `head` is empty again once it is whole.
    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Broken> {
        let have = self.head.len();
        let need = match self.head.get(1) {
            None => 2,
            Some(length) => 2 + longer(*length),
        };
        let (taken, rest) = bytes.split_at((need - have).min(bytes.len()));
        self.head.extend_from_slice(taken);
        let &[first, second, ref length @ ..] = self.head.as_slice() else { return Ok(rest) };
        if length.len() < longer(second) {
            return Ok(rest);
        }
        self.left = match second {
            0..=125 => u64::from(second),
            _ => length.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
        };
        self.check(first, second)?;
        self.head.clear();
        Ok(rest)
    }

    fn check(&mut self, first: u8, second: u8) -> Result<(), Broken> {
        let is_final = first & FINAL != 0;
        self.kind = first & 0x0f;
        if first & 0x70 != 0 {
            return Err(Broken("an extension is used that nobody asked for"));
        }
        if second & 0x80 != 0 {
            return Err(Broken("a server's frame is masked"));
        }
        if self.left > i64::MAX as u64 {
            return Err(Broken("a frame has an impossible length"));
        }
        match self.kind {
            CLOSE | PING | PONG if !is_final || self.left > CONTROL => {
                return Err(Broken("a control frame is too long"));
            }
            CLOSE | PING | PONG => {}
            BINARY if !self.inside => self.inside = !is_final,
            CONTINUATION if self.inside => self.inside = !is_final,
            TEXT => return Err(Broken("it sends text")),
            BINARY | CONTINUATION => return Err(Broken("messages are mixed up")),
            _ => return Err(Broken("a frame of an unknown kind")),
        }
        Ok(())
    }

    fn end(&mut self, each: &mut impl FnMut(Heard<'_>)) {
        match self.kind {
            PING => each(Heard::Ping(&self.control)),
            CLOSE => {
                self.closed = true;
                each(Heard::Close);
            }
            _ => {}
        }
        self.control.clear();
    }
}

/// Random masks, drawn from the system a few hundred at a time.
pub(super) struct Masks {
    pool: [u8; 1024],
    used: usize,
}

impl Default for Masks {
    fn default() -> Self {
        Self { pool: [0; 1024], used: 1024 }
    }
}

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        if self.used >= self.pool.len() {
            // Masks keep caches on the way from being fooled by what people send (RFC 6455, section 10.3); under TLS
            // there are none, so a system without random bytes is no reason to stop.
            let _ = getrandom::fill(&mut self.pool);
            self.used = 0;
        }
        let mask =
            self.pool.get(self.used..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        self.used += mask.len();
        mask
    }
}

/// The number of bytes by which a header is longer than two, given its second byte.
fn longer(second: u8) -> usize {
    match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    }
}

fn put(out: &mut Vec<u8>, kind: u8, payload: &[u8], mask: [u8; 4]) {
    let (head, long) = header(kind, payload.len(), mask);
    out.extend(head.iter().take(long));
    let start = out.len();
    out.extend_from_slice(payload);
    apply(mask, out.get_mut(start..).unwrap_or_default());
}

/// A header, and how many of these bytes it has.
fn header(kind: u8, length: usize, [a, b, c, d]: [u8; 4]) -> ([u8; OWN_HEADER], usize) {
    if let Ok(short @ 0..=125) = u8::try_from(length) {
        return ([FINAL | kind, MASKED | short, a, b, c, d, 0, 0], 6);
    }
    // Nothing of ours is as long as 64 KiB.
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    ([FINAL | kind, MASKED | TWO_BYTES, high, low, a, b, c, d], OWN_HEADER)
}

/// Masks, or takes the mask away.
fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    let wide = u64::from(u32::from_ne_bytes(mask)) * 0x0000_0001_0000_0001;
    let mix = |word: &mut [u8; 8]| *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    let (blocks, rest) = bytes.as_chunks_mut::<64>();
    for block in blocks {
        // Written out: a program that is built to be small keeps its loops as they are.
        if let [a, b, c, d, e, f, g, h] = block.as_chunks_mut().0 {
            mix(a);
            mix(b);
            mix(c);
            mix(d);
            mix(e);
            mix(f);
            mix(g);
            mix(h);
        }
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
    use tungstenite::{Message, Utf8Bytes};

    use super::*;

    /// Both directions of a stream that lies in memory.
    struct Memory {
        comes: std::io::Cursor<Vec<u8>>,
        goes: Vec<u8>,
    }

    impl std::io::Read for Memory {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            self.comes.read(buf)
        }
    }

    impl std::io::Write for Memory {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            self.goes.extend_from_slice(buf);
            Ok(buf.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn server(comes: Vec<u8>) -> WebSocket<Memory> {
        let memory = Memory { comes: std::io::Cursor::new(comes), goes: Vec::new() };
        WebSocket::from_raw_socket(memory, Role::Server, Some(WebSocketConfig::default()))
    }

    /// What a server of another make says.
    fn said_by_server(messages: Vec<Message>) -> Vec<u8> {
        let mut server = server(Vec::new());
        for message in messages {
            server.send(message).unwrap();
        }
        server.get_mut().goes.clone()
    }

    /// The data, the pings, and whether the other side has closed.
    type Said = (Vec<u8>, Vec<Vec<u8>>, bool);

    fn heard(pieces: &[&[u8]]) -> Result<Said, Broken> {
        let (mut data, mut pings, mut inbound) = (Vec::new(), Vec::new(), Inbound::default());
        for piece in pieces {
            inbound.hear(piece, |heard| match heard {
                Heard::Data(bytes) => data.extend_from_slice(bytes),
                Heard::Ping(bytes) => pings.push(bytes.to_vec()),
                Heard::Close => {}
            })?;
        }
        Ok((data, pings, inbound.is_closed()))
    }

    proptest! {
        #[test]
        fn another_implementation_reads_what_we_send(data in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let (mut out, mut masks) = (Vec::new(), Masks::default());
            put_data(&mut out, &data, &mut masks);
            put_pong(&mut out, b"ping", &mut masks);
            put_close(&mut out, &mut masks);
            let mut server = server(out);
            let mut got = Vec::new();
            loop {
                match server.read().unwrap() {
                    Message::Binary(bytes) => {
                        prop_assert!(bytes.len() <= MESSAGE, "an origin drops what is longer");
                        got.extend_from_slice(&bytes);
                    }
                    Message::Pong(bytes) => prop_assert_eq!(&bytes[..], b"ping"),
                    Message::Close(_) => break,
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(got, data);
        }

        #[test]
        fn what_another_implementation_sends_is_read_in_any_pieces(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70_000), 0..4),
            cuts in proptest::collection::vec(1_usize..5000, 1..50),
        ) {
            let all: Vec<Message> = messages
                .iter()
                .flat_map(|m| [Message::Binary(m.clone().into()), Message::Ping(m.iter().copied().take(9).collect())])
                .collect();
            let bytes = said_by_server(all);
            let (mut pieces, mut rest, mut cuts) = (Vec::new(), &bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, more) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            let (data, pings, closed) = heard(&pieces).unwrap();
            prop_assert_eq!(data, messages.concat());
            prop_assert_eq!(pings.len(), messages.len());
            prop_assert!(!closed);
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = heard(&[&bytes]);
        }
    }

    #[test]
    fn fragments_are_one_stream_and_a_goodbye_ends_it() {
        let frames =
            [&[2, 1, b'a'][..], &[0x89, 1, b'p'], &[0, 1, b'b'], &[0x80, 1, b'c'], &[0x88, 0], &[0xff]];
        assert_eq!(heard(&frames), Ok((b"abc".to_vec(), vec![b"p".to_vec()], true)));
    }

    #[test]
    fn what_is_no_stream_of_binary_messages_is_refused() {
        let text = said_by_server(vec![Message::Text(Utf8Bytes::from_static("hello"))]);
        for bytes in [
            &text[..],
            &[0xc2, 0],
            &[0x82, 0x81, 0, 0, 0, 0, 0],
            &[0x89, 126, 0, 200],
            &[0x09, 0],
            &[0x80, 0],
            &[0x83, 0],
            &[0x02, 0, 0x82, 0],
            &[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0],
        ] {
            heard(&[bytes]).unwrap_err();
        }
    }

    #[test]
    fn a_full_message_is_one_tls_record() {
        let mut out = Vec::new();
        put_data(&mut out, &vec![7; MESSAGE], &mut Masks::default());
        assert_eq!(out.len(), 16_384);
    }
}
