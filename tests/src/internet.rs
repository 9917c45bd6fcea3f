//! A stand-in for the internet: one proxy on loopback through which a stage's programs reach the hosts that a test
//! puts there, with certificates that only this stage's programs trust.
//!
//! The programs need no change: they honour `HTTPS_PROXY` and `SSL_CERT_FILE`. A host that no test put there is
//! answered with 502, as a proxy answers for a name that it cannot resolve. What goes to loopback by address goes
//! there straight, as everything did before.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io, thread};

use axum::Router;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::stage::Stage;

/// A connection to a host after its TLS handshake.
pub type Tls = tokio_rustls::server::TlsStream<Wire>;

/// A connection as it came through the proxy, before TLS.
pub type Wire = TcpStream;

/// The proxy, the hosts behind it, and the authority that certifies them. It ends with this value.
pub struct Internet {
    inside: Arc<Inside>,
    address: SocketAddr,
    authority: CertifiedIssuer<'static, KeyPair>,
    certificates: PathBuf,
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

#[derive(Default)]
struct Inside {
    hosts: Mutex<BTreeMap<String, Host>>,
    asked: Mutex<Vec<String>>,
    login: Mutex<Option<String>>,
}

type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;
type Host = Arc<dyn Fn(Wire) -> Answering + Send + Sync>;

impl Internet {
    /// Starts the proxy, and points whatever this stage runs from now on to it.
    pub fn start(stage: &Stage) -> Self {
        let internet = Self::apart(&stage.runtime_dir().join("internet.pem"));
        stage.set_env("HTTPS_PROXY", internet.proxy());
        stage.set_env("NO_PROXY", "localhost,127.0.0.0/8,127.0.0.1");
        stage.set_env("SSL_CERT_FILE", internet.certificates());
        internet
    }

    /// As [`Internet::start`], but no stage is told; the authority's certificate is written to this file.
    pub fn apart(certificates: &Path) -> Self {
        let authority = authority();
        std::fs::write(certificates, authority.pem()).expect("the authority's certificate is written");
        let (runtime, end) = runtime();
        let inside = Arc::new(Inside::default());
        let serving = Arc::clone(&inside);
        let (tell, told) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let listener =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
            tell.send(listener.local_addr().expect("a listener has an address")).expect("the test waits");
            loop {
                let Ok((visitor, _)) = listener.accept().await else { continue };
                let inside = Arc::clone(&serving);
                // A visitor may vanish at any time; that ends its connection and nothing else.
                tokio::spawn(async move { drop(inside.visit(visitor).await) });
            }
        });
        let address = told.recv().expect("the proxy listens");
        Self { inside, address, authority, certificates: certificates.to_owned(), runtime, _end: end }
    }

    /// Puts a web host there, in place of what had that name. `*.example.org` has all names below that domain.
    pub fn host(&self, name: &str, router: Router) {
        let (door, visitors) = mpsc::unbounded_channel();
        self.runtime.spawn(async move { axum::serve(Visitors(visitors), router).await });
        self.tls(name, move |stream| {
            let _ = door.send(stream);
            std::future::ready(())
        });
    }

    /// Puts a host there that does as it likes with each connection after the TLS handshake.
    pub fn tls<F>(&self, name: &str, answer: impl Fn(Tls) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config(name)));
        let answer = Arc::new(answer);
        self.raw(name, move |wire| {
            let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
            async move {
                if let Ok(stream) = acceptor.accept(wire).await {
                    answer(stream).await;
                }
            }
        });
    }

    /// Puts a host there that does as it likes with each connection from its first byte.
    pub fn raw<F>(&self, name: &str, answer: impl Fn(Wire) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let host: Host = Arc::new(move |wire| Box::pin(answer(wire)));
        lock(&self.inside.hosts).insert(name.to_owned(), host);
    }

    /// The name leads nowhere from now on.
    pub fn forget(&self, name: &str) {
        lock(&self.inside.hosts).remove(name);
    }

    /// The names that were asked for, in order, those that are not there too.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.inside.asked).clone()
    }

    /// From now on the proxy wants this name and password, both without a colon.
    pub fn wants_login(&self, user: &str, password: &str) {
        *lock(&self.inside.login) = Some(format!("{user}:{password}"));
    }

    /// Where the proxy is, as `HTTPS_PROXY` has it.
    pub fn proxy(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file with the authority's certificate, as `SSL_CERT_FILE` has it.
    pub fn certificates(&self) -> &Path {
        &self.certificates
    }

    /// The hosts are at this address and port as well, for programs that use no proxy. Each connection goes to the
    /// host of this name.
    ///
    /// # Errors
    /// The system's, where the port may not be had.
    pub fn listen(&self, name: &str, address: SocketAddr) -> io::Result<()> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let (inside, name) = (Arc::clone(&self.inside), name.to_owned());
        self.runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener of this runtime");
            while let Ok((visitor, _)) = listener.accept().await {
                let Some(host) = inside.find(&name) else { continue };
                tokio::spawn(host(visitor));
            }
        });
        Ok(())
    }

    /// What a host needs to prove this name.
    pub fn server_config(&self, name: &str) -> ServerConfig {
        let key = KeyPair::generate().expect("a key is made");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a host's name fits a certificate");
        let certificate = params.signed_by(&key, &self.authority).expect("the authority signs");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key that was just made");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3");
        let chain = vec![certificate.der().clone()];
        let mut config =
            builder.with_no_client_auth().with_single_cert(chain, key).expect("they belong together");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }
}

impl fmt::Debug for Internet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Internet").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Inside {
    /// Answers one visitor of the proxy, who may ask for one tunnel (RFC 9110, section 9.3.6).
    async fn visit(&self, mut wire: Wire) -> io::Result<()> {
        wire.set_nodelay(true)?;
        let request = head(&mut wire).await?;
        let mut words = request.split_whitespace();
        let (Some("CONNECT"), Some(authority)) = (words.next(), words.next()) else {
            return refuse(&mut wire, "405 Method Not Allowed").await;
        };
        let wanted = lock(&self.login).clone();
        if let Some(login) = wanted
            && !request.lines().any(|line| shows_login(line, &login))
        {
            return refuse(&mut wire, "407 Proxy Authentication Required").await;
        }
        let name = authority.strip_suffix(":443").unwrap_or(authority);
        lock(&self.asked).push(name.to_owned());
        let Some(host) = self.find(name) else { return refuse(&mut wire, "502 Bad Gateway").await };
        wire.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        host(wire).await;
        Ok(())
    }

    /// The host of this name, else the one of all names below its domain.
    fn find(&self, name: &str) -> Option<Host> {
        let hosts = lock(&self.hosts);
        let any = || hosts.get(&format!("*.{}", name.split_once('.')?.1));
        hosts.get(name).or_else(any).cloned()
    }
}

/// The connections of one web host.
struct Visitors(mpsc::UnboundedReceiver<Tls>);

impl Listener for Visitors {
    type Io = Tls;
    type Addr = ();

    async fn accept(&mut self) -> (Tls, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            // Another host has the name now.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The first lines of a request, with the empty one that ends them.
pub async fn head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn refuse(wire: &mut Wire, status: &str) -> io::Result<()> {
    wire.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes())
        .await?;
    wire.shutdown().await
}

/// Whether this line of a request shows the login in the manner of RFC 7617.
fn shows_login(line: &str, login: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let shown = value.trim().strip_prefix("Basic ").unwrap_or_default();
    name.eq_ignore_ascii_case("proxy-authorization") && decoded(shown) == login.as_bytes()
}

/// What a base64 text means; the little that a test needs of it.
fn decoded(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let at = alphabet.iter().position(|letter| *letter == byte).unwrap_or_default();
        bits = (bits << 6) | u32::try_from(at).unwrap_or_default();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).unwrap_or_default());
        }
    }
    bytes
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Moorline's tests");
    let key = KeyPair::generate().expect("a key is made");
    CertifiedIssuer::self_signed(params, key).expect("the authority signs itself")
}

/// A thread that runs what the hosts do, until the other end is dropped.
fn runtime() -> (Handle, oneshot::Sender<()>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime for the hosts");
    let handle = runtime.handle().clone();
    let (end, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        let _ = runtime.block_on(ended);
        runtime.shutdown_background();
    });
    (handle, end)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
