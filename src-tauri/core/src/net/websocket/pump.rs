//! Standard input and output over an open way, with one thread for each direction, and one that answers pings.
//!
//! The receiving thread never sends: an edge that does not read for a while would hold it up, and then itself, with what
//! it has yet to send.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::frames::{Heard, Inbound, Masks, put_close, put_data, put_pong};
use super::handshake::Opened;
use super::tls::Tls;
use crate::net::connect::left;
use crate::net::error::CarryError;
use crate::net::stdio;

/// What is read at once from either side. What more would save in calls, it costs in a processor's caches.
const BUFFER: usize = 128 * 1024;

/// What ssh's pipes carry at once.
const PIPE: usize = 2 * BUFFER;

/// How long what is still on its way may take after our own side has ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// All threads' one connection. `tls` is held for computing alone; whoever sends holds `out` from encrypting to sending,
/// since records count.
struct Shared {
    tcp: TcpStream,
    tls: Mutex<Tls>,
    out: Mutex<Out>,
    /// The ping that was not answered yet: the latest one, which answers those before it (RFC 6455, section 5.5.3).
    ping: Mutex<Option<Vec<u8>>>,
}

/// What a sender needs; the memory is used again.
#[derive(Default)]
struct Out {
    frames: Vec<u8>,
    records: Vec<u8>,
    masks: Masks,
}

/// Carries until one side has ended, and gives the other a moment to finish.
pub(super) fn run(opened: Opened, limit: Duration) -> Result<(), CarryError> {
    let Opened { host, tcp, tls, inbound, masks, first } = opened;
    let shared = Arc::new(Shared {
        tcp,
        tls: Mutex::new(tls),
        out: Mutex::new(Out { masks, ..Out::default() }),
        ping: Mutex::default(),
    });
    let failed = |error: io::Error| CarryError::Cut { host: host.clone(), reason: error.to_string() };
    let answering = Arc::clone(&shared);
    let answers = started("answers", move || answering.answer()).map_err(failed)?;
    let (tell, ended) = mpsc::channel();
    let (up, told) = (Arc::clone(&shared), tell.clone());
    started("up", move || drop(told.send(Ended::Up(send_all(&up))))).map_err(failed)?;
    let down = move || drop(tell.send(Ended::Down(receive_all(&shared, &answers, inbound, first, limit))));
    started("down", down).map_err(failed)?;
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

/// On a thread of its own.
fn started(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Thread> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(thread.thread().clone())
}

impl Shared {
    /// Sends the frames that this makes, after the answer that is owed.
    fn send(&self, make: impl FnOnce(&mut Vec<u8>, &mut Masks)) -> io::Result<()> {
        let mut out = lock(&self.out);
        let Out { frames, records, masks } = &mut *out;
        frames.clear();
        if let Some(ping) = lock(&self.ping).take() {
            put_pong(frames, &ping, masks);
        }
        make(frames, masks);
        let mut tls = lock(&self.tls);
        tls.seal(frames).map_err(io::Error::other)?;
        self.flush(tls, records)
    }

    /// What `tls` has to send, which others may use meanwhile.
    fn flush(&self, mut tls: MutexGuard<'_, Tls>, records: &mut Vec<u8>) -> io::Result<()> {
        records.clear();
        tls.put(records);
        drop(tls);
        (&self.tcp).write_all(records)
    }

    /// Sends what is owed, whenever it is woken, until that fails.
    fn answer(&self) {
        while self.send(|_, _| {}).is_ok() {
            thread::park();
        }
    }

    /// A goodbye, and the end of our stream; the other direction stays open.
    fn say_goodbye(&self) -> io::Result<()> {
        self.send(put_close)?;
        let mut out = lock(&self.out);
        let mut tls = lock(&self.tls);
        tls.end();
        self.flush(tls, &mut out.records)?;
        self.tcp.shutdown(Shutdown::Write)
    }
}

/// From standard input to the edge.
fn send_all(shared: &Shared) -> io::Result<()> {
    let mut stdin = stdio::input(PIPE)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match stdin.read(&mut buffer) {
            Ok(0) => return shared.say_goodbye(),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let data = buffer.get(..count).unwrap_or_default();
        shared.send(|frames, masks| put_data(frames, data, masks))?;
    }
}

/// From the edge to standard output.
fn receive_all(shared: &Shared, answers: &Thread, inbound: Inbound, first: Vec<u8>, limit: Duration) -> Down {
    let mut receiver = Receiver { shared, answers, inbound, said: false, data: first };
    let broken = receiver.run(Instant::now() + limit).err();
    Down { said: receiver.said, broken }
}

struct Receiver<'a> {
    shared: &'a Shared,
    /// Wakes whoever answers.
    answers: &'a Thread,
    inbound: Inbound,
    said: bool,
    data: Vec<u8>,
}

impl Receiver<'_> {
    fn run(&mut self, silence: Instant) -> Result<(), Broken> {
        let mut stdout = stdio::output(PIPE).map_err(Broken::Stream)?;
        let mut buffer = vec![0; BUFFER];
        let mut ended = false;
        loop {
            if !self.data.is_empty() {
                self.heard_first()?;
                stdout.write_all(&self.data).map_err(Broken::Stream)?;
                self.data.clear();
            }
            if ended || self.inbound.is_closed() {
                return Ok(());
            }
            if !self.said {
                self.shared.tcp.set_read_timeout(Some(left(silence))).map_err(Broken::Stream)?;
            }
            ended = match (&self.shared.tcp).read(&mut buffer) {
                // The origin of a tunnel goes without a goodbye.
                Ok(0) => return Ok(()),
                Ok(count) => self.take(buffer.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(Broken::Silent);
                }
                Err(error) => return Err(Broken::Stream(error)),
            };
        }
    }

    /// Decrypts what came, and leaves what wants an answer to whoever sends. Whether that is the end.
    fn take(&mut self, incoming: &[u8]) -> Result<bool, Broken> {
        let (mut latest, mut fault) = (None, None);
        let (inbound, data) = (&mut self.inbound, &mut self.data);
        let mut tls = lock(&self.shared.tls);
        let taken = tls.take(incoming, |text| {
            let heard = inbound.hear(text, |heard| match heard {
                Heard::Data(piece) => data.extend_from_slice(piece),
                Heard::Ping(ping) => latest = Some(ping.to_vec()),
                Heard::Close => {}
            });
            fault = fault.take().or(heard.err());
        });
        let owes = tls.owes() || latest.is_some();
        drop(tls);
        if latest.is_some() {
            *lock(&self.shared.ping) = latest;
        }
        if owes {
            self.answers.unpark();
        }
        let ended = taken.map_err(|error| Broken::Odd(error.to_string()))?;
        fault.map_or(Ok(ended), |fault| Err(Broken::Odd(fault.to_string())))
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
