//! Standard input and output over an open way, with one thread for each direction.

use std::io::{self, IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::coalescing::Coalescing;
use super::frames::{Heard, Inbound, MESSAGE, Masks, OWN_HEADER, frame_in_place, put_close, put_pong};
use super::handshake::Opened;
use super::send_buffer::Outgoing;
use super::tls::{RECORD, Stage, Tls};
use crate::net::dial::left;
use crate::net::error::CarryError;
use crate::net::stdio;

/// What is read at once from either side. What more would save in calls, it costs in a processor's caches.
const BUFFER: usize = 128 * 1024;

/// What ssh's pipes carry at once.
const PIPE: usize = 2 * BUFFER;

/// Room for one message with its header; one TLS record.
const SLOT: usize = OWN_HEADER + MESSAGE;

/// How long what is still on its way may take after our own side has ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// Both threads' one connection. `tls` is held for computing alone, `out` while something is being sent.
struct Shared {
    tcp: TcpStream,
    tls: Mutex<Tls>,
    out: Mutex<Outgoing>,
    /// Answers that the receiving side owes while the sending side is busy; encrypted by whoever holds `out`.
    owed: Mutex<Owed>,
}

#[derive(Default)]
struct Owed {
    frames: Vec<u8>,
    /// Already encrypted, and in this order before anything that is encrypted later.
    sealed: Outgoing,
    masks: Masks,
}

/// Carries until one side has ended, and gives the other a moment to finish.
pub(super) fn run(opened: Opened, limit: Duration) -> Result<(), CarryError> {
    let Opened { host, tcp, tls, rest, inbound, masks, first, owed } = opened;
    let shared = Arc::new(Shared {
        tcp,
        tls: Mutex::new(tls),
        out: Mutex::default(),
        owed: Mutex::new(Owed { sealed: owed, ..Owed::default() }),
    });
    shared.settle().map_err(|error| CarryError::Cut { host: host.clone(), reason: error.to_string() })?;
    let (tell, ended) = mpsc::channel();
    let (up, told) = (Arc::clone(&shared), tell.clone());
    let up = move || drop(told.send(Ended::Up(send_all(&up, masks))));
    let down = move || drop(tell.send(Ended::Down(receive_all(&shared, rest, inbound, &first, limit))));
    for (name, work) in [("up", Box::new(up) as Box<dyn FnOnce() + Send>), ("down", Box::new(down))] {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        thread.map_err(|error| CarryError::Cut { host: host.clone(), reason: error.to_string() })?;
    }
    let down = match ended.recv() {
        Ok(Ended::Down(down)) => down,
        // ssh has nothing more to say; what is on its way to it may still arrive.
        Ok(Ended::Up(Ok(()))) => match ended.recv_timeout(FAREWELL) {
            Ok(Ended::Down(Down { broken: Some(Broken::Stream(_)), .. }) | Ended::Up(_)) | Err(_) => {
                return Ok(());
            }
            Ok(Ended::Down(down)) => Down { said: true, ..down },
        },
        // What broke the sending direction breaks the other one as well, which knows best what it was.
        Ok(Ended::Up(Err(error))) => match ended.recv_timeout(FAREWELL) {
            Ok(Ended::Down(down)) => down,
            Ok(Ended::Up(_)) | Err(_) => {
                return Err(CarryError::Cut { host, reason: error.to_string() });
            }
        },
        Err(_) => return Ok(()),
    };
    match down {
        Down { broken: Some(Broken::Silent), .. } => Err(CarryError::Silent { host, after: limit }),
        Down { broken: Some(Broken::Odd(reason)), .. } => Err(CarryError::Odd { host, reason }),
        Down { broken: Some(Broken::Stream(error)), said: false } => {
            Err(CarryError::Cut { host, reason: error.to_string() })
        }
        Down { broken: None, said: false } => Err(CarryError::ClosedAtOnce(host)),
        // ssh knows best what an end in the middle means to it.
        Down { .. } => Ok(()),
    }
}

enum Ended {
    Up(io::Result<()>),
    Down(Down),
}

/// How the receiving direction ended.
struct Down {
    /// Whether sshd said anything.
    said: bool,
    broken: Option<Broken>,
}

enum Broken {
    Silent,
    Odd(String),
    Stream(io::Error),
}

impl Shared {
    /// Sends these frames, after what is owed.
    fn send<'a>(&self, frames: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut out = lock(&self.out);
        self.seal(frames, &mut out)?;
        self.flush(&mut out)?;
        drop(out);
        self.settle()
    }

    /// Sends what is owed, unless the other thread is about to.
    fn settle(&self) -> io::Result<()> {
        while !lock(&self.owed).is_empty() {
            let Ok(mut out) = self.out.try_lock() else { return Ok(()) };
            self.seal(std::iter::empty(), &mut out)?;
            self.flush(&mut out)?;
        }
        Ok(())
    }

    /// Records count: they go into `out` in the order in which they were sealed. So `tls` is held all the while, and
    /// always taken before `owed`.
    fn seal<'a>(&self, mut frames: impl Iterator<Item = &'a [u8]>, out: &mut Outgoing) -> io::Result<()> {
        let mut tls = lock(&self.tls);
        let mut owed = lock(&self.owed);
        out.append(&mut owed.sealed);
        if !owed.frames.is_empty() {
            tls.seal(&owed.frames, out).map_err(io::Error::other)?;
            owed.frames.clear();
        }
        drop(owed);
        frames.try_for_each(|frame| tls.seal(frame, out)).map_err(io::Error::other)
    }

    fn flush(&self, out: &mut Outgoing) -> io::Result<()> {
        let sent = (&self.tcp).write_all(out.bytes());
        out.clear();
        sent
    }

    /// A goodbye, and the end of our stream; the other direction stays open.
    fn say_goodbye(&self, masks: &mut Masks) -> io::Result<()> {
        let mut frames = Vec::new();
        put_close(&mut frames, masks);
        self.send(std::iter::once(frames.as_slice()))?;
        let mut out = lock(&self.out);
        lock(&self.tls).end(&mut out).map_err(io::Error::other)?;
        self.flush(&mut out)?;
        self.tcp.shutdown(Shutdown::Write)
    }
}

impl Owed {
    fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.sealed.is_empty()
    }
}

/// From standard input to the edge. What is read lies where it is sent from, with room for a header before each message.
fn send_all(shared: &Shared, mut masks: Masks) -> io::Result<()> {
    let mut stdin = stdio::input(PIPE)?;
    let mut slots = vec![[0; SLOT]; BUFFER / SLOT];
    loop {
        let rooms = slots.iter_mut().filter_map(|slot| slot.get_mut(OWN_HEADER..));
        let count = match stdin.read_vectored(&mut rooms.map(IoSliceMut::new).collect::<Vec<_>>()) {
            Ok(0) => return shared.say_goodbye(&mut masks),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = (0..count).step_by(MESSAGE).map(|start| (count - start).min(MESSAGE));
        shared
            .send(slots.iter_mut().zip(filled).map(|(slot, many)| frame_in_place(slot, many, &mut masks)))?;
    }
}

/// From the edge to standard output.
fn receive_all(shared: &Shared, rest: Vec<u8>, inbound: Inbound, first: &[u8], limit: Duration) -> Down {
    let mut receiver = Receiver { shared, inbound, said: false, data: Vec::with_capacity(BUFFER) };
    let broken = receiver.run(rest, first, Instant::now() + limit).err();
    Down { said: receiver.said, broken }
}

struct Receiver<'a> {
    shared: &'a Shared,
    inbound: Inbound,
    said: bool,
    data: Vec<u8>,
}

impl Receiver<'_> {
    fn run(&mut self, rest: Vec<u8>, first: &[u8], silence: Instant) -> Result<(), Broken> {
        let mut stdout = stdio::output(PIPE).map_err(Broken::Stream)?;
        self.data.extend_from_slice(first);
        let (mut buffer, mut have) = (rest, 0);
        have += buffer.len();
        buffer.resize(BUFFER.max(have + RECORD), 0);
        // What is there may be all that comes for a while.
        let mut ended = self.take(&mut buffer, &mut have)?;
        let mut coalescing = Coalescing::new(Instant::now());
        loop {
            let count = self.data.len();
            if !self.data.is_empty() {
                self.heard_first()?;
                stdout.write_all(&self.data).map_err(Broken::Stream)?;
                self.data.clear();
            }
            if ended || self.inbound.is_closed() {
                return Ok(());
            }
            coalescing.rest(count);
            if !self.said {
                self.shared.tcp.set_read_timeout(Some(left(silence))).map_err(Broken::Stream)?;
            }
            match (&self.shared.tcp).read(buffer.get_mut(have..).unwrap_or_default()) {
                // The origin of a tunnel goes without a goodbye.
                Ok(0) => return Ok(()),
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(Broken::Silent);
                }
                Err(error) => return Err(Broken::Stream(error)),
            }
            ended = self.take(&mut buffer, &mut have)?;
        }
    }

    /// Decrypts what is whole in `buffer`, and answers what wants an answer.
    fn take(&mut self, buffer: &mut [u8], have: &mut usize) -> Result<bool, Broken> {
        let (mut sealed, mut pings, mut fault) = (Outgoing::default(), Vec::new(), None);
        let (inbound, data) = (&mut self.inbound, &mut self.data);
        let incoming = buffer.get_mut(..*have).unwrap_or_default();
        let mut tls = lock(&self.shared.tls);
        let taken = tls.take(incoming, &mut sealed, |text| {
            let heard = inbound.hear(text, |heard| match heard {
                Heard::Data(piece) => data.extend_from_slice(piece),
                Heard::Ping(ping) => pings.push(ping.to_vec()),
                Heard::Close => {}
            });
            fault = fault.take().or(heard.err());
        });
        if !sealed.is_empty() || !pings.is_empty() {
            // Before `tls` is let go: what was sealed first is sent first.
            let mut owed = lock(&self.shared.owed);
            owed.sealed.append(&mut sealed);
            let Owed { frames, masks, .. } = &mut *owed;
            for ping in &pings {
                put_pong(frames, ping, masks);
            }
        }
        drop(tls);
        let (done, stage) = taken.map_err(|error| Broken::Odd(error.to_string()))?;
        if let Some(fault) = fault {
            return Err(Broken::Odd(fault.to_string()));
        }
        buffer.copy_within(done..*have, 0);
        *have -= done;
        self.shared.settle().map_err(Broken::Stream)?;
        Ok(stage == Stage::Ended)
    }

    fn heard_first(&mut self) -> Result<(), Broken> {
        if !self.said {
            self.said = true;
            self.shared.tcp.set_read_timeout(None).map_err(Broken::Stream)?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
