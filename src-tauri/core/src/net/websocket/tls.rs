//! TLS without a stream of its own: bytes in, bytes out, for a pump of two threads as for an async stream.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use moorline_ssh_files::HostName;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CipherSuite, ClientConfig, ClientConnection, Error, RootCertStore};

/// One client's end of a TLS connection.
pub(super) struct Tls {
    connection: ClientConnection,
}

impl Tls {
    /// Begins a connection to this host; the first [`Tls::put`] gives what to send.
    pub(super) fn new(config: Arc<ClientConfig>, host: &HostName) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_string());
        let name = name.map_err(|_| Error::General("a certificate cannot hold this name".to_owned()))?;
        let mut connection = ClientConnection::new(config, name)?;
        // What is written is taken out at once, and must not be taken by halves.
        connection.set_buffer_limit(None);
        Ok(Self { connection })
    }

    /// Takes all that came in, and gives `each` the text in it. Whether the other side has ended its stream properly.
    pub(super) fn take(&mut self, mut incoming: &[u8], mut each: impl FnMut(&[u8])) -> Result<bool, Error> {
        let mut ended = false;
        while !incoming.is_empty() && !ended {
            // It takes a part at a time, and none while there is text that nobody has read.
            let taken = self.connection.read_tls(&mut incoming).map_err(|error| general(&error))?;
            ended = self.connection.process_new_packets()?.peer_has_closed();
            if taken == 0 && !ended {
                return Err(Error::General("a record has an impossible length".to_owned()));
            }
            let mut text = self.connection.reader();
            while let Ok(piece) = text.fill_buf()
                && !piece.is_empty()
            {
                each(piece);
                let count = piece.len();
                text.consume(count);
            }
        }
        Ok(ended)
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Encrypts `text`, which the next [`Tls::put`] gives. Only when the handshake is over.
    pub(super) fn seal(&mut self, text: &[u8]) -> Result<(), Error> {
        self.connection.writer().write_all(text).map_err(|error| general(&error))
    }

    /// The proper end of our stream, which the next [`Tls::put`] gives.
    pub(super) fn end(&mut self) {
        self.connection.send_close_notify();
    }

    /// Whether there is something to send.
    pub(super) fn owes(&self) -> bool {
        self.connection.wants_write()
    }

    /// Appends all that is to be sent to `out`.
    pub(super) fn put(&mut self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        while self.owes() && self.connection.write_tls(out).is_ok() {}
    }
}

fn general(error: &io::Error) -> Error {
    Error::General(error.to_string())
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
