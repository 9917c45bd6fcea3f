//! The stand-in internet itself: programs that know nothing of it reach its hosts and no others.
#![cfg(target_os = "linux")]

use axum::Router;
use axum::routing::get;
use moorline_tests::{Internet, Stage};

/// A client that honours the environment as most do: Python's own, with the system's certificates.
const FETCH: &str =
    "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())";

fn stage() -> Stage {
    Stage::with_program("/bin/true".as_ref())
}

#[test]
fn a_host_is_reached_by_its_name_and_certified() {
    let stage = stage();
    let internet = Internet::start(&stage);
    internet.host("api.ngrok.com", Router::new().route("/endpoints", get(|| async { "none yet" })));
    internet.host("ntfy.sh", Router::new().route("/", get(|| async { "another" })));
    let fetch = |url: &str| stage.run("python3", &["-c", FETCH, url]);
    fetch("https://api.ngrok.com/endpoints").works("the host answers").says("none yet");
    fetch("https://ntfy.sh/").works("each name has its own host").says("another");
    internet.host("ntfy.sh", Router::new().route("/", get(|| async { "moved" })));
    fetch("https://ntfy.sh/").works("the newest has the name").says("moved");
    fetch("https://example.org/").fails("nobody put it there").says("502");
    internet.forget("ntfy.sh");
    fetch("https://ntfy.sh/").fails("it is gone").says("502");
    assert_eq!(
        internet.asked(),
        ["api.ngrok.com", "ntfy.sh", "ntfy.sh", "example.org", "ntfy.sh"],
        "it remembers who was looked for"
    );
}

#[test]
fn its_hosts_prove_their_names_and_its_proxy_may_want_a_login() {
    let stage = stage();
    let internet = Internet::start(&stage);
    let other = Internet::apart(&stage.runtime_dir().join("other.pem"));
    internet.host("ntfy.sh", Router::new().route("/", get(|| async { "reached" })));
    let fetch = || stage.run("python3", &["-c", FETCH, "https://ntfy.sh/"]);
    stage.set_env("SSL_CERT_FILE", other.certificates());
    fetch().fails("another authority does not vouch for it").says("CERTIFICATE_VERIFY_FAILED");
    stage.set_env("SSL_CERT_FILE", internet.certificates());
    internet.wants_login("ada", "let me out");
    fetch().fails("nobody logged in").says("407");
    let address = internet.address();
    stage.set_env("HTTPS_PROXY", format!("http://ada:let%20me%20out@{address}"));
    fetch().works("the proxy lets ada out").says("reached");
}
