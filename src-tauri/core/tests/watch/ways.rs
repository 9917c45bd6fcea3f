//! Ways that fall silent, and relays.

use std::time::{Duration, Instant};

use moorline_core::watch::order::Sight::{Dialling, Failed, Lost, Online};
use moorline_model::cause::{Loss, Obstacle};
use moorline_model::session::{Link, RelayLink};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;

use crate::stage::{Home, Way, direct, machine, order, public};
use crate::support::{Sshd, block_on, relay};

#[test]
fn a_connection_that_falls_silent_is_lost_within_twelve_seconds() {
    let home = Home::new();
    let (machine, key) = machine(&home);
    block_on(async {
        let way = Way::to(machine.port()).await;
        let mut watching = home.watch(order(direct(way.port), machine.user(), &[public(&key)]));
        watching.expect(&[Dialling, Online]).await;
        watching.vitals().await;
        way.silence();
        let begun = Instant::now();
        watching.expect(&[Lost(Loss::Silent)]).await;
        let took = begun.elapsed();
        assert!(took > Duration::from_secs(1) && took <= Duration::from_secs(12), "{took:?}");
        watching.expect(&[Dialling, Failed(Obstacle::Silent)]).await;
        assert!(begun.elapsed() <= took + Duration::from_secs(5), "{:?}", begun.elapsed());
        way.recover();
        watching.until(&Online).await;
    });
}

#[test]
fn after_sleep_a_dead_connection_is_replaced_without_a_word() {
    let home = Home::new();
    let (machine, key) = machine(&home);
    block_on(async {
        let (way, user) = (Way::to(machine.port()).await, machine.user());
        let mut watching = home.watch(order(direct(way.port), user, &[public(&key)]));
        watching.expect(&[Dialling, Online]).await;
        // What stood is dead; what is opened now is not.
        way.silence();
        watching.handle.woke();
        way.recover();
        watching.expect(&[Dialling, Online]).await;
    });
}

#[test]
fn a_silent_port_of_a_relay_is_asked_about_and_left_in_peace() {
    let front = Sshd::start();
    let home = Home::on_relay(&front);
    let (machine, key) = machine(&home);
    block_on(async {
        let way = Way::to(machine.port()).await;
        let port = way.port.try_into().unwrap();
        let link = Link::Relay(RelayLink { relay: relay(), port, mine_alone: false });
        let mut watching = home.watch(order(link, machine.user(), &[public(&key)]));
        watching.expect(&[Dialling, Online]).await;
        watching.vitals().await;
        assert_eq!(way.visits(), 1);
        way.silence();
        watching.expect(&[Lost(Loss::Silent), Dialling, Failed(Obstacle::Silent)]).await;
        assert_eq!(way.visits(), 2, "visited once, to see");
        watching.expect(&[Dialling, Failed(Obstacle::Silent), Dialling, Failed(Obstacle::Silent)]).await;
        assert_eq!(way.visits(), 2, "then only the relay is asked");
    });
}

#[test]
fn a_relay_s_own_port_vouches_for_a_new_key_only_where_it_was_declared() {
    let front = Sshd::start();
    let home = Home::on_relay(&front);
    let (machine, key) = machine(&home);
    let stranger = KeyPair::generate(&machine.keys().join("stranger"), "ed25519");
    block_on(async {
        for mine_alone in [true, false] {
            let port = machine.port().try_into().unwrap();
            let link = Link::Relay(RelayLink { relay: relay(), port, mine_alone });
            let mut watching = home.watch(order(link, machine.user(), &[public(&stranger)]));
            let shown = Obstacle::Key { key: public(&key), channel: mine_alone };
            watching.expect(&[Dialling, Failed(shown)]).await;
        }
        let port = free_port().try_into().unwrap();
        let link = Link::Relay(RelayLink { relay: relay(), port, mine_alone: true });
        let mut watching = home.watch(order(link, machine.user(), &[public(&key)]));
        watching.expect(&[Dialling, Failed(Obstacle::NothingBehindRelay)]).await;
        assert!(!machine.log().contains("Accepted"), "{}", machine.log());
    });
}

#[test]
fn a_relay_that_refuses_is_not_taken_for_the_runtime() {
    let front = Sshd::start();
    let home = Home::on_relay(&front);
    std::fs::write(front.authorized_keys(), "").unwrap();
    let (machine, key) = machine(&home);
    block_on(async {
        let port = machine.port().try_into().unwrap();
        let link = Link::Relay(RelayLink { relay: relay(), port, mine_alone: false });
        let mut watching = home.watch(order(link, machine.user(), &[public(&key)]));
        watching.expect(&[Dialling]).await;
        let Failed(Obstacle::Relay(said)) = watching.next().await else { panic!("the relay is named") };
        assert!(said.contains("relay refused the login"), "{said}");
    });
}
