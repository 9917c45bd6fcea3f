//! The story of a runtime that announces itself: a session with a session key, and the voice of its runtimes.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::announcer::Announcer;
use crate::clients::Client;
use crate::keys::KeyPair;
use crate::machine::free_port;
use crate::ntfy::Ntfy;
use crate::processes::until;
use crate::relay::Relay;
use crate::runtime::Runtime;
use crate::stage::Stage;
use crate::story::{PERSONS_CONFIG, Story};
use crate::watching::Watching;

/// A session that is followed by its announcements, and the voice of its first runtime.
#[derive(Debug)]
pub struct Scene {
    /// The person, and the machine that drifts.
    pub story: Story,
    /// What the runtime says.
    pub voice: Announcer,
    /// Where it may say it.
    pub ntfy: Ntfy,
    relay: Option<Behind>,
}

/// The relay that the session goes through, and the runtime's port there.
#[derive(Debug)]
struct Behind {
    relay: Relay,
    port: u16,
}

impl Scene {
    /// A session over ngrok with these channels and a session key, whose runtime has not been seen yet; Moorline has
    /// its login key already.
    pub fn begin(channels: &[&str]) -> Self {
        Self::told(Story::begin(), None, channels)
    }

    /// As [`Scene::begin`], where the session goes through a relay that the person said is theirs alone.
    pub fn begin_behind_relay(channels: &[&str]) -> Self {
        let mut story = Story::begin();
        let relay = Relay::start();
        let entry = relay.befriend(&story.stage, "relay");
        story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
        story.person_knows_hosts();
        Self::told(story, Some(Behind { relay, port: free_port() }), channels)
    }

    fn told(mut story: Story, relay: Option<Behind>, channels: &[&str]) -> Self {
        let voice = Announcer::new(&story.stage);
        let ntfy = Ntfy::start();
        story.stage.put("Drive/notes.txt", "something else lies here, too");
        let key = voice.host_key(&story.runtime.machine().keys());
        story.runtime.restart_with(&key);
        let mut scene = Self { story, voice, ntfy, relay };
        scene.configure(&scene.story.stage, channels);
        scene.open_tunnel();
        scene
    }

    /// The session is followed, and its runtime, which announced itself over the ntfy topic, is online.
    pub fn online(channels: &[&str]) -> (Self, Watching) {
        Self::begin(channels).comes_online()
    }

    /// As [`Scene::online`], behind a relay.
    pub fn online_behind_relay(channels: &[&str]) -> (Self, Watching) {
        Self::begin_behind_relay(channels).comes_online()
    }

    fn comes_online(mut self) -> (Self, Watching) {
        let mut watching = Watching::start(&self.story.stage);
        self.listened();
        self.story.cell_authorises_login_key();
        let line = self.line("up");
        self.ntfy.publish(self.voice.topic(), &line);
        watching.health("colab", "online");
        (self, watching)
    }

    /// Another notebook with the same session key runs its cell: its machine, and who announced it over the ntfy topic.
    pub fn another_notebook(&self) -> (Runtime, Announcer) {
        let mut other = Runtime::start();
        let key = self.voice.host_key(&other.machine().keys());
        other.restart_with(&key);
        other.machine().authorise(self.story.stage.text(".ssh/moorline_ed25519.pub").trim_end());
        let mut second = Announcer::with_key(&self.story.stage, self.voice.key());
        second.reborn();
        second.reborn();
        let there = json!([{ "link": "ngrok", "host": "127.0.0.1", "port": other.port() }]);
        let line = second.say("up", &there, other.user());
        self.ntfy.publish(self.voice.topic(), &line);
        (other, second)
    }

    /// What a person's desktop needs to follow the session: its entry, its session key, a login key.
    pub fn configure(&self, stage: &Stage, channels: &[&str]) {
        stage.put(".ssh/notes", "");
        KeyPair::generate(&stage.ssh_dir().join("moorline_ed25519"), "ed25519");
        stage.hide(self.voice.key());
        stage.hide(self.voice.topic());
        let link = match self.relay {
            None => "link = \"ngrok\"\nhost = \"not-yet.invalid\"\nport = 9",
            Some(_) => "link = \"relay\"\nrelay = \"relay\"\nrelay_is_mine_alone = true\nport = 9",
        };
        let list = channels.iter().map(|channel| format!("{channel:?}")).collect::<Vec<_>>().join(", ");
        stage.put(
            ".config/moorline/config.toml",
            format!(
                "version = 1\n\n[session.colab]\n{link}\nuser = \"{}\"\n\
                 channels = [{list}]\nntfy_server = \"{}\"\nannounce_folder = \"{}\"\n",
                self.story.runtime.user(),
                self.ntfy.url(),
                stage.home_inside().join("Drive").display(),
            ),
        );
        let stored = stage.moorline_reads(&["secret", "set", "colab", "session-key"], self.voice.key());
        stored.works("the session key is stored");
    }

    /// The endpoints of the runtime that is there now.
    pub fn here(&self) -> Value {
        match &self.relay {
            None => json!([{ "link": "ngrok", "host": "127.0.0.1", "port": self.story.runtime.port() }]),
            Some(behind) => json!([{ "link": "relay", "port": behind.port }]),
        }
    }

    /// The line that the runtime says now.
    pub fn line(&mut self, kind: &str) -> String {
        let (here, user) = (self.here(), self.story.runtime.user().to_owned());
        self.voice.say(kind, &here, &user)
    }

    /// The runtime is taken away; another one with the same session key is there, at another endpoint, and knows the
    /// login key.
    pub fn another_machine(&mut self) {
        let key = self.voice.host_key(&self.story.runtime.machine().keys());
        self.story.runtime.restart_with(&key);
        self.open_tunnel();
        self.story.cell_authorises_login_key();
        self.voice.reborn();
    }

    /// Another machine announces itself over this channel once the one before is known to be gone. How long it took
    /// from the announcement until `ssh colab true` had worked, and how long that takes ssh by itself.
    ///
    /// # Panics
    /// When it does not work within 40 s.
    pub fn another_is_followed(&mut self, watching: &mut Watching, channel: &str) -> (Duration, Duration) {
        // Waiting for what is believed of the old one is no part of the way of the new.
        self.story.runtime.stop();
        watching.health("colab", "down");
        self.another_machine();
        let line = self.line("up");
        let sent = Instant::now();
        self.sends(channel, &line);
        while !Client::OpenSsh.connect(&self.story.stage, "colab").succeeded() {
            assert!(sent.elapsed() < Duration::from_secs(40), "{channel}: ssh works");
        }
        let took = sent.elapsed();
        watching.health("colab", "online");
        let again = Instant::now();
        Client::OpenSsh.connects(&self.story.stage, "colab");
        (took, again.elapsed())
    }

    /// The runtime says this over a channel that pushes.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn sends(&self, channel: &str, line: &str) {
        match channel {
            "ntfy" => self.ntfy.publish(self.voice.topic(), line),
            "folder" => self.to_folder(line),
            "relay" => self.to_relay(line),
            other => panic!("{other} does not push"),
        }
    }

    /// Somebody who owns the relay has this machine answer on the runtime's port.
    ///
    /// # Panics
    /// When there is no relay.
    pub fn answers_on_relay(&self, attacker: &mut Runtime) {
        let behind = self.relay.as_ref().expect("the session goes through a relay");
        until("the port to be free", || TcpStream::connect(("127.0.0.1", behind.port)).is_err());
        attacker.reverse_tunnel(&behind.relay, "127.0.0.1", behind.port);
    }

    fn open_tunnel(&mut self) {
        let Some(behind) = &mut self.relay else { return };
        behind.port = free_port();
        self.story.runtime.reverse_tunnel(&behind.relay, "127.0.0.1", behind.port);
    }

    /// The line stands in the folder that is kept in step.
    fn to_folder(&self, line: &str) {
        let file = format!("Drive/moorline-{}.txt", self.voice.kid());
        self.story.stage.put_at_once(&file, format!("{line}\n"));
    }

    /// The relay's command for announcements has taken the line.
    fn to_relay(&self, line: &str) {
        let relay = &self.relay.as_ref().expect("the session goes through a relay").relay;
        let file = relay.machine().disk().join(".moorline").join(self.voice.kid());
        until("Moorline to follow the file", || file.exists());
        let mut file = File::options().append(true).open(file).expect("it is there");
        file.write_all(format!("{line}\n").as_bytes()).expect("it is appended");
    }

    /// Waits until Moorline listens to the topic.
    pub fn listened(&self) {
        until("Moorline to listen", || self.ntfy.listeners(self.voice.topic()) == 1);
    }

    /// The person's ssh files.
    pub fn files(&self) -> [Vec<u8>; 2] {
        [self.story.stage.get(".ssh/known_hosts"), self.story.stage.get(".ssh/config")]
    }
}
