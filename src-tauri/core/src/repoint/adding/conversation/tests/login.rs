//! How this computer gets in.

use super::*;

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
fn access_that_was_found_for_one_user_counts_for_no_other() {
    let mut play = Play::new(A);
    play.go().say(Answer::Approve(key(1).fingerprint()));
    assert_eq!(play.done().access, Some(Access::Works));
    play.talk.take_text(SecretString::from("ssh -p15873 ada@0.tcp.eu.ngrok.io"), true);
    play.access = Access::Missing;
    play.go().say(Answer::Approve(key(1).fingerprint()));
    assert!(matches!(play.asks(), Question::Login(_)), "it is tried anew");
}
