//! An edge that lets one connection through at a time, as Google's does.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

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
    open: usize,
    let_in: usize,
    turned_away: usize,
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
        true
    }
}

fn carry(outer: TcpStream, seen: Arc<Mutex<Seen>>) {
    thread::spawn(move || {
        let target = seen.lock().expect("no thread of this panics").target;
        let inner = TcpStream::connect((Ipv4Addr::LOCALHOST, target));
        if let Ok(inner) = inner {
            let _ = (outer.set_nodelay(true), inner.set_nodelay(true));
            let halves = (outer.try_clone(), inner.try_clone());
            if let (Ok(mut outer_again), Ok(mut inner_again)) = halves {
                let up = thread::spawn(move || {
                    let _ = io::copy(&mut outer_again, &mut inner_again);
                    let _ = inner_again.shutdown(Shutdown::Both);
                });
                let _ = io::copy(&mut &inner, &mut &outer);
                let _ = outer.shutdown(Shutdown::Both);
                let _ = up.join();
            }
        }
        // A second handle to it is kept for the day it is cut.
        let _ = outer.shutdown(Shutdown::Both);
        seen.lock().expect("no thread of this panics").open -= 1;
    });
}
