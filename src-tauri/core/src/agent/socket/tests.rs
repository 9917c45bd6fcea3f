//! The door against everything that may come to it.
#![cfg(unix)]

mod cells;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use moorline_model::clock;
use moorline_model::settings::NoticeKind;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::*;
use crate::agent::effect::Effect;
use crate::agent::event::What;
use crate::agent::message::{Msg, Request};
use crate::agent::run::{AgentHandle, World, start};
use crate::agent::socket::protocol::{Answer, Call, Role, Said};
use crate::store::dirs::{Dirs, DirsError};
use crate::store::local_socket::{self, DoorError};

/// A world in which nothing happens.
struct Nothing;

impl World for Nothing {
    fn carry_out(&mut self, _effect: Effect) {}
    fn woke(&mut self) {}
    fn network_changed(&mut self) {}
    async fn finish(self) {}
}

struct House {
    home: TempDir,
    dirs: Dirs,
}

impl House {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("door-").tempdir_in("/tmp").unwrap();
        Self { dirs: Dirs::under(home.path()), home }
    }

    fn socket(&self) -> PathBuf {
        self.dirs.runtime.join("agent.sock")
    }

    fn open(&self, limits: Limits) -> (AgentHandle, JoinHandle<()>) {
        let door = Door::open(&self.dirs).unwrap();
        let (agent, _) = start(|_| Nothing, clock::moment);
        (agent.clone(), tokio::spawn(door.serve(agent, limits)))
    }

    async fn raw(&self) -> BufReader<UnixStream> {
        BufReader::new(UnixStream::connect(self.socket()).await.unwrap())
    }
}

const QUICK: Limits = Limits { callers: 2, patience: Duration::from_millis(300) };

async fn tell(stream: &mut BufReader<UnixStream>, line: &str) {
    stream.get_mut().write_all(format!("{line}\n").as_bytes()).await.unwrap();
}

async fn line(stream: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line
}

async fn greeted(house: &House, role: &str) -> BufReader<UnixStream> {
    let mut stream = house.raw().await;
    tell(&mut stream, &format!(r#"{{"protocol":1,"role":"{role}"}}"#)).await;
    assert!(line(&mut stream).await.starts_with(r#"{"say":"welcome","protocol":1,"#));
    stream
}

#[tokio::test]
async fn a_caller_looks_asks_and_follows() {
    let house = House::new();
    let (agent, serving) = house.open(Limits::default());
    let mut caller = Caller::connect(&house.dirs, Role::Cli).await.unwrap().unwrap();
    let Answer::Snapshot(now) = caller.call(Call::Follow).await.unwrap() else { panic!("a snapshot") };
    assert!(now.sessions.is_empty() && now.snoozed_until.is_none());
    caller.ask(Request::Snooze(5)).await.unwrap();
    let Some(Said::Snapshot { snapshot }) = caller.next().await.unwrap() else { panic!("the change") };
    assert!(snapshot.snoozed_until.is_some());
    let gone = Request::Repair("gone".parse().unwrap());
    assert!(caller.ask(gone).await.unwrap_err().to_string().contains("no session gone"));
    caller.call(Call::Events).await.unwrap();
    agent.send(Msg::Unreadable("config.toml, line 3".to_owned())).await.unwrap();
    let Some(Said::Event { event }) = caller.next().await.unwrap() else { panic!("an event") };
    let What::Notice(notice) = event.what else { panic!("{event:?}") };
    assert_eq!(notice.kind, NoticeKind::Needed);
    agent.stop().await;
    assert_eq!(caller.next().await.unwrap(), None, "the agent has ended");
    serving.await.unwrap();
    assert!(!house.socket().exists(), "the socket goes with the agent");
    assert!(Caller::connect(&house.dirs, Role::Cli).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_the_talk_goes_on() {
    let house = House::new();
    let (_agent, _serving) = house.open(Limits::default());
    let mut stream = greeted(&house, "window").await;
    for (said, answer) in [
        (r#"{"id":1,"call":"juggle"}"#, r#"{"say":"refused","id":1,"error":"that is no call"#),
        (r#"{"id":2,"call":"ask","request":{"open":{"name":"-oX"}}}"#, r#"{"say":"refused","id":2,"#),
        ("\u{1}\u{2} what", r#"{"say":"refused","id":null,"error":"that line is no JSON"#),
        ("[]", r#"{"say":"refused","id":null,"#),
        ("", r#"{"say":"refused","id":null,"#),
        (r#"{"id":3,"call":"snapshot"}"#, r#"{"say":"answer","id":3,"answer":{"snapshot":"#),
    ] {
        tell(&mut stream, said).await;
        let heard = line(&mut stream).await;
        assert!(heard.starts_with(answer), "{said} -> {heard}");
    }
    stream.get_mut().write_all(b"\xff\xfe\n").await.unwrap();
    assert!(line(&mut stream).await.starts_with(r#"{"say":"refused""#), "no text at all");
}

#[tokio::test]
async fn a_proxy_looks_and_nothing_else() {
    let house = House::new();
    let (_agent, _serving) = house.open(Limits::default());
    let mut proxy = Caller::connect(&house.dirs, Role::Proxy).await.unwrap().unwrap();
    assert!(matches!(proxy.call(Call::Snapshot).await.unwrap(), Answer::Snapshot(_)));
    assert!(proxy.ask(Request::Reload).await.unwrap_err().to_string().contains("may look"));
}

#[tokio::test]
async fn another_greeting_ends_the_talk() {
    let house = House::new();
    let (_agent, _serving) = house.open(Limits::default());
    for (greeting, says) in [
        (r#"{"protocol":2,"role":"cli"}"#, "speaks protocol 1, not 2"),
        (r#"{"protocol":1,"role":"root"}"#, "must be a greeting"),
        ("GET / HTTP/1.1", "must be a greeting"),
    ] {
        let mut stream = house.raw().await;
        tell(&mut stream, greeting).await;
        assert!(line(&mut stream).await.contains(says), "{greeting}");
        assert_eq!(line(&mut stream).await, "", "and it is over");
    }
}

#[tokio::test]
async fn a_line_without_end_and_a_line_without_haste_end_the_talk() {
    let house = House::new();
    let (_agent, _serving) = house.open(QUICK);
    let mut endless = greeted(&house, "cli").await;
    endless.get_mut().write_all(&vec![b'x'; LINE + 2]).await.unwrap();
    assert!(line(&mut endless).await.contains("longer than 1048576 bytes"));
    let mut rest = Vec::new();
    // The unread rest of the line may come back as a reset; either way it is over.
    let over = endless.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{over:?}");
    drop(endless);

    let mut slow = greeted(&house, "cli").await;
    slow.get_mut().write_all(b"{").await.unwrap();
    assert!(line(&mut slow).await.contains("not finished within"));
    assert_eq!(line(&mut slow).await, "");
    drop(slow);

    let mut silent = house.raw().await;
    assert_eq!(line(&mut silent).await, "", "who does not greet is not waited for");
    greeted(&house, "cli").await;
}

#[tokio::test]
async fn there_are_not_too_many_callers_and_the_place_of_one_who_left_is_free() {
    let house = House::new();
    let (_agent, _serving) = house.open(QUICK);
    let (one, _two) = (greeted(&house, "cli").await, greeted(&house, "cli").await);
    let mut three = house.raw().await;
    assert_eq!(line(&mut three).await, "", "turned away");
    drop(one);
    loop {
        let mut next = house.raw().await;
        // The one that was turned away may already be gone when it greets.
        let told = next.get_mut().write_all(b"{\"protocol\":1,\"role\":\"cli\"}\n").await;
        let mut heard = String::new();
        if told.is_ok() && next.read_line(&mut heard).await.is_ok() && heard.contains("welcome") {
            break;
        }
    }
}

#[tokio::test]
async fn there_is_one_agent_and_a_crash_is_in_nobody_s_way() {
    let house = House::new();
    let first = Door::open(&house.dirs).unwrap();
    let second = Door::open(&house.dirs).unwrap_err();
    let DoorError::AlreadyRunning { process } = &second else { panic!("{second}") };
    assert_eq!(*process, Some(std::process::id()));
    assert!(house.socket().exists(), "the first one's socket is left alone");
    drop(first);

    // What a killed agent leaves: a socket that nobody listens on, and a lock that nobody holds.
    drop(std::os::unix::net::UnixListener::bind(house.socket()).unwrap());
    assert!(house.socket().exists());
    assert!(Caller::connect(&house.dirs, Role::Cli).await.unwrap().is_none(), "nobody is there");
    let again = Door::open(&house.dirs).unwrap();
    drop(again);

    fs::write(house.socket(), "precious").unwrap();
    let refused = Door::open(&house.dirs).unwrap_err().to_string();
    assert!(refused.contains("no socket lies there") && refused.contains("agent.sock"), "{refused}");
    assert_eq!(fs::read(house.socket()).unwrap(), b"precious");
}

#[tokio::test]
async fn the_directory_is_closed_to_others() {
    let house = House::new();
    let mode = || fs::metadata(&house.dirs.runtime).unwrap().permissions().mode() & 0o777;
    drop(Door::open(&house.dirs).unwrap());
    assert_eq!(mode(), 0o700);
    fs::set_permissions(&house.dirs.runtime, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Caller::connect(&house.dirs, Role::Cli).await.unwrap().is_none(), "not trusted");
    drop(Door::open(&house.dirs).unwrap());
    assert_eq!(mode(), 0o700, "it is ours, so it is closed again");
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&house.dirs.runtime, Some(65534), Some(65534)).unwrap();
        let refused = Door::open(&house.dirs).unwrap_err();
        assert!(matches!(refused, DoorError::Dir(DirsError::Foreign(_))), "{refused}");
    }
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_has_another_place() {
    let house = House::new();
    let deep = house.home.path().join("d".repeat(80)).join("e".repeat(40));
    let dirs = Dirs::under(&deep);
    let door = Door::open(&dirs).unwrap();
    let place = local_socket::Place::of(&dirs);
    assert!(place.socket.starts_with("/tmp") && place.socket.exists(), "{}", place.socket.display());
    assert!(place.is_ours());
    assert!(matches!(Door::open(&dirs), Err(DoorError::AlreadyRunning { .. })));
    drop(door);
    let dir = place.socket.parent().unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Door::open(&dirs).unwrap_err();
    assert!(matches!(refused, DoorError::NotPrivate { .. }), "{refused}");
    fs::remove_dir_all(dir).unwrap();
    std::os::unix::fs::symlink(house.home.path(), dir).unwrap();
    let refused = Door::open(&dirs).unwrap_err();
    assert!(matches!(refused, DoorError::NotPrivate { .. }), "a link leads anywhere: {refused}");
    fs::remove_file(dir).unwrap();
}

/// The directory keeps others out; should it ever stand open, the check of who calls does.
#[tokio::test]
async fn another_user_is_turned_away() {
    if !nix::unistd::geteuid().is_root() {
        return; // becoming another user needs root
    }
    let house = House::new();
    let (_agent, _serving) = house.open(Limits::default());
    for dir in house.dirs.runtime.ancestors().take_while(|dir| dir.starts_with(house.home.path())) {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(house.socket(), fs::Permissions::from_mode(0o777)).unwrap();
    let calling = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
        try: s.sendall(b'{\"protocol\":1,\"role\":\"cli\"}\\n'); print(s.recv(100))\n\
        except OSError: print(b'')";
    let call = |user: &'static str| {
        let socket = house.socket();
        tokio::process::Command::new("setpriv")
            .args(["--reuid", user, "--clear-groups", "--", "/usr/bin/python3", "-c", calling])
            .arg(socket)
            .output()
    };
    let own = call("0").await.unwrap();
    assert!(String::from_utf8_lossy(&own.stdout).contains("welcome"), "{own:?}");
    let other = call("65534").await.unwrap();
    assert_eq!(String::from_utf8_lossy(&other.stdout), "b''\n", "{other:?}");
}
