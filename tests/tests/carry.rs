//! SSH carried over a WebSocket by `moorline-proxy`, and by the agent: real ssh and sshd, a stand-in edge.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use moorline_tests::clients::Client;
use moorline_tests::edge::{CloudflareEdge, Failure};
use moorline_tests::processes::{Program, until};
use moorline_tests::tunnels::Cloudflare;
use moorline_tests::{Internet, Story, Watching};
use rustix::process::{Pid, Signal, kill_process};

const HOST: &str = "bright-new-name.trycloudflare.com";

/// A person who follows a runtime behind a Cloudflare tunnel.
fn followed() -> (Story, Internet, CloudflareEdge) {
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let edge = CloudflareEdge::open(&internet, HOST, story.runtime.port());
    add(&story, HOST);
    (story, internet, edge)
}

fn add(story: &Story, host: &str) {
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh {user}@{host}\nhttps://{host}\npassword: {password}\n");
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
}

/// Bytes without a pattern, so that nothing that is lost or moved goes unseen.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

#[test]
fn files_go_both_ways_unharmed_and_pings_are_answered() {
    let (story, _internet, edge) = followed();
    edge.ping_every(Duration::from_millis(20));
    story.all_is_well();
    let sent = noise(9_000_001);
    story.stage.put("work.bin", &sent);
    let scp = |from: &str, to: &str| story.stage.run("scp", &["-q", from, to]);
    let home = story.stage.home_inside().display().to_string();
    scp(&format!("{home}/work.bin"), "colab:there.bin").works("a file goes up");
    let there = std::fs::read(story.runtime.machine().disk().join("there.bin")).expect("it arrived");
    assert!(there == sent, "what arrived is what was sent");
    scp("colab:there.bin", &format!("{home}/back.bin")).works("and comes back");
    assert!(story.stage.get("back.bin") == sent, "what came back is what was sent");
    // A stream without an end of its own, which the far side ends.
    story
        .stage
        .run("ssh", &["colab", "head -c 70000 /dev/zero; exit 3"])
        .fails_with(3, "its status comes through");
    assert!(edge.pongs() > 0, "the edge heard from us");
    for request in edge.requests() {
        assert!(!request.to_ascii_lowercase().contains("cf-access"), "nobody gave a token:\n{request}");
    }
}

/// The edge sends more than fits into all buffers before it reads, and so does whoever writes to it: a side that waits
/// for the other before it reads would wait for ever.
#[test]
fn an_edge_that_pings_and_does_not_read_is_waited_for_and_heard() {
    const UP: usize = 48_000_000;
    let (story, _internet, edge) = followed();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    edge.lead_to(listener.local_addr().expect("a listener has an address").port());
    thread::spawn(move || {
        let (mut visitor, _) = listener.accept().expect("somebody comes");
        visitor.write_all(b"SSH-2.0-").expect("it is greeted");
        let mut taken = vec![0; UP];
        visitor.read_exact(&mut taken).expect("it comes");
        visitor.write_all(if taken == noise(UP) { b"!" } else { b"?" }).expect("it is told");
        // Until it has gone.
        let _ = visitor.read(&mut [0]);
    });
    edge.ping_first(200_000);
    let sent = noise(UP);
    let mut command = story.stage.command("moorline-proxy");
    command.arg("colab").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut proxy = command.spawn().expect("it runs");
    let mut input = proxy.stdin.take().expect("it is piped");
    let writing = thread::spawn(move || input.write_all(&sent).map(|()| input));
    let mut output = proxy.stdout.take().expect("it is piped");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut said = [0; 9];
        tell.send(output.read_exact(&mut said).map(|()| said))
    });
    let said = told.recv_timeout(Duration::from_secs(60)).expect("nothing holds it up").expect("it is said");
    assert_eq!(&said, b"SSH-2.0-!", "all of it arrived");
    drop(writing.join().expect("a thread ends").expect("it is written"));
    assert!(Program::adopt(proxy, "moorline-proxy").wait_in_time("moorline-proxy").success());
    assert!(edge.pongs() > 0, "the edge heard from us");
}

#[test]
fn each_failure_is_named_where_ssh_shows_it() {
    let (mut story, internet, edge) = followed();
    let says = |story: &Story, what: &str, words: &str| {
        let said = story.stage.run("ssh", &["colab", "true"]);
        said.fails(what).says(words);
    };
    for (failure, words) in [
        (Failure::TunnelGone, "1033"),
        (Failure::Forbidden, "403"),
        (Failure::WebSite, "like a web site"),
        (Failure::HangsUp, "hung up before it answered"),
        (Failure::ClosedBehind, "sshd behind it does not"),
    ] {
        edge.fail(failure);
        says(&story, &format!("{failure:?}"), words);
    }
    edge.fail(None);
    edge.protect("b1946ac92492d234.access", "5891b5b522d5df086d0ff0b1");
    says(&story, "Access wants a login", "service-token");
    edge.fail(Failure::TunnelGone);
    Client::OpenSsh.connect(&story.stage, "colab").fails("it is gone for all");
    internet.forget(HOST);
    says(&story, "the name is gone", "finds no way");
    let edge = CloudflareEdge::open(&internet, HOST, story.runtime.port());
    story.runtime.stop();
    says(&story, "sshd is down", "sshd behind it does not answer (502)");
    story.runtime.serve_keys_of(0);
    edge.lead_to(story.runtime.port());
    Client::OpenSsh.connects(&story.stage, "colab");

    let other = Internet::apart(&story.stage.runtime_dir().join("other.pem"));
    story.stage.set_env("SSL_CERT_FILE", other.certificates());
    says(&story, "another authority", "could not prove who it is");
    story.stage.set_env("SSL_CERT_FILE", "/nowhere");
    says(&story, "no authority", "no trusted certificates");
    story.stage.set_env("SSL_CERT_FILE", internet.certificates());
    Client::OpenSsh.connects(&story.stage, "colab");
}

#[test]
fn silence_is_named_before_ssh_gives_up() {
    let (story, _internet, edge) = followed();
    for (failure, words) in
        [(Failure::Silent, "did not answer within 12 s"), (Failure::SilentBehind, "stays silent")]
    {
        edge.fail(failure);
        story.stage.run("ssh", &["colab", "true"]).fails("nothing comes").says(words);
    }
}

#[test]
fn each_failure_becomes_health() {
    let (story, _internet, edge) = followed();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    for (failure, kind) in [
        (Failure::TunnelGone, "tunnel-down"),
        (Failure::ClosedBehind, "sshd-down"),
        (Failure::Forbidden, "way"),
    ] {
        edge.fail(failure);
        edge.cut();
        let down = watching.health("colab", "down");
        assert_eq!(down["health"]["cause"]["kind"], kind, "{failure:?}: {down}");
        watching.notice("dropped");
        edge.fail(None);
        watching.health("colab", "online");
        watching.notice("back");
    }
}

#[test]
fn a_service_token_goes_to_the_host_it_was_given_for_and_to_no_other() {
    let (story, internet, edge) = followed();
    let (id, secret) = ("b1946ac92492d234.access", "5891b5b522d5df086d0ff0b1c2d3e4f5");
    story.stage.hide(secret);
    edge.protect(id, secret);
    Client::OpenSsh.connect(&story.stage, "colab").fails("Access wants something").says("wants a login");
    let set = ["secret", "set", "colab", "service-token"];
    story.stage.moorline_reads(&set, "not-one\n").fails("it is looked at").says("no service token");
    story.stage.moorline_reads(&set, &format!("{id} {secret}\n")).works("it is stored");
    story.all_is_well();
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    watching.interrupt();
    edge.protect(id, "another");
    Client::OpenSsh.connect(&story.stage, "colab").fails("Access says no").says("expired or not allowed");

    let elsewhere = "evil.trycloudflare.com";
    let evil = CloudflareEdge::open(&internet, elsewhere, story.runtime.port());
    add(&story, elsewhere);
    Client::OpenSsh.connects(&story.stage, "colab");
    assert!(!evil.requests().is_empty(), "it was asked");
    for request in evil.requests() {
        assert!(!request.to_ascii_lowercase().contains("cf-access"), "the token stays home:\n{request}");
    }
    story.stage.moorline(&["secret", "delete", "colab", "service-token"]).works("it is deleted");
}

#[test]
fn an_installed_cloudflared_logs_in_where_access_wants_a_person() {
    let (story, _internet, edge) = followed();
    edge.protect("b1946ac92492d234.access", "5891b5b522d5df086d0ff0b1");
    Client::OpenSsh.connect(&story.stage, "colab").fails("nobody can log in");
    let cloudflared = Cloudflare::install(&story.stage);
    cloudflared.only_tunnel(&story.stage, HOST, story.runtime.port());
    story.all_is_well();
    story.stage.moorline(&["repair", "colab", "--yes"]).works("so does the command line");
}

#[test]
fn proxies_of_the_environment_are_honoured() {
    let (story, internet, _edge) = followed();
    internet.wants_login("ada", "let me out");
    story.stage.run("ssh", &["colab", "true"]).fails("the proxy wants a login").says("(407)");
    let address = internet.address();
    story.stage.set_env("HTTPS_PROXY", "");
    story.stage.set_env("ALL_PROXY", format!("http://ada:let%20me%20out@{address}"));
    let asked = internet.asked().len();
    Client::OpenSsh.connects(&story.stage, "colab");
    assert!(internet.asked().len() > asked, "it went through the proxy");
    story.stage.set_env("ALL_PROXY", "http://ada:wrong-one@127.0.0.1:9");
    let refused = story.stage.run("ssh", &["colab", "true"]).fails("no such proxy");
    let refused = refused.says("the proxy 127.0.0.1:9 cannot be used");
    assert!(!refused.stderr.contains("wrong-one"), "its password is not shown:\n{}", refused.stderr);
    story.stage.set_env("NO_PROXY", "trycloudflare.com");
    let straight = story.stage.run("ssh", &["colab", "true"]).fails("this name is in no real DNS");
    // What a name server says of it, if there is one, is not the point.
    let straight = straight.says(HOST);
    assert!(!straight.stderr.contains("the proxy"), "no proxy was asked:\n{}", straight.stderr);
}

/// Without any proxy: the name leads to an address of loopback, where the edge has the port that it has everywhere.
#[test]
fn without_a_proxy_the_edge_is_dialled_itself() {
    let (story, internet, edge) = followed();
    let address = "127.43.43.1:443".parse().expect("an address");
    if internet.listen(HOST, address).is_err() {
        return; // only root may have this port
    }
    story.stage.knows_host("127.43.43.1", HOST);
    story.stage.set_env("HTTPS_PROXY", "");
    let asked = internet.asked().len();
    story.all_is_well();
    assert_eq!(internet.asked().len(), asked, "no proxy was asked");
    assert!(!edge.requests().is_empty());
}

#[test]
fn it_ends_with_either_side_and_at_a_signal() {
    let (story, _internet, edge) = followed();
    let start = || {
        let mut command = story.stage.command("moorline-proxy");
        command.arg("colab").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("moorline-proxy runs")
    };
    let greeted = |child: &mut std::process::Child| {
        let mut greeting = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut greeting).expect("sshd greets");
        assert_eq!(&greeting, b"SSH-2.0-");
    };
    for signal in [Signal::HUP, Signal::TERM] {
        let mut child = start();
        greeted(&mut child);
        // nsenter becomes the program, so this is its own process.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
        let asked = Instant::now();
        kill_process(pid, signal).expect("it can be reached");
        let input = child.stdin.take();
        let status = Program::adopt(child, "moorline-proxy").wait_in_time("moorline-proxy");
        assert!(!status.success(), "{signal:?} ended it: {status}");
        assert!(asked.elapsed() < Duration::from_secs(5), "at once");
        drop(input);
    }
    // ssh closes its end: that is a good end, and the tunnel hears of it.
    let mut child = start();
    greeted(&mut child);
    drop(child.stdin.take());
    assert!(Program::adopt(child, "moorline-proxy").wait_in_time("moorline-proxy").success());
    // The edge goes away.
    let mut child = start();
    greeted(&mut child);
    edge.cut();
    let input = child.stdin.take();
    assert!(Program::adopt(child, "moorline-proxy").wait_in_time("moorline-proxy").success());
    drop(input);
    until("the edge to be rid of all of them", || edge.open_now() == 0);
}
