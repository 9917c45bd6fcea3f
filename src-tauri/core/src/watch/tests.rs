//! The loop over a link that does as the test says, in time that passes when everybody waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moorline_model::cause::{Loss, Obstacle};
use moorline_model::session::{self, Session};
use moorline_model::vitals::Vitals;
use moorline_ssh_files::{HostKey, Place};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::link::Up;
use super::*;

/// What the world does; the test and the link share it.
#[derive(Default)]
struct World {
    /// What the next dials come to; a connection when there is nothing left.
    outcomes: Mutex<VecDeque<Obstacle>>,
    /// When each dial was made.
    dials: Mutex<Vec<Instant>>,
    /// How long a ping takes; `None` for ever.
    trip: Mutex<Option<Duration>>,
    /// How many times the vitals were read.
    readings: Mutex<Vec<Instant>>,
    /// Ends the connection that stands.
    hang_up: Mutex<Option<watch::Sender<()>>>,
}

struct TestLink(Arc<World>);

struct TestUp {
    world: Arc<World>,
    key: HostKey,
    stands: watch::Receiver<()>,
}

impl Link for TestLink {
    type Up = TestUp;

    async fn open(&mut self, order: &WatchOrder, limit: Duration) -> Result<TestUp, Obstacle> {
        self.0.dials.lock().unwrap().push(Instant::now());
        let outcome = self.0.outcomes.lock().unwrap().pop_front();
        match outcome {
            Some(Obstacle::Unreachable) => {
                tokio::time::sleep(limit).await;
                Err(Obstacle::Unreachable)
            }
            Some(obstacle) => Err(obstacle),
            None => {
                let (hang_up, stands) = watch::channel(());
                *self.0.hang_up.lock().unwrap() = Some(hang_up);
                Ok(TestUp { world: Arc::clone(&self.0), key: order.pinned[0].clone(), stands })
            }
        }
    }
}

impl Up for TestUp {
    fn key(&self) -> Option<&HostKey> {
        Some(&self.key)
    }

    async fn closed(&self) {
        let mut stands = self.stands.clone();
        while stands.changed().await.is_ok() {}
    }

    async fn ping(&self) -> bool {
        let trip = *self.world.trip.lock().unwrap();
        match trip {
            Some(trip) => tokio::time::sleep(trip).await,
            None => std::future::pending().await,
        }
        true
    }

    async fn vitals(&self) -> Option<Vitals> {
        self.world.readings.lock().unwrap().push(Instant::now());
        Some(Vitals::default())
    }

    async fn leave(self) {}
}

/// A watcher with its world.
struct Scene {
    world: Arc<World>,
    handle: WatcherHandle,
    seen: mpsc::Receiver<(Alias, Sight)>,
    start: Instant,
}

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn order(port: u16, keys: &[u8]) -> WatchOrder {
    let place = Place { host: "runtime.example".parse().unwrap(), port: port.try_into().unwrap() };
    let session = Session {
        name: "colab".parse().unwrap(),
        link: session::Link::Direct(place),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    };
    WatchOrder { session, pinned: keys.iter().map(|n| key(*n)).collect(), turn: 0 }
}

/// The wall clock of a computer that never sleeps: it goes as the runtime's own does.
fn wall() -> SystemTime {
    thread_local!(static START: Instant = Instant::now());
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + START.with(Instant::elapsed)
}

impl Scene {
    fn new(outcomes: &[Obstacle]) -> Self {
        Self::with(outcomes, wall)
    }

    fn with(outcomes: &[Obstacle], wall: fn() -> SystemTime) -> Self {
        let world = Arc::new(World {
            outcomes: Mutex::new(outcomes.iter().cloned().collect()),
            trip: Mutex::new(Some(Duration::from_millis(20))),
            ..World::default()
        });
        let (out, seen) = mpsc::channel(64);
        let handle = spawn_over(TestLink(Arc::clone(&world)), order(22, &[1]), || 1.0, wall, out);
        Self { world, handle, seen, start: Instant::now() }
    }

    /// The next thing that is seen besides vitals, and when, in milliseconds.
    async fn next(&mut self) -> (Sight, u128) {
        loop {
            let (_, sight) = self.seen.recv().await.unwrap();
            if !matches!(sight, Sight::Vitals(_)) {
                return (sight, self.start.elapsed().as_millis());
            }
        }
    }

    async fn expect(&mut self, sights: &[Sight]) {
        for wanted in sights {
            assert_eq!(&self.next().await.0, wanted);
        }
    }

    /// Lets time pass; whatever is seen meanwhile besides vitals.
    async fn pass(&mut self, seconds: u64) -> Vec<Sight> {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut seen = Vec::new();
        while let Ok((sight, _)) = tokio::time::timeout_at(end, self.next()).await {
            seen.push(sight);
        }
        seen
    }

    fn fall_silent(&self) {
        *self.world.trip.lock().unwrap() = None;
    }

    fn answer_after(&self, millis: u64) {
        *self.world.trip.lock().unwrap() = Some(Duration::from_millis(millis));
    }

    fn hang_up(&self) {
        self.world.hang_up.lock().unwrap().take();
    }

    fn dials(&self) -> Vec<u128> {
        let dials = self.world.dials.lock().unwrap();
        dials.iter().map(|at| at.duration_since(self.start).as_millis()).collect()
    }

    /// All that come, one after the other.
    fn next_dials(&self, obstacles: &[Obstacle]) {
        self.world.outcomes.lock().unwrap().extend(obstacles.iter().cloned());
    }
}

use Sight::{Dialling, Failed, Lost, Online};

#[tokio::test(start_paused = true)]
async fn a_closed_connection_is_redialled_at_once_and_then_ever_more_slowly() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.pass(100).await, [], "nothing happens");
    scene.next_dials(&[Obstacle::Refused, Obstacle::Refused, Obstacle::Refused]);
    scene.hang_up();
    let refused = || Failed(Obstacle::Refused);
    scene.expect(&[Lost(Loss::Closed), Dialling, refused(), Dialling, refused(), Dialling, refused()]).await;
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.dials(), [0, 100_000, 101_000, 103_000, 107_000], "at once, then 1, 2 and 4 s");
}

#[tokio::test(start_paused = true)]
async fn two_dials_are_never_within_a_second_whatever_happens() {
    let mut scene = Scene::new(&[]);
    for n in 0..200_u16 {
        match n % 5 {
            0 => scene.handle.redial(),
            1 => scene.hang_up(),
            2 => scene.handle.woke(),
            3 => scene.handle.network_changed(),
            _ => scene.handle.order(order(1000 + n, &[1])),
        }
        tokio::time::sleep(Duration::from_millis(u64::from(n) * 7 % 130)).await;
        while scene.seen.try_recv().is_ok() {}
    }
    let dials = scene.dials();
    assert!(dials.len() > 3, "{dials:?}");
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= 1000), "{dials:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_seen_within_twelve_seconds() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.pass(63).await, []);
    scene.next_dials(&[Obstacle::Unreachable]);
    scene.fall_silent();
    let (sight, lost) = scene.next().await;
    assert_eq!(sight, Lost(Loss::Silent));
    assert!(lost - 63_000 <= 12_000, "{lost}");
    assert_eq!(scene.next().await.0, Dialling);
    let (sight, failed) = scene.next().await;
    assert!(sight == Failed(Obstacle::Unreachable) && failed - lost <= 5000, "{sight:?} after {failed}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_on_a_lossy_link_is_no_loss() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    for trip in [300, 900, 300, 2300, 300, 5300, 900, 300, 11_000, 300] {
        scene.answer_after(trip);
        assert_eq!(scene.pass(12).await, [], "{trip} ms");
    }
    assert_eq!(scene.dials().len(), 1, "the connection was kept, and none was opened beside it");
    // One that hangs for good is replaced by another that stands; nobody is told of a loss.
    scene.fall_silent();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(scene.dials().len(), 1);
    assert_eq!(scene.pass(15).await, []);
    assert_eq!(scene.dials().len(), 2, "a second opinion was asked for");
    scene.answer_after(300);
    assert_eq!(scene.pass(10).await, []);
}

#[tokio::test(start_paused = true)]
async fn real_silence_on_a_lossy_link_is_seen_within_thirty_seconds() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    for trip in [300, 900, 300, 2300, 300, 5300] {
        scene.answer_after(trip);
        scene.pass(7).await;
    }
    let begun = scene.start.elapsed().as_millis();
    scene.next_dials(&[Obstacle::Unreachable, Obstacle::Unreachable]);
    scene.fall_silent();
    let (sight, lost) = scene.next().await;
    assert!(sight == Lost(Loss::Silent) && lost - begun <= 30_000, "{sight:?} after {}", lost - begun);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_repeated_but_on_demand() {
    let mut scene = Scene::new(&[Obstacle::Login, Obstacle::Login, Obstacle::Login]);
    scene.expect(&[Dialling, Failed(Obstacle::Login)]).await;
    scene.handle.network_changed();
    scene.handle.woke();
    assert_eq!(scene.pass(59).await, []);
    scene.expect(&[Dialling, Failed(Obstacle::Login)]).await;
    scene.handle.redial();
    scene.expect(&[Dialling, Failed(Obstacle::Login)]).await;
    let dials = scene.dials();
    assert!(dials[1] >= 60_000 && dials[2] - dials[1] == 1000, "{dials:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_during_a_dial_that_fails_is_done_right_after_it() {
    let mut scene = Scene::new(&[Obstacle::Unreachable, Obstacle::Refused, Obstacle::Refused]);
    scene.expect(&[Dialling]).await;
    scene.handle.redial();
    scene.expect(&[Failed(Obstacle::Unreachable), Dialling, Failed(Obstacle::Refused)]).await;
    let dials = scene.dials();
    assert!(dials[1] - dials[0] <= 15_000, "at once: {dials:?}");
    scene.expect(&[Dialling]).await;
    let dials = scene.dials();
    assert!(dials[2] - dials[1] >= 1000, "once: {dials:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_approved_is_dialled_with_at_once() {
    let stranger = || Obstacle::Key { key: key(2), channel: false };
    let mut scene = Scene::new(&[stranger()]);
    scene.expect(&[Dialling, Failed(stranger())]).await;
    assert_eq!(scene.pass(30).await, []);
    scene.handle.order(order(22, &[1]));
    assert_eq!(scene.pass(10).await, [], "the same order again changes nothing");
    scene.handle.order(order(22, &[2]));
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.dials()[1], 40_000);
    // It stands on a pinned key: another pin beside it, or another folder, is no reason to let go.
    scene.handle.order(order(22, &[2, 3]));
    let mut folder = order(22, &[2]);
    folder.session.folder = Some("/content".parse().unwrap());
    scene.handle.order(folder);
    assert_eq!(scene.pass(60).await, []);
    // Another place, or a key that is pinned no more, is; and that is no loss.
    scene.handle.order(order(23, &[2]));
    scene.expect(&[Dialling, Online]).await;
    scene.handle.order(order(23, &[1]));
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.dials().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_sleep_broke_is_replaced_without_a_word() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    scene.pass(30).await;
    scene.handle.woke();
    scene.handle.network_changed();
    assert_eq!(scene.pass(30).await, [], "it answers, so it is kept");
    scene.fall_silent();
    scene.handle.woke();
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.answer_after(20);
    scene.expect(&[Dialling, Online]).await;
    assert!(scene.dials()[1] - 60_000 <= 5000, "{:?}", scene.dials());
    // The other side may also say at once that it knows nothing of the connection any more.
    assert_eq!(scene.pass(30).await, []);
    scene.fall_silent();
    scene.handle.network_changed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.answer_after(20);
    scene.hang_up();
    scene.expect(&[Dialling, Online]).await;
    // Once it has answered, an end is an end.
    scene.handle.network_changed();
    assert_eq!(scene.pass(30).await, []);
    scene.hang_up();
    scene.expect(&[Lost(Loss::Closed), Dialling, Online]).await;
}

#[tokio::test(start_paused = true)]
async fn sleep_that_nobody_told_of_is_noticed() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    fn sleepy() -> SystemTime {
        wall() + Duration::from_secs(ASLEEP.load(Ordering::SeqCst))
    }
    let mut scene = Scene::with(&[], sleepy);
    scene.expect(&[Dialling, Online]).await;
    scene.pass(30).await;
    // The server hung up meanwhile.
    ASLEEP.fetch_add(3600, Ordering::SeqCst);
    scene.hang_up();
    scene.expect(&[Dialling, Online]).await;
    scene.pass(30).await;
    // The network is another now.
    ASLEEP.fetch_add(3600, Ordering::SeqCst);
    scene.fall_silent();
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.dials().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn vitals_are_read_while_online_and_only_then() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    scene.pass(95).await;
    let read = scene.world.readings.lock().unwrap().len();
    assert_eq!(read, 4, "at once and after 30, 60 and 90 s");
    scene.next_dials(&vec![Obstacle::Refused; 20]);
    scene.hang_up();
    scene.pass(120).await;
    assert_eq!(scene.world.readings.lock().unwrap().len(), read);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_comes_back_ends_the_wait() {
    let mut scene = Scene::new(&vec![Obstacle::OwnNetwork; 7]);
    scene.pass(70).await;
    let dials = scene.dials().len();
    assert_eq!(dials, 7, "{:?}", scene.dials());
    scene.handle.network_changed();
    scene.expect(&[Dialling, Online]).await;
    assert_eq!(scene.dials().last(), Some(&70_000));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_ends_with_its_handle_and_with_its_listener() {
    let mut scene = Scene::new(&[]);
    scene.expect(&[Dialling, Online]).await;
    scene.handle.stop().await.unwrap();
    let Scene { handle, seen, .. } = Scene::new(&[Obstacle::Refused]);
    drop(seen);
    let WatcherHandle { orders, task } = handle;
    task.await.unwrap();
    drop(orders);
}
