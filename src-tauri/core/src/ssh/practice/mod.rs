//! A practice runtime: a real SSH server on loopback inside this program, which can be restarted as a Colab
//! runtime is: new port, new host key, empty disk.
//!
//! It needs no root and no installed sshd. It listens on `127.0.0.1` only, lets in whoever has its random password
//! or a key in its own `authorized_keys`, and runs commands with its throw-away disk as home, in a cleaned
//! environment, as the person who started it.

mod exec;
mod house;
mod server;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use moorline_ssh_files::{HostKey, HostName, Place, Port, UserName};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::rand_core::Rng;
use russh::keys::{Algorithm, PrivateKey};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub use house::{PasswordBy, PracticeEvent};

use house::{Seen, home};

/// What a practice runtime is started with.
#[derive(Debug, Clone)]
pub struct PracticeOptions {
    /// Who one is there.
    pub user: UserName,
    /// How the password is taken.
    pub password_by: PasswordBy,
    /// Lines that stand in `authorized_keys` from the start, also after a restart (a cell that installs them).
    pub authorized_keys: Vec<String>,
}

impl Default for PracticeOptions {
    fn default() -> Self {
        Self { user: UserName::root(), password_by: PasswordBy::default(), authorized_keys: Vec::new() }
    }
}

/// Why there is no practice runtime.
#[derive(Debug, thiserror::Error)]
#[error("the practice runtime cannot {what}: {cause}")]
pub struct PracticeError {
    what: &'static str,
    cause: io::Error,
}

/// Lets the system choose a free port.
const ANY_PORT: u16 = 0;

/// A running practice runtime. It lives in a thread of its own; dropping it ends it and removes its disk.
#[derive(Debug)]
pub struct PracticeRuntime {
    options: PracticeOptions,
    now: Incarnation,
    seen: Seen,
}

/// One "machine": what a restart replaces.
#[derive(Debug)]
struct Incarnation {
    port: Port,
    host_key: HostKey,
    password: SecretString,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    disk: TempDir,
}

impl PracticeRuntime {
    /// Starts one on a free port of `127.0.0.1`.
    pub fn start(options: PracticeOptions) -> Result<Self, PracticeError> {
        let seen = Seen::default();
        let now = Incarnation::boot(&options, &seen, ANY_PORT)?;
        Ok(Self { options, now, seen })
    }

    /// Replaces the machine: another port, another host key, another password, an empty disk. Connections to the
    /// old one break.
    pub fn restart(&mut self) -> Result<(), PracticeError> {
        // The new one is up before the old port is free, so the two ports differ.
        let next = Incarnation::boot(&self.options, &self.seen, ANY_PORT)?;
        self.now = next;
        Ok(())
    }

    /// Replaces the machine by another one on the same port, as behind a relay or a reserved address.
    pub fn restart_at_same_port(&mut self) -> Result<(), PracticeError> {
        let port = self.now.port.get();
        self.now.halt();
        self.now = Incarnation::boot(&self.options, &self.seen, port)?;
        Ok(())
    }

    /// Where it listens.
    pub fn place(&self) -> Place {
        Place { host: loopback(), port: self.now.port }
    }

    /// Who one is there.
    pub fn user(&self) -> &UserName {
        &self.options.user
    }

    /// Its password.
    pub fn password(&self) -> &SecretString {
        &self.now.password
    }

    /// Its host key.
    pub fn host_key(&self) -> &HostKey {
        &self.now.host_key
    }

    /// The home directory on its disk.
    pub fn home(&self) -> PathBuf {
        home(self.now.disk.path())
    }

    /// What it saw since it was started, restarts included.
    pub fn seen(&self) -> Vec<PracticeEvent> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a notebook cell prints for such a runtime. Holds the password.
    pub fn banner_text(&self) -> SecretString {
        let Place { host, port } = self.place();
        let user = self.user();
        let password = self.now.password.expose_secret();
        SecretString::from(format!("Root password: {password}\nssh -p {port} {user}@{host}\n"))
    }

    /// Ends it and waits until its thread is gone.
    pub fn stop(self) {
        drop(self);
    }
}

impl Incarnation {
    fn boot(options: &PracticeOptions, seen: &Seen, port: u16) -> Result<Self, PracticeError> {
        let disk = make_disk(options).map_err(|cause| PracticeError { what: "make its disk", cause })?;
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(|e| no_key(&e))?;
        let blob = key.public_key().to_bytes().map_err(|e| no_key(&e))?;
        let host_key = HostKey::from_blob(&blob).map_err(|e| no_key(&e))?;
        let password = SecretString::from(random_word(24));
        let listen = |cause| PracticeError { what: "listen on 127.0.0.1", cause };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        let port = Port::try_from(port).map_err(|e| listen(io::Error::other(e.to_string())))?;
        let (stop, stopped) = oneshot::channel();
        let house = server::House {
            user: options.user.clone(),
            password: password.clone(),
            password_by: options.password_by,
            disk: disk.path().to_owned(),
            seen: Arc::clone(seen),
        };
        let thread = server::spawn(listener, key, house, stopped)
            .map_err(|cause| PracticeError { what: "start its server", cause })?;
        Ok(Self { port, host_key, password, stop: Some(stop), thread: Some(thread), disk })
    }
}

impl Incarnation {
    fn halt(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Incarnation {
    fn drop(&mut self) {
        self.halt();
    }
}

fn loopback() -> HostName {
    Ipv4Addr::LOCALHOST.to_string().parse().unwrap_or_else(|_| unreachable!("an IP address is a host name"))
}

fn make_disk(options: &PracticeOptions) -> io::Result<TempDir> {
    let disk = tempfile::Builder::new().prefix("moorline-practice-").tempdir()?;
    std::fs::create_dir(home(disk.path()))?;
    exec::furnish(disk.path())?;
    if !options.authorized_keys.is_empty() {
        let ssh = home(disk.path()).join(".ssh");
        std::fs::create_dir(&ssh)?;
        std::fs::write(ssh.join("authorized_keys"), options.authorized_keys.join("\n") + "\n")?;
    }
    Ok(disk)
}

fn random_word(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut rng = safe_rng();
    let mut word = String::with_capacity(length);
    while word.len() < length {
        // Bytes beyond the alphabet are thrown away, so that every letter is as likely as any other.
        let pick = (rng.next_u32() & 63) as usize;
        word.extend(LETTERS.get(pick).map(|letter| char::from(*letter)));
    }
    word
}

fn no_key(cause: &dyn std::fmt::Display) -> PracticeError {
    PracticeError { what: "make a host key", cause: io::Error::other(cause.to_string()) }
}
