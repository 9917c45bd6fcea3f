//! Every question, need and reason, and the answer or fact that leads on from it.

mod key;
mod login;
mod places;
mod said;

use jiff::Timestamp;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{Link, RelayTarget};
use moorline_ssh_files::HostKey;

use super::*;
use crate::repoint::adding::matters::{
    Access, Answer, Fact, Need, NoComparison, NotSeen, Question, Reason, Remedy, StillThere, Taken,
};
use crate::repoint::adding::typed_secret::TypedSecret;
use crate::store::config_toml::SessionsFile;
use crate::store::pins_json::{PinnedKey, SessionPins};

const A: &str = "SSH command: ssh -p15873 root@0.tcp.eu.ngrok.io\nRoot password: b7Tq9ZxR2mW4kLp8VnYs\n";
const NO_PASSWORD: &str = "ssh -p15873 root@0.tcp.eu.ngrok.io";
const RELAY: &str = "ssh -fNT -R 7423:127.0.0.1:22 me@home.example";

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn known(toml: &str, pinned: &[(&str, HostKey)]) -> Known {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, toml).unwrap();
    let sessions = SessionsFile::load(&path).unwrap().sessions().clone();
    let pins = pinned.iter().map(|(name, key)| {
        let keys = vec![PinnedKey { key: key.clone(), trust: Trust::Approved, learned: now() }];
        (name.parse().unwrap(), SessionPins { keys, ..SessionPins::default() })
    });
    Known { sessions, pins: pins.collect() }
}

const COLAB: &str =
    "[session.colab]\nlink = \"ngrok\"\nhost = \"1.tcp.ngrok.io\"\nport = 1000\nuser = \"root\"\n";

/// A conversation whose world is what a test says; facts that it says nothing of are the usual ones.
struct Play {
    talk: Conversation,
    old: StillThere,
    answers: Result<Seen, NotSeen>,
    access: Access,
    needs: Vec<Need>,
}

impl Play {
    fn of(known: Known, text: &str) -> Self {
        let mut talk = Conversation::new(Wish::default(), known);
        if !text.is_empty() {
            talk.take_text(SecretString::from(text), false);
        }
        let seen = Seen { key: key(1), channel: false, channel_failed: None };
        Self { talk, old: StillThere::No, answers: Ok(seen), access: Access::Works, needs: Vec::new() }
    }

    fn new(text: &str) -> Self {
        Self::of(known("", &[]), text)
    }

    /// The next step that is no need.
    fn next(&mut self) -> Step {
        for _ in 0..32 {
            let need = match self.talk.step(now()) {
                Step::Find(need) => need,
                step => return step,
            };
            let fact = match &need {
                Need::Announcement => Fact::NoAnnouncement,
                Need::GoogleRuntime(_) => Fact::GoogleRuntime(None),
                Need::Name(name) => Fact::Name(name.clone(), None, false),
                Need::Preview(_) => Fact::Preview("+Host colab".to_owned()),
                Need::StillThere(_) => Fact::StillThere(self.old.clone()),
                Need::Runtime(_) => match &self.answers {
                    Ok(seen) => Fact::Seen(seen.clone()),
                    Err(why) => Fact::NotSeen(why.clone()),
                },
                Need::Pinning(..) => Fact::Pinnable,
                Need::LoginKey => Fact::LoginKey("ssh-ed25519 AAAA moorline@here".to_owned()),
                Need::OtherKey(_) => Fact::OtherKey(None),
                Need::Login(_) => Fact::Login(self.access.clone()),
            };
            self.talk.learn(&need, fact);
            self.needs.push(need);
        }
        panic!("it goes round in circles: {:?}", self.needs);
    }

    fn asks(&mut self) -> Question {
        match self.next() {
            Step::Ask(question) => question,
            step => panic!("no question: {step:?}"),
        }
    }

    fn refuses(&mut self) -> Reason {
        match self.next() {
            Step::Refuse(why) => why,
            step => panic!("no refusal: {step:?}"),
        }
    }

    fn done(&mut self) -> Decided {
        match self.next() {
            Step::Done(decided) => *decided,
            step => panic!("not done: {step:?}"),
        }
    }

    fn say(&mut self, answer: Answer) -> &mut Self {
        self.talk.answer(answer);
        self
    }

    fn go(&mut self) -> &mut Self {
        let Question::GoAhead(_) = self.asks() else { panic!("it asks whether to go ahead") };
        self.say(Answer::GoAhead { mine_alone: false })
    }

    fn fact(&mut self, need: impl Fn(&Need) -> Option<Fact>) -> &mut Self {
        for _ in 0..32 {
            let Step::Find(found) = self.talk.step(now()) else { panic!("nothing is needed") };
            if let Some(fact) = need(&found) {
                self.talk.learn(&found, fact);
                return self;
            }
            let usual = match &found {
                Need::Name(name) => Fact::Name(name.clone(), None, false),
                Need::Preview(_) => Fact::Preview(String::new()),
                other => panic!("{other:?}"),
            };
            self.talk.learn(&found, usual);
        }
        panic!("it is never needed");
    }
}
