//! What a proxy and its hub say to each other before the bytes flow: one line each.

use std::io::{self, Read};

use moorline_model::next_step::NextStep;
use serde::{Deserialize, Serialize};

/// Changes when old and new programs would misunderstand each other.
pub(super) const PROTOCOL: u32 = 1;

/// The longest line of either.
pub(super) const LINE: usize = 4096;

/// What a caller says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The protocol that the caller speaks.
    pub hub: u32,
    pub want: Want,
}

/// What a caller is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Want {
    /// A way to the runtime's sshd.
    Way,
    /// That the hub ends, and everything that it carries.
    End,
}

/// What the hub answers. After [`Answer::Open`] come the runtime's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(super) enum Answer {
    /// From here on the stream belongs to the runtime's sshd.
    Open,
    /// There is no way.
    Refused(Refusal),
}

/// Why there is no way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    /// One sentence.
    pub error: String,
    /// What a person can do about it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
}

impl From<String> for Refusal {
    fn from(error: String) -> Self {
        Self { error, next: None }
    }
}

/// As it goes over the socket.
pub(super) fn line(what: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads up to the end of a line and not a byte further: what follows belongs to somebody else. `None` at the end.
pub(super) fn read_line(mut from: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match from.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) if byte == *b"\n" => return Ok(Some(line)),
            Ok(_) if line.len() == LINE => return Err(io::ErrorKind::InvalidData.into()),
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_pinned_down() {
        let hello = line(&Hello { hub: PROTOCOL, want: Want::Way }).unwrap();
        assert_eq!(hello, b"{\"hub\":1,\"want\":\"way\"}\n");
        assert_eq!(line(&Answer::Open).unwrap(), b"{\"say\":\"open\"}\n");
        let refused = Answer::Refused("no".to_owned().into());
        assert_eq!(line(&refused).unwrap(), b"{\"say\":\"refused\",\"error\":\"no\"}\n");
        let next = Some(NextStep::Repair { session: None });
        let advised = line(&Answer::Refused(Refusal { error: "no".to_owned(), next })).unwrap();
        assert!(advised.ends_with(b"\"next\":{\"step\":\"repair\",\"session\":null}}\n"), "{advised:?}");
        assert_eq!(serde_json::from_slice::<Answer>(&line(&refused).unwrap()).unwrap(), refused);
    }

    #[test]
    fn a_line_is_read_and_what_follows_is_left() {
        let mut bytes: &[u8] = b"{}\nSSH-2.0";
        assert_eq!(read_line(&mut bytes).unwrap().unwrap(), b"{}");
        assert_eq!(bytes, b"SSH-2.0");
        assert_eq!(read_line(&b"half"[..]).unwrap(), None);
        assert!(read_line(&[b'x'; LINE + 2][..]).is_err(), "nobody fills our memory");
    }
}
