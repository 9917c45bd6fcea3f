//! Asking a SOCKS 5 proxy for a way to a host (RFC 1928), with a login if there is one (RFC 1929).

use std::io::{self, Read, Write};

use moorline_ssh_files::HostName;

/// Why there is no way.
pub(super) enum Refused {
    /// The stream broke.
    Broken(io::Error),
    /// The proxy said so.
    Said {
        /// What it meant, as it follows on "the proxy …".
        reason: &'static str,
        /// It found no way to the host.
        no_way: bool,
    },
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;

/// Asks for a connection; afterwards the stream is that connection. The name is resolved by the proxy.
pub(super) fn ask(
    stream: &mut (impl Read + Write),
    login: Option<(&str, &str)>,
    host: &HostName,
    port: u16,
) -> Result<(), Refused> {
    let methods: &[u8] = if login.is_some() { &[NO_LOGIN, PASSWORD] } else { &[NO_LOGIN] };
    let mut greeting = vec![VERSION, u8::try_from(methods.len()).unwrap_or_default()];
    greeting.extend_from_slice(methods);
    stream.write_all(&greeting)?;
    let [version, method] = read(stream)?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, PASSWORD, Some((user, password))) => log_in(stream, user, password)?,
        (VERSION, ..) => return Err(said("wants another login; put user:password@ before its name")),
        _ => return Err(said("does not answer in SOCKS 5")),
    }
    let name = host.as_str().as_bytes();
    let mut request = vec![VERSION, 1, 0, 3, length(name)?];
    request.extend_from_slice(name);
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request)?;
    let [_, reply, _, kind] = read(stream)?;
    match reply {
        0 => {}
        2 => return Err(said("does not allow the way")),
        3..=6 => return Err(Refused::Said { reason: "finds no way: the tunnel may be gone", no_way: true }),
        _ => return Err(said("refuses the way")),
    }
    // The address that it is bound to, which nobody needs, and a port.
    let rest = match kind {
        1 => 4,
        4 => 16,
        _ => usize::from(read::<1>(stream)?[0]),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound)?;
    Ok(())
}

fn log_in(stream: &mut (impl Read + Write), user: &str, password: &str) -> Result<(), Refused> {
    let mut request = vec![1, length(user.as_bytes())?];
    request.extend_from_slice(user.as_bytes());
    request.push(length(password.as_bytes())?);
    request.extend_from_slice(password.as_bytes());
    stream.write_all(&request)?;
    match read(stream)? {
        [_, 0] => Ok(()),
        _ => Err(said("refuses the login")),
    }
}

fn read<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn length(text: &[u8]) -> Result<u8, Refused> {
    u8::try_from(text.len()).map_err(|_| said("takes no names as long as these"))
}

fn said(reason: &'static str) -> Refused {
    Refused::Said { reason, no_way: false }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    struct Both {
        comes: Cursor<Vec<u8>>,
        goes: Vec<u8>,
    }

    impl Read for Both {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.comes.read(buf)
        }
    }

    impl Write for Both {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.goes.write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn asked(login: Option<(&str, &str)>, answers: &[u8]) -> (Result<(), Option<bool>>, Vec<u8>, usize) {
        let mut both = Both { comes: Cursor::new(answers.to_vec()), goes: Vec::new() };
        let result =
            ask(&mut both, login, &"a.example".parse().unwrap(), 443).map_err(|refused| match refused {
                Refused::Broken(_) => None,
                Refused::Said { no_way, .. } => Some(no_way),
            });
        let read = usize::try_from(both.comes.position()).unwrap();
        (result, both.goes, answers.len() - read)
    }

    #[test]
    fn a_name_is_asked_for_and_what_follows_is_left_alone() {
        let (result, goes, rest) = asked(None, b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x01\xbbSSH-2.0");
        assert_eq!((result, rest), (Ok(()), 7));
        assert_eq!(goes, b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x01\xbb");
        let (result, _, rest) = asked(None, b"\x05\x00\x05\x00\x00\x03\x03abc\x01\xbb");
        assert_eq!((result, rest), (Ok(()), 0), "a name as bound address");
    }

    #[test]
    fn a_login_is_shown_where_it_is_wanted() {
        let login = Some(("ada", "pass"));
        let (result, goes, _) = asked(login, b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0");
        assert_eq!(result, Ok(()));
        assert!(goes.starts_with(b"\x05\x02\x00\x02\x01\x03ada\x04pass\x05\x01"), "{goes:?}");
        assert_eq!(asked(login, b"\x05\x02\x01\x01").0, Err(Some(false)));
        assert_eq!(asked(None, b"\x05\xff").0, Err(Some(false)));
    }

    #[test]
    fn refusals_are_told_apart() {
        assert_eq!(asked(None, b"\x05\x00\x05\x04\x00\x01").0, Err(Some(true)), "host unreachable");
        assert_eq!(asked(None, b"\x05\x00\x05\x02\x00\x01").0, Err(Some(false)), "not allowed");
        assert_eq!(asked(None, b"\x05\x00\x05").0, Err(None), "broken off");
        assert_eq!(asked(None, b"HT").0, Err(Some(false)), "no SOCKS at all");
    }
}
