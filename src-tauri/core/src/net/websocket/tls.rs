//! TLS without a stream of its own: bytes in, bytes out, for a pump of two threads as for an async stream.

use std::path::Path;
use std::sync::Arc;

use moorline_ssh_files::HostName;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus};
use rustls::{CipherSuite, ClientConfig, Error, RootCertStore};

use super::send_buffer::Outgoing;

/// A record on the wire: a header of five bytes, at most 16 KiB of text, and what the encryption adds to it (RFC
/// 8446, section 5.2).
pub(super) const RECORD: usize = 5 + 16_384 + 256;

/// One client's end of a TLS connection.
pub(super) struct Tls {
    connection: UnbufferedClientConnection,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The handshake wants more from the other side.
    Handshake,
    /// Text goes both ways.
    Open,
    /// The other side has ended its stream properly.
    Ended,
}

impl Tls {
    /// Begins a connection to this host; the first [`Tls::take`] gives what to send.
    pub(super) fn new(config: Arc<ClientConfig>, host: &HostName) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_string());
        let name = name.map_err(|_| Error::General("a certificate cannot hold this name".to_owned()))?;
        Ok(Self { connection: UnbufferedClientConnection::new(config, name)? })
    }

    /// Takes what came in, gives `each` the text in it and puts into `out` what has to be sent. Gives how many bytes
    /// at the beginning of `incoming` are done with; the rest is to be shown again, with more behind it.
    pub(super) fn take(
        &mut self,
        incoming: &mut [u8],
        out: &mut Outgoing,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(usize, Stage), Error> {
        let mut done = 0;
        loop {
            let rest = incoming.get_mut(done..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(rest);
            let stage = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        each(record.payload);
                    }
                    None
                }
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, out)?;
                    None
                }
                // The caller sends `out` before anything else.
                ConnectionState::TransmitTlsData(sent) => {
                    sent.done();
                    None
                }
                ConnectionState::BlockedHandshake => Some(Stage::Handshake),
                ConnectionState::WriteTraffic(_) => Some(Stage::Open),
                ConnectionState::PeerClosed | ConnectionState::Closed => Some(Stage::Ended),
                _ => return Err(Error::HandshakeNotComplete),
            };
            done += discard;
            let Some(stage) = stage else { continue };
            // A message of the handshake that spans records would have to be shown again when something is sealed.
            if stage == Stage::Open && begins_with_whole_record(incoming.get(done..).unwrap_or_default()) {
                return Err(Error::General("it sends a message in pieces".to_owned()));
            }
            return Ok((done, stage));
        }
    }

    /// Appends `text` to `out`, encrypted. Only when open.
    pub(super) fn seal(&mut self, text: &[u8], out: &mut Outgoing) -> Result<(), Error> {
        self.write(Some(text), out)
    }

    /// Appends the proper end of our stream to `out`.
    pub(super) fn end(&mut self, out: &mut Outgoing) -> Result<(), Error> {
        self.write(None, out)
    }

    fn write(&mut self, text: Option<&[u8]>, out: &mut Outgoing) -> Result<(), Error> {
        loop {
            let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
            match state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let length = text.map_or(0, <[u8]>::len);
                    let guess = length + (length / 16_384 + 1) * 64;
                    return grow(out, guess, |room| {
                        let written = match text {
                            Some(text) => traffic.encrypt(text, room),
                            None => traffic.queue_close_notify(room),
                        };
                        match written {
                            Ok(count) => Ok(Ok(count)),
                            Err(EncryptError::InsufficientSize(needs)) => Ok(Err(needs.required_size)),
                            Err(other) => Err(Error::General(other.to_string())),
                        }
                    });
                }
                ConnectionState::EncodeTlsData(data) => encode(data, out)?,
                ConnectionState::TransmitTlsData(sent) => sent.done(),
                ConnectionState::PeerClosed => {}
                _ => return Err(Error::HandshakeNotComplete),
            }
        }
    }
}

fn encode(mut data: EncodeTlsData<'_, ClientConnectionData>, out: &mut Outgoing) -> Result<(), Error> {
    grow(out, 0, |room| match data.encode(room) {
        Ok(count) => Ok(Ok(count)),
        Err(EncodeError::InsufficientSize(needs)) => Ok(Err(needs.required_size)),
        Err(other) => Err(Error::General(other.to_string())),
    })
}

/// What every connection of this process is made with: TLS 1.2 and 1.3, and the system's certificates. `None` where
/// there are none.
pub(super) fn config() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(system_certificates());
    if usable == 0 {
        return None;
    }
    let mut provider = ring::default_provider();
    // All are good; where both sides compute AES in hardware, the shorter key costs a fifth less.
    provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
        CipherSuite::TLS13_AES_256_GCM_SHA384 | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => 1,
        _ => 2,
    });
    let builder =
        ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions().ok()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // A WebSocket over HTTP/2 is another protocol.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Arc::new(config))
}

/// What the system, or else `SSL_CERT_FILE` and `SSL_CERT_DIR`, trusts. Certificates that cannot be read are left
/// out: the rest may do.
fn system_certificates() -> Vec<rustls::pki_types::CertificateDer<'static>> {
    // Distributions keep the same certificates in one file and in hundreds of small ones; the one file is read in a
    // twentieth of the time.
    const BUNDLES: [&str; 3] =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !named {
        for bundle in BUNDLES.map(Path::new) {
            let found = rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs;
            if !found.is_empty() {
                return found;
            }
        }
    }
    rustls_native_certs::load_native_certs().certs
}

/// Whether a record stands there as a whole that nobody took.
fn begins_with_whole_record(bytes: &[u8]) -> bool {
    let Some([_, _, _, high, low]) = bytes.first_chunk() else { return false };
    bytes.len() >= 5 + usize::from(u16::from_be_bytes([*high, *low]))
}

/// Lets rustls write to the end of `out`.
fn grow(
    out: &mut Outgoing,
    guess: usize,
    write: impl FnMut(&mut [u8]) -> Result<Result<usize, usize>, Error>,
) -> Result<(), Error> {
    out.fill(guess, write)?.ok_or_else(|| Error::General("a record has no size".to_owned()))
}
