//! An edge that lets one connection through at a time, as Google's does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A TCP endpoint in front of a runtime's sshd.
#[derive(Debug)]
pub struct Slot {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    single: bool,
    target: u16,
    held: Option<TcpStream>,
    /// Whether nothing comes through the connection that was let in last.
    silent: Arc<AtomicBool>,
    all_silent: bool,
    open: usize,
    let_in: usize,
    turned_away: usize,
}

/// A connection through which nothing comes.
#[derive(Debug)]
pub struct Silence(Arc<AtomicBool>);

impl Silence {
    /// What was held back comes, and all that follows.
    pub fn ends(self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Slot {
    /// Opens an endpoint on a free port of `127.0.0.1` that leads to this one and lets everybody in. It lasts as long
    /// as the test.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let seen = Arc::new(Mutex::new(Seen { target, ..Seen::default() }));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                let let_in = shared.lock().expect("no thread of this panics").admit(&visitor);
                if let_in {
                    carry(visitor, Arc::clone(&shared));
                }
            }
        });
        Self { port, seen }
    }

    /// Where visitors connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on there is one slot; the counts begin anew.
    pub fn enforce(&self) {
        crate::processes::until("the endpoint to be left", || self.open() == 0);
        let mut seen = self.seen.lock().expect("no thread of this panics");
        *seen = Seen { single: true, target: seen.target, ..Seen::default() };
    }

    /// How many connections stand.
    pub fn open(&self) -> usize {
        self.seen.lock().expect("no thread of this panics").open
    }

    /// How many were let in, and how many turned away, since it is enforced.
    pub fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().expect("no thread of this panics");
        (seen.let_in, seen.turned_away)
    }

    /// From now on nothing comes through the connection that stands, and nobody is told: so it is after a sleep, or when
    /// the network has become another one.
    pub fn hush(&self) -> Silence {
        let silence = Silence(Arc::clone(&self.seen.lock().expect("no thread of this panics").silent));
        silence.0.store(true, Ordering::SeqCst);
        silence
    }

    /// Nothing comes through those that are made from now on; or it does again.
    pub fn hush_all(&self, silent: bool) {
        self.seen.lock().expect("no thread of this panics").all_silent = silent;
    }

    /// Cuts the connection that stands.
    pub fn cut(&self) {
        let held = self.seen.lock().expect("no thread of this panics").held.take();
        let _ = held.expect("there is a connection to cut").shutdown(Shutdown::Both);
        crate::processes::until("the connection to be gone", || self.open() == 0);
    }
}

impl Seen {
    fn admit(&mut self, visitor: &TcpStream) -> bool {
        if self.single && self.open > 0 {
            self.turned_away += 1;
            return false;
        }
        self.let_in += 1;
        self.open += 1;
        self.held = visitor.try_clone().ok();
        self.silent = Arc::new(AtomicBool::new(self.all_silent));
        true
    }
}

fn carry(outer: TcpStream, seen: Arc<Mutex<Seen>>) {
    thread::spawn(move || {
        let (target, silent) = {
            let seen = seen.lock().expect("no thread of this panics");
            (seen.target, Arc::clone(&seen.silent))
        };
        let inner = TcpStream::connect((Ipv4Addr::LOCALHOST, target));
        if let Ok(inner) = inner {
            let _ = (outer.set_nodelay(true), inner.set_nodelay(true));
            let halves = (outer.try_clone(), inner.try_clone());
            if let (Ok(outer_again), Ok(inner_again)) = halves {
                let silent_up = Arc::clone(&silent);
                let up = thread::spawn(move || {
                    let _ = pass(&outer_again, &inner_again, &silent_up);
                    let _ = inner_again.shutdown(Shutdown::Both);
                });
                let _ = pass(&inner, &outer, &silent);
                let _ = outer.shutdown(Shutdown::Both);
                let _ = up.join();
            }
        }
        // A second handle to it is kept for the day it is cut.
        let _ = outer.shutdown(Shutdown::Both);
        seen.lock().expect("no thread of this panics").open -= 1;
    });
}

/// Passes on what comes, once it is not to be held back. The end is passed on at any time.
fn pass(mut from: &TcpStream, mut to: &TcpStream, silent: &AtomicBool) -> io::Result<()> {
    let (mut buffer, mut held) = (vec![0; 64 * 1024], Vec::new());
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => held.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if !silent.load(Ordering::SeqCst) {
            to.write_all(&held)?;
            held.clear();
        }
        let look = Duration::from_millis(20);
        from.set_read_timeout((!held.is_empty()).then_some(look))?;
    }
}
