//! The key that answers.

use super::*;

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
fn a_key_that_was_named_besides_and_one_in_the_text_must_agree() {
    let text = format!("{NO_PASSWORD}\n256 {} root@x (ED25519)\n", key(5).fingerprint());
    let wish = Wish { fingerprint: Some(key(1).fingerprint()), ..Wish::default() };
    let mut play = Play::new("");
    play.talk = Conversation::new(wish, known("", &[]));
    play.talk.take_text(SecretString::from(text), false);
    assert!(matches!(play.refuses(), Reason::Unusable(_)));
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
