//! A person's home with watchers in it, machines to watch, and a way there that can fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use moorline_core::ssh::context::Tools;
use moorline_core::ssh::{LoginKey, SystemSsh};
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::MemoryVault;
use moorline_core::watch::order::{Sight, WatchOrder};
use moorline_core::watch::{WatchTools, WatcherHandle, spawn};
use moorline_model::session::{Link, Session};
use moorline_model::vitals::Vitals;
use moorline_ssh_files::{Alias, HostKey, Place};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::Machine;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::support::{LIMIT, Sshd};

/// A person's home, with this desktop's login key in it.
pub struct Home {
    pub dir: tempfile::TempDir,
    pub tools: Arc<WatchTools>,
    pub key: LoginKey,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ssh = SystemSsh::find(Some(dir.path())).unwrap();
        Self::with(dir, ssh)
    }

    /// Where `ssh relay` leads to `front`.
    pub fn on_relay(front: &Sshd) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ssh = front.friend(dir.path());
        Self::with(dir, ssh)
    }

    pub fn with(dir: tempfile::TempDir, ssh: SystemSsh) -> Self {
        let dirs = Dirs::under(dir.path());
        let key = LoginKey::ensure(&dirs.login_key()).unwrap();
        let tools = Arc::new(Tools { dirs, vault: Box::new(MemoryVault::default()), ssh, askpass: None });
        Self { dir, tools: Arc::new(WatchTools::new(tools)), key }
    }

    pub fn watch(&self, order: WatchOrder) -> Watching {
        let (out, seen) = mpsc::channel(64);
        Watching { handle: spawn(order, Arc::clone(&self.tools), out), seen }
    }
}

pub struct Watching {
    pub handle: WatcherHandle,
    pub seen: mpsc::Receiver<(Alias, Sight)>,
}

impl Watching {
    /// The next thing seen besides vitals.
    pub async fn next(&mut self) -> Sight {
        loop {
            match self.any().await {
                Sight::Vitals(_) => {}
                sight => return sight,
            }
        }
    }

    /// The next thing seen.
    pub async fn any(&mut self) -> Sight {
        let seen = tokio::time::timeout(LIMIT, self.seen.recv()).await;
        seen.unwrap().unwrap().1
    }

    pub async fn expect(&mut self, sights: &[Sight]) {
        for wanted in sights {
            assert_eq!(&self.next().await, wanted);
        }
    }

    /// Waits for this sight, past others.
    pub async fn until(&mut self, wanted: &Sight) -> Vec<Sight> {
        let mut passed = Vec::new();
        loop {
            match self.next().await {
                sight if sight == *wanted => return passed,
                sight => passed.push(sight),
            }
        }
    }

    pub async fn vitals(&mut self) -> Vitals {
        loop {
            if let Sight::Vitals(vitals) = self.any().await {
                return vitals;
            }
        }
    }
}

pub fn order(link: Link, user: &str, pinned: &[HostKey]) -> WatchOrder {
    let name = "colab".parse().unwrap();
    let user = user.parse().unwrap();
    let session = Session { name, link, user, folder: None, identity_file: None };
    WatchOrder { session, pinned: pinned.to_vec(), turn: 0 }
}

pub fn direct(port: u16) -> Link {
    Link::Direct(Place { host: "127.0.0.1".parse().unwrap(), port: port.try_into().unwrap() })
}

pub fn public(pair: &KeyPair) -> HostKey {
    pair.public().parse().unwrap()
}

/// A machine that knows this home's key, and the host key it serves.
pub fn machine(home: &Home) -> (Machine, KeyPair) {
    let mut machine = Machine::new("");
    let key = KeyPair::generate(&machine.keys().join("host"), "ed25519");
    machine.serve(std::slice::from_ref(&key), None);
    machine.authorise(&home.key.public_line());
    (machine, key)
}

/// A way to a port that can fall silent: nothing that is sent arrives any more, in either direction, and nothing is
/// closed.
pub struct Way {
    pub port: u16,
    /// Raised to silence the connections that stand.
    silenced: watch::Sender<usize>,
    /// Whether further connections are silent from the start.
    mute: Arc<AtomicBool>,
    visits: Arc<AtomicUsize>,
}

impl Way {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (silenced, state) = watch::channel(0);
        let way = Self { port: own, silenced, mute: Arc::default(), visits: Arc::default() };
        let (mute, visits) = (Arc::clone(&way.mute), Arc::clone(&way.visits));
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                visits.fetch_add(1, Ordering::SeqCst);
                let mute = mute.load(Ordering::SeqCst);
                let mut state = state.clone();
                tokio::spawn(async move {
                    if !mute {
                        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                        let begun = *state.borrow_and_update();
                        let cut = async { state.wait_for(|now| *now > begun).await.is_ok() };
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                            _ = cut => {}
                        }
                    }
                    std::future::pending::<()>().await;
                });
            }
        });
        way
    }

    pub fn silence(&self) {
        self.mute.store(true, Ordering::SeqCst);
        self.silenced.send_modify(|times| *times += 1);
    }

    pub fn recover(&self) {
        self.mute.store(false, Ordering::SeqCst);
    }

    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}
