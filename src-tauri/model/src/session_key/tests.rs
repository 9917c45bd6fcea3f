use proptest::prelude::*;

use super::*;

/// The bytes 0 to 31; the expected values were computed with Python's `hmac` and `cryptography`.
const KNOWN: &str = "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn key(text: &str) -> SessionKey {
    text.parse().unwrap()
}

#[test]
fn another_program_derives_the_same() {
    let key = key(KNOWN);
    assert_eq!(key.id().as_str(), "--OZ09tBwwt2");
    assert_eq!(key.topic().expose(), "ml-815Srx6Gd7KTLGkPqH9X5ICG");
    assert_eq!(
        key.host_key().to_string(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYSGUKsTn/8x0Xm5PrYYQPjhjoNODLwFsAyBUlW4Opr"
    );
    assert_eq!(
        key.relay_login_key().to_string(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPONY4zlMzUTUdCfmeVN34V6AqUp8v/ndxDxtZ4PraGc"
    );
    assert_eq!(&key.announcement_key().bytes()[..4], [0x59, 0x5b, 0x6b, 0xef]);
}

#[test]
fn a_new_generation_changes_everything() {
    let (one, two) = (key(KNOWN), key(&KNOWN.replacen("mlk1-1-", "mlk1-2-", 1)));
    assert_eq!(two.id().as_str(), "E6_YTIXtK0hC");
    assert_eq!(two.topic().expose(), "ml-Wg4TULck7ccJkDqVF4GI0S1A");
    assert_eq!(
        two.host_key().to_string(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPymCvM2wzk9lWayHJYnw9Cz3SK6anILckorqGBhwr8v"
    );
    assert_ne!(one.relay_login_key(), two.relay_login_key());
    assert_ne!(one.announcement_key().bytes(), two.announcement_key().bytes());
}

#[test]
fn the_private_texts_are_those_of_the_public_keys() {
    let key = key(KNOWN);
    for (pem, public) in
        [(key.host_key_pem(), key.host_key()), (key.relay_login_pem(), key.relay_login_key())]
    {
        let read = PrivateKey::from_openssh(pem.expose_secret()).unwrap();
        assert_eq!(read.public_key().to_openssh().unwrap().trim(), public.to_string());
    }
}

#[test]
fn a_random_key_reads_back_from_its_text() {
    let key = SessionKey::random(3).unwrap();
    let again: SessionKey = key.text().expose_secret().parse().unwrap();
    assert_eq!((again.generation(), again.id()), (3, key.id()));
    assert_ne!(SessionKey::random(3).unwrap().id(), key.id());
}

#[test]
fn nothing_else_is_a_session_key() {
    let body = &KNOWN[7..];
    let cut = &body[..42];
    for bad in [
        String::new(),
        body.to_owned(),
        format!("mlk2-1-{body}"),
        format!("mlk1--{body}"),
        format!("mlk1-0-{body}"),
        format!("mlk1-01-{body}"),
        format!("mlk1-+1-{body}"),
        format!("mlk1-1234567890-{body}"),
        format!("mlk1-1-{cut}"),
        format!("mlk1-1-{body}="),
        format!("mlk1-1-{body}A"),
        format!(" {KNOWN}"),
        format!("{KNOWN}\n"),
        // The last character has bits that stand for nothing: only one spelling is taken.
        format!("mlk1-1-{cut}9"),
        format!("mlk1-1-{}", body.replace('A', "+")),
    ] {
        assert_eq!(bad.parse::<SessionKey>().err(), Some(InvalidSessionKey), "{bad:?}");
    }
}

#[test]
fn nothing_of_the_key_is_shown() {
    let key = key(KNOWN);
    let shown = format!("{key:?} {:?} {:?} {InvalidSessionKey}", key.topic(), key.announcement_key());
    assert!(!shown.contains("AAEC") && !shown.contains("815S") && !shown.contains("89"), "{shown}");
}

#[test]
fn the_secret_has_a_name_that_notebooks_take() {
    assert_eq!(secret_name(&"gpu.box-2".parse().unwrap()), "MOORLINE_GPU_BOX_2");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(mlk1-)?[0-9]{0,11}-?[A-Za-z0-9_=+/-]{0,60}") {
        if let Ok(key) = text.parse::<SessionKey>() {
            let again = key.text();
            prop_assert_eq!(again.expose_secret(), text.as_str());
        }
    }
}
