//! Where it leads, and under which name.

use super::*;

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
