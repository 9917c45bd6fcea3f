//! What a failed dial means, as the agent is told it. Pure.

use moorline_model::cause::Obstacle;

use crate::net::connect::ConnectError;
use crate::net::error::CarryError;
use crate::net::google::GoogleError;
use crate::ssh::reach::ReachError;
use crate::ssh::route::RouteError;
use crate::ssh::{IdentityError, LoginError, LoginKeyError, ProbeError, SshFailure, SshRunError};

/// What a probe ran into.
pub fn of_probe(error: &ProbeError) -> Obstacle {
    match error {
        ProbeError::Route(error) => of_route(error),
        ProbeError::ClosedAtOnce => Obstacle::ClosedAtOnce,
        ProbeError::Silent { .. } => Obstacle::Silent,
        ProbeError::NotSsh { .. } => Obstacle::NotSsh,
        ProbeError::KeyExchange { .. } => Obstacle::Other(error.to_string()),
        ProbeError::Proxy { host, failure } => of_proxy(failure, host),
    }
}

/// What a login ran into. `None` for another key than the pinned ones: what to make of that key depends on the
/// link.
pub fn of_login(error: &LoginError) -> Option<Obstacle> {
    Some(match error {
        LoginError::WrongKey { .. } => return None,
        LoginError::Probe(error) => of_probe(error),
        LoginError::WrongPassword | LoginError::PasswordNotOffered { .. } | LoginError::KeyNotTaken => {
            Obstacle::Login
        }
        // The server answered until then: it is there, and does not get on.
        LoginError::TimedOut { .. } => Obstacle::Silent,
        LoginError::NoPinnedKey
        | LoginError::NoSignature { .. }
        | LoginError::NotStored { .. }
        | LoginError::Broken { .. } => Obstacle::Other(error.to_string()),
    })
}

/// What asking the relay ran into.
pub fn of_relay(error: &SshRunError) -> Obstacle {
    match error {
        SshRunError::NotInstalled | SshRunError::Start { .. } => Obstacle::Program(error.to_string()),
        _ => Obstacle::Relay(error.to_string()),
    }
}

/// What finding the way ran into.
pub fn of_reach(error: &ReachError) -> Obstacle {
    match error {
        ReachError::Probe(error) => of_probe(error),
        ReachError::Carry(error) => of_carry(error),
        ReachError::Pins(_) => Obstacle::Other(error.to_string()),
        ReachError::Google(error) => of_google(error),
        ReachError::LoginKey(error) => of_login_key(error),
        ReachError::Identity(error) => of_identity(error),
    }
}

/// Whether this says something of the runtime, and not only of this computer or of what stands in between.
pub fn tells_of_runtime(error: &ReachError) -> bool {
    !matches!(
        of_reach(error),
        Obstacle::OwnNetwork
            | Obstacle::Relay(_)
            | Obstacle::Edge(_)
            | Obstacle::Program(_)
            | Obstacle::Provider(_)
            | Obstacle::Other(_)
    )
}

/// What asking Google ran into.
pub fn of_google(error: &GoogleError) -> Obstacle {
    match error {
        GoogleError::Ended { .. } => Obstacle::Ended { others: Vec::new() },
        other => Obstacle::Provider(other.to_string()),
    }
}

/// What reading this desktop's key ran into.
pub fn of_login_key(error: &LoginKeyError) -> Obstacle {
    Obstacle::Other(error.to_string())
}

/// What reading the person's own key ran into.
pub fn of_identity(error: &IdentityError) -> Obstacle {
    Obstacle::Other(error.to_string())
}

/// Whether a relay did not let us in, so that each further try is one more refused login.
pub fn relay_turned_away(error: &ProbeError) -> bool {
    matches!(error, ProbeError::Proxy { failure, .. } if turns_away(failure))
}

/// As [`relay_turned_away`], of asking the relay itself.
pub fn relay_turned_away_asking(error: &SshRunError) -> bool {
    matches!(error, SshRunError::Ssh { failure, .. } if turns_away(failure))
}

/// Whether this computer's own network could be the reason.
pub fn may_be_own_network(obstacle: &Obstacle) -> bool {
    matches!(
        obstacle,
        Obstacle::NameUnknown
            | Obstacle::Unreachable
            | Obstacle::Silent
            | Obstacle::Relay(_)
            | Obstacle::Program(_)
            | Obstacle::Provider(_)
    )
}

fn of_route(error: &RouteError) -> Obstacle {
    match error {
        RouteError::Connect(error) => of_connect(error),
        RouteError::Start { .. } => Obstacle::Program(error.to_string()),
        RouteError::Carry(error) => of_carry(error),
    }
}

fn of_connect(error: &ConnectError) -> Obstacle {
    match error {
        ConnectError::NameUnknown { .. } => Obstacle::NameUnknown,
        ConnectError::OwnNetwork { .. } => Obstacle::OwnNetwork,
        ConnectError::Refused { .. } => Obstacle::Refused,
        ConnectError::Unreachable { .. } | ConnectError::TimedOut { .. } => Obstacle::Unreachable,
    }
}

/// What an edge said, or what kept it from saying anything.
fn of_carry(error: &CarryError) -> Obstacle {
    match error {
        CarryError::Connect(error) => of_connect(error),
        CarryError::TunnelGone(_) | CarryError::Proxy { no_way: true, .. } => Obstacle::TunnelGone,
        CarryError::OriginDown(_) | CarryError::ColabSshdDown | CarryError::ClosedAtOnce(_) => {
            Obstacle::ClosedAtOnce
        }
        CarryError::TimedOut { .. } | CarryError::Silent { .. } => Obstacle::Silent,
        CarryError::Cut { .. } | CarryError::Status { .. } => Obstacle::Other(error.to_string()),
        CarryError::Proxy { no_way: false, .. }
        | CarryError::NoCertificates(_)
        | CarryError::Tls { .. }
        | CarryError::Odd { .. }
        | CarryError::WantsLogin(_)
        | CarryError::TokenOfAnother { .. }
        | CarryError::Forbidden { .. }
        | CarryError::ColabKey
        | CarryError::ColabExpired
        | CarryError::ColabForbidden
        | CarryError::ColabNoSsh
        | CarryError::ColabTaken(_)
        | CarryError::Vault { .. }
        | CarryError::BadToken(_) => Obstacle::Edge(error.to_string()),
    }
}

fn turns_away(failure: &SshFailure) -> bool {
    matches!(failure, SshFailure::PermissionDenied | SshFailure::HostKeyChanged | SshFailure::HostKeyUnknown)
}

/// What a proxy program says: `ssh -W` to a relay, or cloudflared. All but two of the failures are the way's own.
fn of_proxy(failure: &SshFailure, host: &str) -> Obstacle {
    match failure {
        SshFailure::NothingBehind => Obstacle::NothingBehindRelay,
        // cloudflared says so of a tunnel that is gone and of a sshd that is down.
        SshFailure::BadHandshake => Obstacle::Program(failure.sentence(host, &format!("ssh {host}"))),
        _ => Obstacle::Relay(failure.sentence(host, &format!("ssh {host}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    const AFTER: Duration = Duration::from_secs(15);

    fn host() -> String {
        "h".to_owned()
    }

    #[test]
    fn every_way_to_fail_has_its_name() {
        let connect = |error: ConnectError| ProbeError::Route(RouteError::Connect(error));
        let unreachable =
            ConnectError::Unreachable { host: host(), port: 1, cause: io::ErrorKind::HostUnreachable.into() };
        let table = [
            (connect(ConnectError::NameUnknown { host: host() }), Obstacle::NameUnknown),
            (connect(ConnectError::OwnNetwork { host: host(), cause: String::new() }), Obstacle::OwnNetwork),
            (connect(ConnectError::Refused { host: host(), port: 1 }), Obstacle::Refused),
            (connect(unreachable), Obstacle::Unreachable),
            (connect(ConnectError::TimedOut { host: host(), port: 1, after: AFTER }), Obstacle::Unreachable),
            (ProbeError::ClosedAtOnce, Obstacle::ClosedAtOnce),
            (ProbeError::Silent { after: AFTER }, Obstacle::Silent),
            (ProbeError::NotSsh { said: "HTTP/1.1 400".to_owned() }, Obstacle::NotSsh),
            (
                ProbeError::Proxy { host: host(), failure: SshFailure::NothingBehind },
                Obstacle::NothingBehindRelay,
            ),
        ];
        for (error, obstacle) in table {
            assert_eq!(of_probe(&error), obstacle, "{error}");
            assert_eq!(of_login(&LoginError::Probe(error)), Some(obstacle));
        }
        for failure in [SshFailure::PermissionDenied, SshFailure::HostKeyChanged, SshFailure::Refused] {
            let seen = of_probe(&ProbeError::Proxy { host: host(), failure });
            assert!(matches!(&seen, Obstacle::Relay(said) if said.contains('h')), "{seen:?}");
        }
        let handshake = ProbeError::Proxy { host: host(), failure: SshFailure::BadHandshake };
        assert!(matches!(of_probe(&handshake), Obstacle::Program(said) if said.contains("Cloudflare")));
        let start =
            RouteError::Start { program: "cloudflared".into(), cause: io::ErrorKind::NotFound.into() };
        assert!(
            matches!(of_probe(&ProbeError::Route(start)), Obstacle::Program(said) if said.contains("cloudflared"))
        );
        let exchange = ProbeError::KeyExchange { reason: "odd".to_owned() };
        assert!(matches!(of_probe(&exchange), Obstacle::Other(said) if said.contains("odd")));
    }

    #[test]
    fn a_refused_login_is_no_network_s_fault() {
        assert_eq!(of_login(&LoginError::KeyNotTaken), Some(Obstacle::Login));
        assert_eq!(of_login(&LoginError::TimedOut { after: AFTER }), Some(Obstacle::Silent));
        let broken = LoginError::Broken { cause: "cut".to_owned() };
        assert!(matches!(of_login(&broken), Some(Obstacle::Other(said)) if said.contains("cut")));
        assert!(!may_be_own_network(&Obstacle::Login) && !may_be_own_network(&Obstacle::Refused));
        assert!(may_be_own_network(&Obstacle::NameUnknown) && may_be_own_network(&Obstacle::Unreachable));
    }

    #[test]
    fn a_relay_that_cannot_be_asked_is_told_from_a_missing_ssh() {
        assert!(matches!(of_relay(&SshRunError::NotInstalled), Obstacle::Program(_)));
        let timed_out = SshRunError::TimedOut { host: "relay".to_owned(), after: AFTER };
        assert!(matches!(of_relay(&timed_out), Obstacle::Relay(said) if said.contains("relay")));
    }
}
