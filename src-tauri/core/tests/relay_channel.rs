//! Announcements that a runtime leaves on a relay, with a real sshd in its place, and how soon they are heard.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moorline_core::announce::channels::{self, Ear, Heard, Post};
use moorline_core::ssh::context::Tools;
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::MemoryVault;
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::session::{Link, RelayLink, Session};
use moorline_model::session_key::SessionKey;
use tokio::sync::mpsc;

use support::{LIMIT, Sshd, block_on, relay};

struct Stage {
    front: Sshd,
    home: tempfile::TempDir,
    post: Post,
}

impl Stage {
    fn new() -> Self {
        let (front, home) = (Sshd::start(), tempfile::tempdir().unwrap());
        let ssh = front.friend(home.path());
        let dirs = Dirs::under(home.path());
        let tools = Tools { dirs, vault: Box::new(MemoryVault::default()), ssh, askpass: None };
        let key = SessionKey::random(1).unwrap();
        let link = RelayLink { relay: relay(), port: "7423".parse().unwrap(), mine_alone: false };
        let session = Session {
            name: "colab".parse().unwrap(),
            link: Link::Relay(link),
            user: "root".parse().unwrap(),
            folder: None,
            identity_file: None,
        };
        let settings = ChannelSettings { channels: vec![ChannelKind::Relay], ..ChannelSettings::default() };
        let post = Post { session, kid: key.id(), topic: key.topic(), settings, tools: Arc::new(tools) };
        Self { front, home, post }
    }

    fn listen(&self) -> (tokio::task::JoinHandle<()>, mpsc::Receiver<(ChannelKind, Heard)>) {
        let (to, heard) = mpsc::channel(4);
        let channel = channels::open(ChannelKind::Relay, &self.post).unwrap();
        (tokio::spawn(channel.listen(Ear::new(ChannelKind::Relay, to))), heard)
    }

    fn line(&self, filling: &str) -> String {
        format!("ml1.{}.{filling}.mac", self.post.kid)
    }

    /// Appends to the file as the relay's one command does.
    fn appears(&self, text: &str) {
        let folder = self.front.home().join(".moorline");
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join(self.post.kid.as_str()))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn followers(&self) -> usize {
        let output =
            Command::new("pgrep").args(["-fc", &format!("tail.*{}", self.post.kid)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

async fn hears(heard: &mut mpsc::Receiver<(ChannelKind, Heard)>, wanted: &str) {
    let (_, next) = tokio::time::timeout(LIMIT, heard.recv()).await.unwrap().unwrap();
    assert_eq!(next, Heard::line(wanted));
}

async fn awaits(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn what_is_announced_is_heard_at_once_and_each_line_once() {
    let stage = Stage::new();
    let (first, noise) = (stage.line("first"), "x".repeat(5000));
    stage.appears(&format!("{first}\n"));
    block_on(async {
        let (task, mut heard) = stage.listen();
        hears(&mut heard, &first).await;
        let mut waits = Vec::new();
        for nth in 0..5 {
            let line = stage.line(&format!("later{nth}"));
            let sent = Instant::now();
            stage.appears(&format!("{noise}\nnot one\n{line}\n"));
            hears(&mut heard, &line).await;
            waits.push(sent.elapsed());
        }
        waits.sort();
        eprintln!("from the file to the ear: {waits:?}");
        assert!(waits[0] < Duration::from_millis(500), "it is pushed, not polled: {waits:?}");

        // The file is cut as the receiving command cuts it.
        let file = stage.front.home().join(".moorline").join(stage.post.kid.as_str());
        let (last, after) = (stage.line("later4"), stage.line("after"));
        std::fs::write(file.with_extension("new"), format!("{last}\n{after}\n")).unwrap();
        std::fs::rename(file.with_extension("new"), &file).unwrap();
        hears(&mut heard, &after).await;
        task.abort();
        awaits("nothing of it to be left", || stage.followers() == 0).await;
    });
}

#[test]
fn a_runtime_s_own_key_is_heard_through_the_person_s_login() {
    use moorline_core::ssh::relay_setup::{RuntimeKey, prepare};
    let stage = Stage::new();
    let key = SessionKey::random(1).unwrap();
    let line = RuntimeKey {
        kid: stage.post.kid.clone(),
        ..RuntimeKey::of(&stage.post.session.name, &key, "7423".parse().unwrap())
    };
    let pem = stage.front.home().join("key");
    secret_file(&pem, &key);
    block_on(async {
        prepare(&stage.post.tools.ssh, &relay(), &line, LIMIT).await.unwrap();
        let (_task, mut heard) = stage.listen();
        awaits("the file to be followed", || stage.followers() > 0).await;
        let sent = Instant::now();
        let announcement = stage.line("announced");
        let mut ssh = Command::new("ssh")
            .args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "IdentitiesOnly=yes", "-p", &stage.front.port.to_string(), "-i"])
            .arg(&pem)
            .arg(format!("{}@127.0.0.1", support::user()))
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(ssh.stdin.take().unwrap(), "{announcement}").unwrap();
        hears(&mut heard, &announcement).await;
        eprintln!("from the runtime's ssh to the ear: {:?}", sent.elapsed());
        assert!(ssh.wait().unwrap().success());
    });
}

fn secret_file(path: &Path, key: &SessionKey) {
    use std::os::unix::fs::OpenOptionsExt;

    use secrecy::ExposeSecret;
    let mut file = std::fs::File::options().create_new(true).write(true).mode(0o600).open(path).unwrap();
    file.write_all(key.relay_login_pem().expose_secret().as_bytes()).unwrap();
}

#[test]
fn a_relay_that_comes_back_is_heard_again() {
    let mut stage = Stage::new();
    block_on(async {
        let (_task, mut heard) = stage.listen();
        awaits("the file to be followed", || stage.followers() > 0).await;
        stage.front.restart();
        awaits("the old connection to be gone", || stage.followers() == 0).await;
        let line = stage.line("back");
        stage.appears(&format!("{line}\n"));
        hears(&mut heard, &line).await;
    });
}

#[test]
fn an_unknown_relay_is_not_listened_to() {
    let stage = Stage::new();
    let known_hosts = stage.home.path().join(".ssh/known_hosts");
    std::fs::write(known_hosts, "").unwrap();
    stage.appears(&format!("{}\n", stage.line("x")));
    block_on(async {
        let (_task, mut heard) = stage.listen();
        awaits("a try", || stage.front.log().contains("Connection closed by")).await;
        assert!(heard.try_recv().is_err());
        assert!(!stage.front.log().contains("Accepted publickey"), "nobody logged in");
    });
}
