//! Learning host keys, and telling what is wrong where there is none to learn: every case produced for real.
#![cfg(unix)]

#[cfg(test)]
mod support;

use std::time::{Duration, Instant};

use moorline_core::net::connect::ConnectError;
use moorline_core::ssh::practice::{PracticeEvent, PracticeOptions, PracticeRuntime};
use moorline_core::ssh::probe::{host_key, host_key_of, host_key_preferring};
use moorline_core::ssh::reach::named_key;
use moorline_core::ssh::{ProbeError, Route, RouteError, SshFailure};
use moorline_model::trust::Evidence;
use moorline_ssh_files::KeyAlgorithm;

use support::{LIMIT, Sshd, block_on, free_port, listen, relay, tcp, web_server};

const SHORT: Duration = Duration::from_millis(700);

fn probe(route: &Route, limit: Duration) -> Result<moorline_ssh_files::HostKey, ProbeError> {
    let started = Instant::now();
    let result = block_on(host_key(route, limit));
    assert!(started.elapsed() < limit + Duration::from_secs(5), "a probe ends within its limit");
    result
}

fn argv(words: &[&str]) -> Route {
    words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>().into()
}

#[test]
fn the_best_key_of_a_real_sshd_is_learned_and_nobody_logs_in() {
    let sshd = Sshd::with(&["rsa", "ecdsa", "ed25519"], "");
    assert_eq!(probe(&sshd.route(), LIMIT).unwrap(), sshd.host_key("ed25519"));
    assert!(!sshd.log().contains("userauth-request"), "no user name was sent: {}", sshd.log());
    for kind in ["ecdsa", "rsa"] {
        let sshd = Sshd::with(&[kind], "");
        assert_eq!(probe(&sshd.route(), LIMIT).unwrap(), sshd.host_key(kind), "{kind}");
    }
}

#[test]
fn each_key_of_a_real_sshd_can_be_asked_for() {
    let sshd = Sshd::with(&["rsa", "ecdsa", "ed25519"], "");
    let of = |sshd: &Sshd, algorithm| block_on(host_key_of(&sshd.route(), algorithm, LIMIT));
    for (algorithm, kind) in
        [(KeyAlgorithm::Ed25519, "ed25519"), (KeyAlgorithm::EcdsaP256, "ecdsa"), (KeyAlgorithm::Rsa, "rsa")]
    {
        assert_eq!(of(&sshd, algorithm).unwrap(), sshd.host_key(kind), "{kind}");
        let first = block_on(host_key_preferring(&sshd.route(), &[algorithm], LIMIT)).unwrap();
        assert_eq!(first, sshd.host_key(kind), "{kind} is preferred");
    }
    let none = of(&sshd, KeyAlgorithm::EcdsaP521);
    assert!(matches!(none, Err(ProbeError::KeyExchange { .. })), "{none:?}");
    let first = block_on(host_key_preferring(&sshd.route(), &[KeyAlgorithm::EcdsaP521], LIMIT)).unwrap();
    assert_eq!(first, sshd.host_key("ed25519"), "a preference rules nothing out");
    assert!(!sshd.log().contains("userauth-request"), "no user name was sent: {}", sshd.log());
}

#[test]
fn a_key_that_was_named_is_found_among_a_server_s_others() {
    let sshd = Sshd::with(&["rsa", "ecdsa", "ed25519"], "");
    let without = Sshd::with(&["rsa", "ecdsa"], "");
    let shown = KeyAlgorithm::Ed25519;
    let find = |sshd: &Sshd, named: &Evidence| block_on(named_key(&sshd.route(), named, shown, LIMIT));
    for kind in ["ecdsa", "rsa"] {
        let key = sshd.host_key(kind);
        let print = Evidence { fingerprints: vec![key.fingerprint()], ..Evidence::default() };
        assert_eq!(find(&sshd, &print), Some(key.clone()), "{kind} by its fingerprint");
        let whole = Evidence { keys: vec![key.clone()], ..Evidence::default() };
        assert_eq!(find(&sshd, &whole), Some(key), "{kind} by its line");
        assert_eq!(find(&without, &print), None, "another server's {kind} key is not it");
        let key = without.host_key(kind);
        let print = Evidence { fingerprints: vec![key.fingerprint()], ..Evidence::default() };
        assert_eq!(find(&without, &print), Some(key), "a server without Ed25519");
    }
}

#[test]
fn a_practice_runtime_shows_its_key_and_another_after_a_restart() {
    let mut runtime = PracticeRuntime::start(PracticeOptions::default()).unwrap();
    let first = probe(&Route::Tcp(runtime.place()), LIMIT).unwrap();
    assert_eq!(&first, runtime.host_key());
    let place = runtime.place();
    runtime.restart().unwrap();
    assert_ne!(runtime.place(), place, "a restart moves the port");
    let second = probe(&Route::Tcp(runtime.place()), LIMIT).unwrap();
    assert_eq!(&second, runtime.host_key());
    assert_ne!(first, second);
    assert_eq!(
        runtime.seen(),
        [PracticeEvent::Connected, PracticeEvent::Connected],
        "nobody tried to log in"
    );
    let gone = probe(&Route::Tcp(place), LIMIT);
    assert!(
        matches!(gone, Err(ProbeError::Route(RouteError::Connect(ConnectError::Refused { .. })))),
        "{gone:?}"
    );
}

#[test]
fn a_name_without_an_address_is_unknown() {
    let place =
        moorline_ssh_files::Place { host: "gone.invalid".parse().unwrap(), port: "22".parse().unwrap() };
    let error = probe(&Route::Tcp(place), LIMIT).unwrap_err();
    // A machine without any name server cannot tell a wrong name from no network.
    assert!(
        matches!(
            error,
            ProbeError::Route(RouteError::Connect(
                ConnectError::NameUnknown { .. } | ConnectError::OwnNetwork { .. }
            ))
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("gone.invalid"), "{error}");
}

#[test]
fn a_closed_port_refuses() {
    let error = probe(&tcp(free_port()), LIMIT).unwrap_err();
    assert!(
        matches!(error, ProbeError::Route(RouteError::Connect(ConnectError::Refused { .. }))),
        "{error:?}"
    );
}

#[test]
fn a_tunnel_without_sshd_closes_at_once() {
    let port = listen(drop);
    let error = probe(&tcp(port), LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::ClosedAtOnce), "{error:?}");
}

#[test]
fn a_relay_that_lost_its_runtime_stays_silent() {
    let port = listen(std::mem::forget);
    let error = probe(&tcp(port), SHORT).unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "{error:?}");
}

#[test]
fn a_full_backlog_times_out() {
    use std::net::{SocketAddr, TcpStream};
    // A listener that never accepts, its queue filled: the kernel drops further connections without an answer.
    let socket =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        held.push(stream);
        assert!(held.len() < 64, "the queue must fill");
    }
    let error = probe(&tcp(address.port()), SHORT).unwrap_err();
    assert!(
        matches!(error, ProbeError::Route(RouteError::Connect(ConnectError::TimedOut { .. }))),
        "{error:?}"
    );
}

#[test]
fn a_web_server_is_no_ssh_server() {
    let error = probe(&tcp(web_server()), LIMIT).unwrap_err();
    assert!(matches!(&error, ProbeError::NotSsh { said } if said == "HTTP/1.1 400 Bad Request"), "{error:?}");
}

#[test]
fn endless_lines_before_a_greeting_are_cut_off() {
    use std::io::Write;
    let port = listen(|mut stream| while stream.write_all(b"\x1b[2Jnoise\r\n").is_ok() {});
    let error = probe(&tcp(port), LIMIT).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ProbeError::NotSsh { .. }), "{error:?}");
    assert!(!text.contains('\x1b') && text.len() < 300, "{text:?}");
}

#[test]
fn a_server_that_greets_and_leaves_failed_its_key_exchange() {
    use std::io::Write;
    let port = listen(|mut stream| stream.write_all(b"SSH-2.0-short\r\n").unwrap_or_default());
    let error = probe(&tcp(port), LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::KeyExchange { .. }), "{error:?}");
}

#[test]
fn a_server_without_a_common_algorithm_is_named_so() {
    let sshd = Sshd::with(&["ed25519"], "KexAlgorithms diffie-hellman-group1-sha1");
    let error = probe(&sshd.route(), LIMIT).unwrap_err();
    assert!(error.to_string().contains("diffie-hellman-group1-sha1"), "{error}");
}

#[test]
fn a_proxy_that_fails_says_why() {
    let error =
        probe(&argv(&["/bin/sh", "-c", "echo tls: unexpected record >&2; exit 1"]), LIMIT).unwrap_err();
    assert!(
        matches!(&error, ProbeError::Proxy { failure: SshFailure::Other(line), .. } if line == "tls: unexpected record"),
        "{error:?}"
    );
    let error = probe(&argv(&["/nowhere/cloudflared"]), LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::Route(RouteError::Start { .. })), "{error:?}");
}

#[test]
fn a_silent_proxy_is_killed_when_the_probe_ends() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let script = format!("echo $$ > '{}'; exec sleep 600", pid_file.display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(host_key(&argv(&["/bin/sh", "-c", &script]), SHORT)).unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "{error:?}");
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let gone = async {
        // Gone, or dead and not yet reaped.
        while std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|s| !s.contains(") Z "))
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    runtime
        .block_on(async { tokio::time::timeout(LIMIT, gone).await })
        .expect("the child must not outlive the probe");
}

#[test]
fn a_key_is_learned_through_a_relay_and_a_dead_tunnel_there_is_named() {
    let (front, behind) = (Sshd::start(), Sshd::start());
    let home = tempfile::tempdir().unwrap();
    let ssh = front.friend(home.path());
    let route = ssh.relay_route(&relay(), behind.port.try_into().unwrap());
    assert_eq!(probe(&route, LIMIT).unwrap(), behind.host_key("ed25519"));

    let nothing = ssh.relay_route(&relay(), free_port().try_into().unwrap());
    let error = probe(&nothing, LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::Proxy { failure: SshFailure::NothingBehind, .. }), "{error:?}");

    let dead_sshd = ssh.relay_route(&relay(), listen(drop).try_into().unwrap());
    let error = probe(&dead_sshd, LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::ClosedAtOnce), "{error:?}");

    std::fs::write(home.path().join(".ssh/known_hosts"), "").unwrap();
    let error = probe(&route, LIMIT).unwrap_err();
    assert!(matches!(error, ProbeError::Proxy { failure: SshFailure::HostKeyUnknown, .. }), "{error:?}");
}
