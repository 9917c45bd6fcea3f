//! Every question, need and reason, and the answer or fact that leads on from it.

use jiff::Timestamp;
use moorline_ssh_files::HostKey;

use super::*;
use crate::adding::matters::Remedy;
use crate::adding::typed_secret::TypedSecret;
use crate::google::EndpointId;
use crate::pins::PinnedKey;
use crate::session::RelayTarget;
use crate::sessions_file::SessionsFile;

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

#[test]
fn where_it_leads_is_asked_until_something_says_so() {
    let mut play = Play::new("");
    assert_eq!(play.asks(), Question::Where { has_password: false, why: Vec::new() });
    let mut play = Play::new("hello");
    let Question::Where { has_password: false, why } = play.asks() else { panic!("where") };
    assert!(why.iter().any(|why| why.contains("where to connect")), "{why:?}");
    // A cell that prints only its password, and then the way.
    let mut play = Play::new("Root password: b7Tq9ZxR2mW4kLp8VnYs");
    let Question::Where { has_password: true, why } = play.asks() else { panic!("the password is kept") };
    assert_eq!(why, Vec::<String>::new(), "the question itself says so");
    play.talk.take_text(SecretString::from(RELAY), false);
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert!(summary.has_password && summary.endpoint == "port 7423 of me@home.example", "{summary:?}");
}

#[test]
fn one_of_several_endpoints_is_chosen() {
    let text = "tcp://0.tcp.ngrok.io:1111\nssh -p 2222 root@bore.pub\n";
    let mut play = Play::new(text);
    let Question::WhichEndpoint { found } = play.asks() else { panic!("which") };
    assert_eq!(found.len(), 2, "{found:?}");
    let bore = found.iter().position(|one| one.contains("bore.pub")).unwrap();
    play.say(Answer::Endpoint(bore));
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!(summary.endpoint, "bore.pub:2222");
}

#[test]
fn a_port_of_this_computer_is_never_guessed() {
    let text = "ssh -p7423 ada@127.0.0.1";
    let mut play = Play::new(text);
    let Question::WhosePort { port, relays } = play.asks() else { panic!("whose") };
    assert!(port.get() == 7423 && relays.is_empty());
    let relay: RelayTarget = "me@relay:2222".parse().unwrap();
    play.say(Answer::Relay(relay));
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!((summary.endpoint.as_str(), summary.user.as_str()), ("port 7423 of me@relay:2222", "ada"));
    let mut play = Play::new(text);
    play.say(Answer::ThisComputer);
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!(summary.endpoint, "127.0.0.1:7423");
}

#[test]
fn a_name_that_is_taken_is_never_shadowed_unasked() {
    let entry = |loose| {
        move |need: &Need| match need {
            Need::Name(name) => {
                let claim = Claim::Entry { file: "config".into(), line: 12 };
                Some(Fact::Name(name.clone(), Some(claim), loose))
            }
            _ => None,
        }
    };
    let mut play = Play::new(A);
    play.fact(entry(false));
    let Question::NameTaken { name, free, by: Taken::Entry { line: 12, loose: false, .. } } = play.asks()
    else {
        panic!("taken")
    };
    // Two entries of one name never do.
    play.say(Answer::TakeName(name.clone()));
    assert!(matches!(play.asks(), Question::NameTaken { .. }));
    play.say(Answer::TakeOver(name));
    assert!(matches!(play.asks(), Question::NameTaken { .. }), "it does not switch checking off");
    play.say(Answer::Name(free.clone()));
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!(summary.name, free);

    let mut play = Play::new(A);
    play.fact(entry(true));
    let Question::NameTaken { name, .. } = play.asks() else { panic!("taken") };
    play.say(Answer::TakeOver(name.clone())).go();
    play.talk.answer(Answer::Approve(key(1).fingerprint()));
    assert_eq!(play.done().take_over, Some(name));

    for claim in [Claim::Pattern { file: "config".into(), line: 3 }, Claim::KnownHost] {
        let mut play = Play::new(A);
        play.fact(|need| match need {
            Need::Name(name) => Some(Fact::Name(name.clone(), Some(claim.clone()), false)),
            _ => None,
        });
        let Question::NameTaken { name, .. } = play.asks() else { panic!("taken") };
        play.say(Answer::TakeName(name));
        assert!(matches!(play.asks(), Question::GoAhead(_)));
    }
}

#[test]
fn nothing_is_dialled_before_the_person_goes_ahead() {
    let mut play = Play::new(A);
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!(summary.diff, "+Host colab");
    assert!(summary.has_password && !summary.has_fingerprint && summary.moves_from.is_none());
    assert!(
        play.needs.iter().all(|need| matches!(need, Need::Name(_) | Need::Preview(_))),
        "files alone: {:?}",
        play.needs
    );
    // Another name is another session: what was said of the one before does not count.
    play.say(Answer::GoAhead { mine_alone: false });
    play.talk.rename("trainer".parse().unwrap());
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead again") };
    assert_eq!(summary.name.as_str(), "trainer");
}

#[test]
fn a_restart_of_the_same_thing_asks_nothing_when_the_text_names_the_key() {
    let text = format!("{NO_PASSWORD}\n256 {} root@x (ED25519)\n", key(1).fingerprint());
    let mut play = Play::of(known(COLAB, &[("colab", key(9))]), &text);
    let decided = play.done();
    assert_eq!(decided.change.keys, [(key(1), Trust::Pasted)]);
    assert_eq!(decided.change.session.link.to_string(), "0.tcp.eu.ngrok.io:15873");
    assert!(
        play.needs.iter().any(|need| matches!(need, Need::StillThere(_))),
        "the old one is looked at first"
    );
}

#[test]
fn another_way_to_a_session_is_gone_ahead_with_first() {
    let mut play = Play::of(known(COLAB, &[("colab", key(9))]), RELAY);
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!(summary.moves_from.as_deref(), Some("root@1.tcp.ngrok.io:1000 (ngrok)"));
}

#[test]
fn a_runtime_that_still_answers_is_left_only_on_purpose() {
    for (old, sure) in [(StillThere::Yes, true), (StillThere::Unsure("no network".to_owned()), false)] {
        let mut play = Play::of(known(COLAB, &[("colab", key(9))]), NO_PASSWORD);
        play.old = old;
        let Question::StillAnswers { at, to, unsure } = play.asks() else { panic!("still") };
        assert_eq!(
            (at.as_str(), to.as_str(), unsure.is_none()),
            ("1.tcp.ngrok.io:1000", "0.tcp.eu.ngrok.io:15873", sure)
        );
        play.say(Answer::Leave);
        assert!(matches!(play.asks(), Question::Key(_)));
    }
}

#[test]
fn a_key_is_asked_about_with_a_line_that_is_enough() {
    let mut play = Play::new(NO_PASSWORD);
    let Question::Key(asked) = play.go().asks() else { panic!("key") };
    assert!(
        asked.line_lets_in && asked.line.contains("authorized_keys") && asked.line.contains("ssh-keygen -lf")
    );
    let mut play = Play::new(A);
    let Question::Key(asked) = play.go().asks() else { panic!("key") };
    assert!(
        !asked.line_lets_in && !asked.line.contains("authorized_keys"),
        "the password lets this computer in"
    );
    assert_eq!(asked.seen, key(1).fingerprint());

    // What proves nothing.
    play.say(Answer::Notebook("no such file".to_owned()));
    let Question::Key(asked) = play.asks() else { panic!("key") };
    assert_eq!(asked.last_text, Some(NoComparison::NoFingerprint));
    play.say(Answer::Notebook(format!("ED25519 key fingerprint is {}.", key(1).fingerprint())));
    let Question::Key(asked) = play.asks() else { panic!("key") };
    assert_eq!(asked.last_text, Some(NoComparison::SeenByClient));

    // Each way to accept it.
    let print = key(1).fingerprint();
    for (answer, trust) in [
        (Answer::Notebook(format!("256 {print} root@x (ED25519)")), Trust::Pasted),
        (Answer::Approve(print), Trust::Approved),
        (Answer::WithoutComparing(print), Trust::FirstUse),
    ] {
        let mut play = Play::new(A);
        play.go().say(answer);
        assert_eq!(play.done().change.keys, [(key(1), trust)]);
    }
}

#[test]
fn an_approval_counts_for_the_key_that_was_shown() {
    let mut play = Play::new(A);
    play.go();
    assert!(matches!(play.asks(), Question::Key(_)));
    play.say(Answer::Approve(key(2).fingerprint()));
    assert_eq!(play.refuses(), Reason::KeyChanged(key(1).fingerprint()));
    play.say(Answer::TryAgain);
    assert!(matches!(play.asks(), Question::Key(_)), "it is compared anew");
}

#[test]
fn the_notebook_may_show_another_key_of_the_same_runtime() {
    let told = Answer::Notebook(format!("256 {} root@x (RSA)", key(2).fingerprint()));
    let mut play = Play::new(A);
    play.go().say(told.clone());
    let Reason::NotTheNamedKey { seen, .. } = play.refuses() else { panic!("another machine") };
    assert_eq!(seen, key(1).fingerprint());
    assert!(play.needs.contains(&Need::OtherKey(vec![key(2).fingerprint()])));

    let mut play = Play::new(A);
    play.go();
    assert!(matches!(play.asks(), Question::Key(_)));
    play.say(told).fact(|need| matches!(need, Need::OtherKey(_)).then(|| Fact::OtherKey(Some(key(2)))));
    assert_eq!(play.done().change.keys, [(key(2), Trust::Pasted)]);
}

#[test]
fn a_text_that_names_another_key_is_never_overruled() {
    let text = format!("{NO_PASSWORD}\n256 {} root@x (ED25519)\n", key(5).fingerprint());
    let mut play = Play::new(&text);
    assert!(matches!(play.go().refuses(), Reason::NotTheNamedKey { .. }));
}

#[test]
fn access_is_asked_for_until_there_is_some_or_it_is_put_off() {
    let asked = |access: Access| {
        let mut play = Play::new(NO_PASSWORD);
        play.access = access;
        play.go();
        assert!(matches!(play.asks(), Question::Key(_)));
        play.say(Answer::Approve(key(1).fingerprint()));
        let Question::Login(login) = play.asks() else { panic!("login") };
        assert!(
            login.line.contains("authorized_keys") && !login.line.contains("ssh-keygen"),
            "{}",
            login.line
        );
        (play, login)
    };
    let (mut play, login) = asked(Access::Missing);
    assert_eq!(login.problem, None);
    play.access = Access::Installed;
    play.say(Answer::Password(TypedSecret::from("word")));
    let decided = play.done();
    assert!(decided.password.is_some() && decided.access == Some(Access::Installed));

    let (mut play, login) = asked(Access::WrongPassword("refused".to_owned()));
    assert_eq!(login.problem.as_deref(), Some("refused"));
    play.access = Access::Works;
    play.say(Answer::LineWasRun);
    assert_eq!(play.done().access, Some(Access::Works));

    let (mut play, _) = asked(Access::Refused("no".to_owned()));
    play.say(Answer::LoginLater);
    assert!(matches!(play.done().access, Some(Access::Refused(_))));

    let (mut play, _) = asked(Access::NotTried("broken".to_owned()));
    play.access = Access::OwnKey;
    let before = play.needs.len();
    play.say(Answer::OwnKey("~/.ssh/id_ed25519".parse().unwrap()));
    let decided = play.done();
    assert_eq!(decided.change.session.identity_file.unwrap().as_str(), "~/.ssh/id_ed25519");
    assert!(
        play.needs[before..].iter().all(|need| matches!(need, Need::Login(_) | Need::Pinning(..))),
        "nothing else is asked or dialled again: {:?}",
        &play.needs[before..]
    );
}

#[test]
fn who_only_looks_logs_in_nowhere_and_makes_no_key() {
    for text in [A, NO_PASSWORD] {
        let mut play = Play::new("");
        play.talk = Conversation::new(Wish { dry_run: true, ..Wish::default() }, known("", &[]));
        play.talk.take_text(SecretString::from(text), false);
        let Question::Key(asked) = play.go().asks() else { panic!("key") };
        assert!(!asked.line_lets_in && asked.line.contains("ssh-keygen -lf"), "{}", asked.line);
        play.say(Answer::Approve(key(1).fingerprint()));
        let decided = play.done();
        assert_eq!((decided.change.keys, decided.access), (vec![(key(1), Trust::Approved)], None));
        assert!(
            !play.needs.iter().any(|need| matches!(need, Need::Login(_) | Need::LoginKey)),
            "neither is needed: {:?}",
            play.needs
        );
    }
}

#[test]
fn a_password_that_was_refused_is_not_kept() {
    let mut play = Play::new(A);
    play.access = Access::WrongPassword("refused".to_owned());
    play.go();
    play.talk.answer(Answer::Approve(key(1).fingerprint()));
    assert!(matches!(play.asks(), Question::Login(_)));
    play.say(Answer::LoginLater);
    assert!(play.done().password.is_none());
}

#[test]
fn a_relay_that_wants_a_password_is_answered() {
    let mut play = Play::new(RELAY);
    play.answers = Err(NotSeen::RelayWantsLogin);
    let Question::RelayLogin { relay, refused: false } = play.go().asks() else { panic!("relay") };
    assert_eq!(relay.to_string(), "me@home.example");
    play.say(Answer::RelayPassword(TypedSecret::from("word")));
    let Question::RelayLogin { refused: true, .. } = play.asks() else { panic!("refused once") };
    play.answers = Ok(Seen { key: key(1), channel: true, channel_failed: None });
    play.say(Answer::RelayPassword(TypedSecret::from("other")));
    let decided = play.done();
    assert_eq!(decided.change.keys, [(key(1), Trust::Channel)], "its channel proves it");
    assert!(decided.relay_password.is_some());
}

#[test]
fn a_session_behind_such_a_relay_is_added_without_its_password() {
    for dry_run in [false, true] {
        let mut play = Play::new("");
        play.talk = Conversation::new(Wish { dry_run, ..Wish::default() }, known("", &[]));
        play.talk.take_text(SecretString::from(RELAY), false);
        play.answers = Err(NotSeen::RelayWantsLogin);
        play.go();
        if !dry_run {
            assert!(matches!(play.asks(), Question::RelayLogin { .. }));
            play.say(Answer::AddAnyway);
        }
        let decided = play.done();
        assert_eq!(decided.unreachable.as_deref(), Some("me@home.example wants a password"));
    }
}

#[test]
fn what_cannot_be_reached_can_be_added_all_the_same() {
    let text = format!("{NO_PASSWORD}\n256 {} root@x (ED25519)\n", key(5).fingerprint());
    let mut play = Play::new(&text);
    play.answers = Err(NotSeen::Other("nobody answers".to_owned()));
    let Question::Unreachable { cause } = play.go().asks() else { panic!("unreachable") };
    assert_eq!(cause, "nobody answers");
    play.say(Answer::TryAgain);
    assert!(matches!(play.asks(), Question::Unreachable { .. }));
    play.say(Answer::AddAnyway);
    let decided = play.done();
    assert_eq!(decided.unreachable.as_deref(), Some("nobody answers"));
    assert_eq!(decided.change.expected, [key(5).fingerprint()], "it is held to that when it can be reached");
    assert!(decided.change.keys.is_empty());
}

#[test]
fn google_s_runtimes_are_found_or_chosen() {
    let text = "Host colab\n  ProxyCommand colab ssh --proxy-mode -s trainer\n";
    let mut play = Play::new(text);
    assert_eq!(play.refuses(), Reason::UnknownGoogleRuntime);
    assert!(play.needs.contains(&Need::GoogleRuntime(Some("trainer".parse().unwrap()))));
    let runtime: EndpointId = "gpu-t4-s-abc".parse().unwrap();
    play.say(Answer::GoogleRuntime(runtime.clone()));
    let Question::GoAhead(summary) = play.asks() else { panic!("go ahead") };
    assert_eq!((summary.link.as_str(), summary.endpoint), ("colab", runtime.to_string()));
}

#[test]
fn what_a_text_gives_and_cannot_be_used_stops_it() {
    let mut play = Play::new("ssh -p15873 'ro ot'@0.tcp.eu.ngrok.io\ntcp://0.tcp.eu.ngrok.io:15873");
    assert!(matches!(play.refuses(), Reason::Unusable(_)));
}

#[test]
fn a_key_that_was_named_besides_and_one_in_the_text_must_agree() {
    let text = format!("{NO_PASSWORD}\n256 {} root@x (ED25519)\n", key(5).fingerprint());
    let wish = Wish { fingerprint: Some(key(1).fingerprint()), ..Wish::default() };
    let mut play = Play::new("");
    play.talk = Conversation::new(wish, known("", &[]));
    play.talk.take_text(SecretString::from(text), false);
    assert!(matches!(play.refuses(), Reason::Unusable(_)));
}

#[test]
fn relays_that_lead_nowhere_are_refused() {
    let two = "[session.colab]\nlink = \"ngrok\"\nhost = \"h\"\nport = 1\n[session.home]\nlink = \"ngrok\"\nhost = \"h\"\nport = 2\n";
    let with = |text: &str, wish: Wish| {
        let mut play = Play::of(known(two, &[]), "");
        play.talk = Conversation::new(wish, known(two, &[]));
        play.talk.take_text(SecretString::from(text), false);
        play.refuses()
    };
    let relay = |host: &str| Some(host.parse::<RelayTarget>().unwrap());
    let wish = Wish { relay: relay("me@home"), name: Some("x".parse().unwrap()), ..Wish::default() };
    assert!(matches!(with("ssh -fNT -R 7423:127.0.0.1:22 me@home", wish.clone()), Reason::RelayIsSession(_)));
    assert!(matches!(with(NO_PASSWORD, wish), Reason::RelayNotNeeded(_)));
    let wish = Wish { mine_alone: true, name: Some("x".parse().unwrap()), ..Wish::default() };
    assert!(matches!(with(NO_PASSWORD, wish), Reason::NoRelay));
}

#[test]
fn files_that_cannot_be_written_are_found_before_anything_is_dialled() {
    let mut play = Play::new(A);
    play.fact(|need| matches!(need, Need::Preview(_)).then(|| Fact::NotWritable("read-only".to_owned())));
    assert_eq!(play.refuses(), Reason::NotWritable("read-only".to_owned()));
}

#[test]
fn an_announcement_that_is_not_to_be_believed_is_refused() {
    let kid = crate::session_key::SessionKey::random(1).unwrap().id();
    let mut play = Play::new(&format!("ml1.{}.abc.def\n{NO_PASSWORD}", kid.as_str()));
    let why = "it is too old".to_owned();
    play.fact(|need| matches!(need, Need::Announcement).then(|| Fact::NotAnnounced(why.clone())));
    assert_eq!(play.refuses(), Reason::Announcement(why));
}

#[test]
fn no_reason_is_a_dead_end() {
    let print = key(1).fingerprint();
    let name = || "colab".parse::<Alias>().unwrap();
    let text = String::new;
    for reason in [
        Reason::Unusable(text()),
        Reason::Announcement(text()),
        Reason::UnknownGoogleRuntime,
        Reason::RelayIsSession("r".parse().unwrap()),
        Reason::RelayNotNeeded(text()),
        Reason::NoRelay,
        Reason::NotWritable(text()),
        Reason::NotTheNamedKey { name: name(), endpoint: text(), seen: print, named: text() },
        Reason::KeyChanged(print),
        Reason::Overtaken(text()),
        Reason::Expired,
    ] {
        assert!(reason.remedies().contains(&Remedy::PasteAgain), "{reason:?}");
    }
}

#[test]
fn an_echo_that_comes_back_edited_keeps_its_password() {
    let mut play = Play::new(A);
    assert!(play.talk.password().is_some());
    let echo = paste::redacted(A);
    play.talk.take_text(SecretString::from(echo), true);
    assert!(play.talk.password().is_some(), "it was read once, and is not in the echo");
    play.talk.start_again(known("", &[]));
    assert!(play.talk.password().is_none(), "thrown away");
}

#[test]
fn a_key_that_ssh_would_refuse_is_found_before_anything_is_sent() {
    let mut play = Play::new(A);
    play.go().say(Answer::Approve(key(1).fingerprint()));
    for _ in 0..16 {
        let Step::Find(need) = play.talk.step(now()) else { panic!("it is needed") };
        let fact = match &need {
            Need::Runtime(_) => Fact::Seen(Seen { key: key(1), channel: false, channel_failed: None }),
            Need::Pinning(_, of) if *of == key(1) => Fact::NotWritable("it is revoked".to_owned()),
            other => panic!("{other:?}"),
        };
        play.talk.learn(&need, fact);
        if matches!(need, Need::Pinning(..)) {
            break;
        }
    }
    assert_eq!(play.refuses(), Reason::NotWritable("it is revoked".to_owned()));
}

#[test]
fn what_was_given_for_one_way_goes_along_to_no_other() {
    // A relay's password, typed for one relay.
    let mut play = Play::new(RELAY);
    play.answers = Err(NotSeen::RelayWantsLogin);
    assert!(matches!(play.go().asks(), Question::RelayLogin { .. }));
    play.say(Answer::RelayPassword(TypedSecret::from("for-home-only")));
    for replaces in [false, true] {
        play.talk.take_text(SecretString::from("ssh -fNT -R 7423:127.0.0.1:22 me@evil.example"), replaces);
        assert!(play.talk.relay_password().is_none(), "replaced: {replaces}");
    }
    // A runtime's, pasted and typed.
    for replaces in [false, true] {
        let mut play = Play::new(A);
        play.talk.take_text(SecretString::from("ssh -p 4444 root@evil.example"), replaces);
        assert!(play.talk.password().is_none(), "pasted; replaced: {replaces}");
        let mut play = Play::new(NO_PASSWORD);
        play.say(Answer::Password(TypedSecret::from("for-this-only")));
        play.talk.take_text(SecretString::from("ssh -p 4444 root@evil.example"), replaces);
        assert!(play.talk.password().is_none(), "typed; replaced: {replaces}");
        // Another user of the same machine is another one, too.
        let mut play = Play::new(A);
        play.talk.take_text(SecretString::from("ssh -p15873 ada@0.tcp.eu.ngrok.io"), replaces);
        assert!(play.talk.password().is_none(), "another user; replaced: {replaces}");
    }
}

#[test]
fn a_relay_that_is_one_s_own_makes_no_other_one_so() {
    let mut play = Play::new(RELAY);
    assert!(matches!(play.asks(), Question::GoAhead(_)));
    play.say(Answer::GoAhead { mine_alone: true });
    play.answers = Ok(Seen { key: key(1), channel: true, channel_failed: None });
    let Link::Relay(link) = play.done().change.session.link else { panic!("a relay") };
    assert!(link.mine_alone);
    play.talk.start_again(known("", &[]));
    play.talk.take_text(SecretString::from("ssh -fNT -R 7423:127.0.0.1:22 me@shared.example"), false);
    play.go();
    let Link::Relay(link) = play.talk.session().unwrap().link else { panic!("a relay") };
    assert!(!link.mine_alone, "nobody said so of this one");
    play.talk.start_again(known("", &[]));
    play.talk.take_text(SecretString::from(NO_PASSWORD), false);
    assert!(matches!(play.asks(), Question::GoAhead(_)), "and no relay is wanted any more");
}

#[test]
fn a_text_does_not_choose_which_session_it_leads_on() {
    let two = format!(
        "{COLAB}[session.trainer]\nlink = \"ngrok\"\nhost = \"2.tcp.ngrok.io\"\nport = 2000\nuser = \"root\"\n"
    );
    let text = format!(
        "Host trainer\n  HostName 4.tcp.ngrok.io\n  Port 4444\n  User root\n256 {} root@x (ED25519)\n",
        key(1).fingerprint()
    );
    let mut play = Play::of(known(&two, &[]), &text);
    let Question::GoAhead(summary) = play.asks() else { panic!("it is asked") };
    assert_eq!((summary.name.as_str(), summary.moves_from.is_some()), ("trainer", true));
}

#[test]
fn leaving_one_session_s_runtime_leaves_no_other_s() {
    let two = format!(
        "{COLAB}[session.trainer]\nlink = \"ngrok\"\nhost = \"2.tcp.ngrok.io\"\nport = 2000\nuser = \"root\"\n"
    );
    let mut play = Play::of(known(&two, &[("colab", key(9)), ("trainer", key(8))]), NO_PASSWORD);
    play.old = StillThere::Yes;
    play.talk.rename("colab".parse().unwrap());
    assert!(matches!(play.asks(), Question::StillAnswers { .. }));
    play.say(Answer::Leave);
    play.talk.rename("trainer".parse().unwrap());
    assert!(matches!(play.asks(), Question::StillAnswers { .. }), "this one was not left");
}

#[test]
fn access_that_was_found_for_one_user_counts_for_no_other() {
    let mut play = Play::new(A);
    play.go().say(Answer::Approve(key(1).fingerprint()));
    assert_eq!(play.done().access, Some(Access::Works));
    play.talk.take_text(SecretString::from("ssh -p15873 ada@0.tcp.eu.ngrok.io"), true);
    play.access = Access::Missing;
    play.go().say(Answer::Approve(key(1).fingerprint()));
    assert!(matches!(play.asks(), Question::Login(_)), "it is tried anew");
}
