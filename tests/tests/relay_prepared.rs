//! A relay that is prepared for a session's runtimes, what is undone there, and what its attackers get.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::io::Read;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use moorline_tests::machine::{Machine, free_port};
use moorline_tests::processes::until;
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::{Relay, Runtime, Story};

const BEGIN: &str = "restrict,port-forwarding,permitlisten=\"127.0.0.1:";

struct Followed {
    story: Story,
    relay: Relay,
    port: u16,
}

impl Followed {
    /// A runtime behind a relay, followed and reached; `more` are further arguments of `moorline add`.
    fn new(more: &[&str]) -> Self {
        let mut story = Story::begin();
        let relay = Relay::start();
        let entry = relay.befriend(&story.stage, "relay");
        story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
        story.person_knows_hosts();
        let port = free_port();
        story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
        let cell = format!("ssh -p{port} {}@127.0.0.1\n", story.runtime.user());
        let arguments = [&["add", "colab", "--relay", "relay"], more].concat();
        story.paste(&arguments, &cell).works("it is added");
        story.cell_authorises_login_key();
        Self { story, relay, port }
    }

    fn authorized_keys(&self) -> String {
        std::fs::read_to_string(self.relay.machine().disk().join(".ssh/authorized_keys")).unwrap_or_default()
    }
}

#[test]
fn a_relay_is_prepared_once_and_cleared_when_the_session_is_forgotten() {
    let followed = Followed::new(&[]);
    let (stage, before) = (&followed.story.stage, followed.authorized_keys());
    let prepared = stage.moorline(&["repair", "colab", "--prepare-relay"]).works("the relay is prepared");
    prepared.says(&format!("127.0.0.1:{}", followed.port)).says("AllowStreamLocalForwarding no");
    let after = followed.authorized_keys();
    let line = after.strip_prefix(&before).expect("every other byte stays");
    assert!(
        line.starts_with(&format!("{BEGIN}{}\",permitopen=\"127.0.0.1:1\",command=\"", followed.port)),
        "{line}"
    );
    assert!(line.contains(" ssh-ed25519 AAAA") && line.ends_with(" moorline:colab\n"), "{line}");
    assert_eq!(line.lines().count(), 1);

    stage.moorline(&["repair", "colab", "--prepare-relay"]).works("a second time").says("was prepared");
    assert_eq!(followed.authorized_keys(), after);
    stage
        .moorline(&["forget", "colab", "--yes"])
        .works("it is undone")
        .says("lets colab's runtimes in no more");
    assert_eq!(followed.authorized_keys(), before);
    let left =
        Command::new("find").arg(followed.relay.machine().disk()).args(["-name", "*moorline*"]).output();
    assert_eq!(
        String::from_utf8_lossy(&left.expect("find runs").stdout),
        "",
        "nothing of ours is left there"
    );
    assert!(!stage.text(".ssh/config").contains("moorline"), "nor here");
}

#[test]
fn a_relay_that_is_out_of_reach_keeps_nobody_from_forgetting() {
    let mut followed = Followed::new(&[]);
    followed.story.stage.moorline(&["repair", "colab", "--prepare-relay"]).works("the relay is prepared");
    let config = followed.story.stage.text(".ssh/config");
    let (port, closed) = (followed.relay.machine().port(), free_port());
    followed.story.person_writes_config(&config.replace(&format!("Port {port}"), &format!("Port {closed}")));
    let forgotten =
        followed.story.stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten all the same");
    forgotten.says("refuses SSH connections").says("remove the line that ends in `moorline:colab`");
    followed.story.stage.moorline(&["status"]).works("nothing is followed").says("No sessions yet");
}

#[test]
fn a_new_session_key_clears_the_relay_that_the_session_went_through_before() {
    let mut followed = Followed::new(&[]);
    let before = followed.authorized_keys();
    followed.story.stage.moorline(&["repair", "colab", "--prepare-relay"]).works("the relay is prepared");
    let (second, port) = (Relay::start(), free_port());
    let entry = second.befriend(&followed.story.stage, "second");
    let config = followed.story.stage.text(".ssh/config");
    followed.story.stage.put(".ssh/config", format!("{entry}\n{config}"));
    followed.story.runtime.reverse_tunnel(&second, "127.0.0.1", port);
    let story = &followed.story;
    let cell = format!("ssh -p{port} {}@127.0.0.1\n", story.runtime.user());
    story.paste(&["add", "colab", "--relay", "second"], &cell).works("it moves to another relay");
    assert_ne!(followed.authorized_keys(), before, "who moves may come back");
    let rotate = ["secret", "new-session-key", "colab", "--rotate"];
    let rotated = story.stage.moorline(&rotate).works("the key is rotated");
    rotated.says("relay lets colab's runtimes in no more");
    assert_eq!(followed.authorized_keys(), before, "whoever has the old key is let in no more");
    let again = story.stage.moorline(&rotate).works("once more");
    assert!(!again.stderr.contains("relay"), "it is remembered no longer: {again:?}");
}

#[test]
fn a_session_without_a_relay_has_none_to_prepare() {
    let story = Story::begin();
    let cell = format!("ssh -p {} {}@127.0.0.1\n", story.runtime.port(), story.runtime.user());
    story.paste(&["add", "colab"], &cell).works("it is added");
    let refused = story.stage.moorline(&["repair", "colab", "--prepare-relay"]).fails("there is no relay");
    refused.says("does not go through a relay");
}

/// Another user of the relay who listens on the runtime's port, with an sshd of their own behind; only root can
/// play that.
fn squat(port: u16, behind: u16) -> Option<Child> {
    let script = "import encodings.idna,os,socket,sys,threading\n\
        os.setuid(65534)\n\
        s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\n\
        s.bind(('127.0.0.1',int(sys.argv[1])));s.listen()\n\
        print('ready',flush=True)\n\
        def pump(a,b):\n\
        \x20while True:\n\
        \x20 d=a.recv(65536)\n\
        \x20 if not d: b.shutdown(1);return\n\
        \x20 b.sendall(d)\n\
        while True:\n\
        \x20c,_=s.accept();u=socket.create_connection(('127.0.0.1',int(sys.argv[2])))\n\
        \x20threading.Thread(target=pump,args=(c,u),daemon=True).start()\n\
        \x20threading.Thread(target=pump,args=(u,c),daemon=True).start()\n";
    if !Machine::takes_passwords() {
        return None;
    }
    let mut child = Command::new("python3")
        .args(["-c", script, &port.to_string(), &behind.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut ready = [0; 6];
    child.stdout.as_mut().expect("it is piped").read_exact(&mut ready).expect("it listens");
    Some(child)
}

/// Nothing of the attacker's came into a file, and nobody tried to log in at the attacker's.
fn the_attacker_got_nothing(followed: &Followed, attacker: &Runtime, known_hosts: &str) {
    let story = &followed.story;
    let key = attacker.host_key().public();
    let ssh = story.stage.run("ssh", &["-o", "BatchMode=yes", "colab", "true"]).fails("ssh refuses the key");
    ssh.says("Host key verification failed");
    assert_eq!(story.stage.text(".ssh/known_hosts"), known_hosts);
    let found =
        Command::new("grep").args(["-rlF", &key]).arg(story.stage.home()).output().expect("grep runs");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "the attacker's key stands nowhere");
    let log = attacker.machine().log();
    assert!(log.contains("Connection"), "the attacker was visited:\n{log}");
    for word in ["Accepted", "password", "publickey", "Postponed"] {
        assert!(!log.contains(word), "somebody tried to log in at the attacker's:\n{log}");
    }
}

#[test]
fn whoever_takes_the_relay_s_port_first_gets_nothing() {
    let mut followed = Followed::new(&["--relay-is-mine-alone"]);
    let known_hosts = followed.story.stage.text(".ssh/known_hosts");
    followed.story.runtime.stop();
    until("the port to be free", || TcpStream::connect(("127.0.0.1", followed.port)).is_err());
    let attacker = Runtime::start();
    let Some(mut squatter) = squat(followed.port, attacker.port()) else { return };
    let repair =
        followed.story.stage.moorline(&["repair", "colab", "--yes"]).fails("nobody vouches for that key");
    repair.says("held by user id 65534");
    the_attacker_got_nothing(&followed, &attacker, &known_hosts);
    squatter.kill().expect("it can be ended");
    squatter.wait().expect("it ends");
}

#[test]
fn whoever_owns_the_whole_relay_gets_nothing() {
    let mut followed = Followed::new(&[]);
    let known_hosts = followed.story.stage.text(".ssh/known_hosts");
    followed.story.runtime.stop();
    until("the port to be free", || TcpStream::connect(("127.0.0.1", followed.port)).is_err());
    // With the person's own login there, so that the port looks like theirs.
    let mut attacker = Runtime::start();
    attacker.reverse_tunnel(&followed.relay, "127.0.0.1", followed.port);
    let repair =
        followed.story.stage.moorline(&["repair", "colab", "--yes"]).fails("nobody vouches for that key");
    repair.says("--fingerprint");
    the_attacker_got_nothing(&followed, &attacker, &known_hosts);
}
