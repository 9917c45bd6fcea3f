//! The program that ssh's config names: where it is, what it does without a WebSocket, and the environment's proxies.
#![cfg(target_os = "linux")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;

use moorline_tests::clients::Client;
use moorline_tests::edge::CloudflareEdge;
use moorline_tests::{Internet, Story, Watching};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;

const HOST: &str = "bright-new-name.trycloudflare.com";
/// No real name, and none of this computer.
const FAR: &str = "far.moorline.test";
const COPIES: &str = ".local/share/moorline/bin";

fn followed() -> (Story, Internet, CloudflareEdge) {
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let edge = CloudflareEdge::open(&internet, HOST, story.runtime.port());
    let (user, password) = (story.runtime.user(), story.runtime.password());
    let cell = format!("ssh {user}@{HOST}\nhttps://{HOST}\npassword: {password}\n");
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    (story, internet, edge)
}

/// A person whose session `far` is at a host and port, as one whose key is derived; and `colab`, the same runtime, which
/// ssh dials itself.
fn direct(port: u16) -> (Story, Internet) {
    follow(Story::begin(), FAR, port)
}

fn follow(story: Story, host: &str, port: u16) -> (Story, Internet) {
    let internet = Internet::start(&story.stage);
    story.follow("colab", "127.0.0.1");
    let path = ".config/moorline/config.toml";
    let user = story.runtime.user();
    let far =
        format!("\n[session.far]\nlink = \"direct\"\nhost = \"{host}\"\nport = {port}\nuser = \"{user}\"\n");
    story.stage.put(path, story.stage.text(path) + &far);
    (story, internet)
}

/// Has the proxy lead port 4022 of [`FAR`] to this port here.
fn lead_through(internet: &Internet, target: u16) {
    internet.raw(&format!("{FAR}:4022"), move |mut visitor| async move {
        // Where nobody listens, the visitor is let go.
        if let Ok(mut there) = tokio::net::TcpStream::connect(("127.0.0.1", target)).await {
            let _ = copy_bidirectional(&mut visitor, &mut there).await;
        }
    });
}

/// ssh to the runtime as `colab`, through the proxy of `far`.
fn through(story: &Story) -> moorline_tests::Outcome {
    let command = ["-o", "ProxyCommand=moorline-proxy far", "colab", "head -c 300000 /dev/zero | wc -c"];
    story.stage.run("ssh", &command)
}

#[test]
fn entries_name_the_small_program_and_a_repair_puts_it_back() {
    let (story, _internet, _edge) = followed();
    let at = |name: &str| story.stage.home().join(COPIES).join(name);
    let small = std::fs::read(at("moorline-proxy")).expect("the small one is there");
    let large = std::fs::read(at("moorline")).expect("so is the hub's");
    assert!(small.len() < large.len(), "{} against {} bytes", small.len(), large.len());
    let written = story.stage.text(".ssh/config");
    assert!(written.contains("/bin/moorline-proxy colab\n"), "{written}");
    Client::OpenSsh.connects(&story.stage, "colab");

    std::fs::remove_file(at("moorline-proxy")).expect("it is there");
    story.stage.moorline(&["doctor"]).says("moorline-proxy is gone");
    story.stage.moorline(&["repair", "colab", "--yes"]).works("the program is put back");
    assert!(std::fs::read(at("moorline-proxy")).expect("it is back") == small);
    Client::OpenSsh.connects(&story.stage, "colab");
}

#[test]
fn moorline_under_another_name_needs_the_small_program_beside_it() {
    let (story, _internet, _edge) = followed();
    let copies = story.stage.home().join(COPIES);
    std::fs::remove_dir_all(&copies).expect("the copies can be removed");
    let home = story.stage.home();
    let (alone, beside) = (home.join("ml"), home.join("moorline-proxy"));
    let moorline = moorline_tests::stage::moorline_binary();
    std::fs::copy(&moorline, &alone).expect("moorline can be copied");
    let inside = story.stage.home_inside().join("ml").display().to_string();
    let repair = || story.stage.run(&inside, &["repair", "colab", "--yes"]);
    repair().fails("ssh would have nothing to run").says("moorline-proxy is not beside");
    std::fs::copy(moorline.with_file_name("moorline-proxy"), &beside).expect("so can the small one");
    repair().works("it knows itself, and finds the other");
    for moved in [&alone, &beside] {
        std::fs::remove_file(moved).expect("it is not needed any more");
    }
    Client::OpenSsh.connects(&story.stage, "colab");
}

#[test]
fn what_is_asked_wrongly_is_answered_in_one_line() {
    let (story, _internet, _edge) = followed();
    let says = |arguments: &[&str], status, words: &str| {
        let said = story.stage.run("moorline-proxy", arguments);
        let said = said.fails_with(status, "it is no use").says(words);
        assert_eq!((said.stderr.lines().count(), said.stdout.as_str()), (1, ""), "{said}");
    };
    says(&[], 2, "no name of a session");
    says(&["colab", "twice"], 2, "twice is not understood");
    says(&["--help"], 2, "usage: moorline-proxy NAME");
    says(&["Not_a_name"], 2, "usage: moorline-proxy NAME");
    says(&["nobody"], 1, "there is no session nobody; your sessions: colab");
    let path = ".config/moorline/config.toml";
    let relay = "\n[session.home]\nlink = \"relay\"\nrelay = \"me@home.example\"\nport = 7423\n";
    story.stage.put(path, story.stage.text(path) + relay);
    says(&["home"], 1, "needs no proxy");
}

#[test]
fn a_host_and_port_are_reached_through_the_proxy_of_the_environment() {
    let (story, internet) = direct(4022);
    let sshd = story.runtime.port();
    let missing = through(&story).fails("the proxy does not know it");
    missing.says("finds no way to far.moorline.test (status 502)");
    lead_through(&internet, sshd);
    through(&story).works("it leads there").says("300000");
    assert!(internet.asked().contains(&format!("{FAR}:4022")), "{:?}", internet.asked());
    // The variable for plain HTTP says nothing of what is no HTTP, and what is excepted goes straight.
    story.stage.set_env("HTTP_PROXY", internet.proxy());
    story.stage.set_env("HTTPS_PROXY", "");
    let asked = internet.asked().len();
    through(&story).fails("this name is in no real DNS").says(FAR);
    assert_eq!(internet.asked().len(), asked, "no proxy was asked");
    story.stage.set_env("ALL_PROXY", internet.proxy());
    through(&story).works("the proxy for all");
    internet.wants_login("ada", "let me out");
    through(&story).fails("it wants a login").says("(407)");
    story.stage.set_env("ALL_PROXY", format!("http://ada:let%20me%20out@{}", internet.address()));
    through(&story).works("it is logged in to");
    story.stage.set_env("NO_PROXY", "moorline.test");
    let asked = internet.asked().len();
    through(&story).fails("it is excepted").says(FAR);
    assert_eq!(internet.asked().len(), asked, "no proxy was asked");
}

#[test]
fn the_agent_takes_the_same_way_through_the_proxy_as_ssh() {
    let (story, internet) = direct(4022);
    lead_through(&internet, story.runtime.port());
    // As an announcement leaves it.
    let path = ".local/state/moorline/pins.json";
    let mut pins: Value = serde_json::from_str(&story.stage.text(path)).expect("it is JSON");
    let mut known = pins["sessions"]["colab"]["keys"][0].clone();
    known["trust"] = "derived".into();
    pins["sessions"]["far"] = json!({ "keys": [known] });
    story.stage.put(path, pins.to_string());
    let mut watching = Watching::start(&story.stage);
    watching.health("far", "online");
    watching.event("its entry", |event| event["event"] == "files" && event["session"] == "far");
    assert!(internet.asked().contains(&format!("{FAR}:4022")), "{:?}", internet.asked());
    story.stage.run("ssh", &["far", "true"]).works("ssh goes there as well");
    // What ssh dials itself, the agent dials like ssh.
    let path = ".config/moorline/config.toml";
    let plain = story.stage.text(path).replace("[session.far]", "[session.plain]");
    story.stage.put(path, plain);
    watching.health("plain", "down");
    story.stage.run("ssh", &["plain", "true"]).fails("no proxy is asked");
}

#[test]
fn a_host_and_port_are_reached_through_a_socks_proxy() {
    let (story, _internet) = direct(4022);
    let socks = socks_proxy(story.runtime.port()).expect("loopback has a free port");
    story.stage.set_env("HTTPS_PROXY", "");
    story.stage.set_env("ALL_PROXY", format!("socks5h://127.0.0.1:{socks}"));
    through(&story).works("it leads there").says("300000");
    let (path, nobody) = (".config/moorline/config.toml", "nobody.moorline.test");
    story.stage.put(path, story.stage.text(path).replace(FAR, nobody));
    through(&story)
        .fails("it knows one name alone")
        .says(&format!("the proxy 127.0.0.1:{socks} finds no way"));
    story.stage.set_env("ALL_PROXY", "socks5h://127.0.0.1:9");
    through(&story).fails("there is none").says("the proxy 127.0.0.1:9 cannot be used");
}

/// A SOCKS 5 proxy that takes exactly what RFC 1928 has, without a login, and leads port 4022 of [`FAR`] to this port.
fn socks_proxy(target: u16) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for visitor in listener.incoming().flatten() {
            thread::spawn(move || drop(lead(visitor, target)));
        }
    });
    Ok(port)
}

fn lead(mut visitor: TcpStream, target: u16) -> io::Result<()> {
    let (mut greeting, mut request) = ([0; 3], [0; 5]);
    visitor.read_exact(&mut greeting)?;
    assert_eq!(greeting, [5, 1, 0], "no login is offered, since none was given");
    visitor.write_all(&[5, 0])?;
    visitor.read_exact(&mut request)?;
    assert_eq!(request[..4], [5, 1, 0, 3], "a connection is asked for, by name");
    let mut name = vec![0; usize::from(request[4])];
    visitor.read_exact(&mut name)?;
    let mut port = [0; 2];
    visitor.read_exact(&mut port)?;
    if name != FAR.as_bytes() || u16::from_be_bytes(port) != 4022 {
        return visitor.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let mut there = TcpStream::connect(("127.0.0.1", target))?;
    visitor.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut to) = (visitor.try_clone()?, there.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write)));
    io::copy(&mut there, &mut visitor)?;
    visitor.shutdown(Shutdown::Write)
}

#[test]
fn this_computer_is_never_looked_for_behind_a_proxy() {
    let story = Story::begin();
    let port = story.runtime.port();
    let (story, _internet) = follow(story, "127.0.0.1", port);
    story.stage.set_env("NO_PROXY", "");
    story.stage.set_env("HTTPS_PROXY", "http://127.0.0.1:9");
    let (path, here) = (".config/moorline/config.toml", story.stage.text(".config/moorline/config.toml"));
    for host in ["127.0.0.1", "localhost"] {
        let (session, rest) = here.split_once("[session.far]").expect("it is there");
        let rest = rest.replace("127.0.0.1", host);
        story.stage.put(path, format!("{session}[session.far]{rest}"));
        through(&story).works("no proxy is asked");
    }
    story.stage.put(path, here.replace("127.0.0.1", FAR));
    through(&story).fails("it is for any other").says("the proxy 127.0.0.1:9 cannot be used");
}

#[test]
fn the_far_end_is_told_that_no_more_comes_and_what_it_still_says_arrives() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = listener.local_addr().expect("a listener has an address").port();
    let (story, _internet) = follow(Story::begin(), "127.0.0.1", port);
    let far = thread::spawn(move || {
        let (mut visitor, _) = listener.accept().expect("somebody comes");
        let said = io::read_to_string(&mut visitor).expect("until the end");
        visitor.write_all(said.to_uppercase().as_bytes()).expect("there is an answer");
    });
    let mut command = story.stage.command("moorline-proxy");
    command.arg("far").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"who is there").expect("it listens");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.stdout.as_slice(), output.status.success()), (&b"WHO IS THERE"[..], true));
    far.join().expect("the far end has ended");
}

#[test]
fn a_far_side_that_says_nothing_is_named_within_ssh_s_patience() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let (story, _internet) =
        follow(Story::begin(), "127.0.0.1", listener.local_addr().expect("it has one").port());
    let silent = thread::spawn(move || {
        drop(listener.accept().expect("the first one comes"));
        let held = listener.accept().expect("and the second");
        let mut greeting = Vec::new();
        // Until it is given up.
        let _ = (&held.0).read_to_end(&mut greeting);
    });
    let refused = through(&story).fails("it hangs up at once");
    refused.says("answers but sshd behind it does not").says("run the cell again");
    let refused = through(&story).fails("it stays silent");
    refused.says("stays silent for 12 s").says("run the cell again");
    silent.join().expect("nobody else came");
}
