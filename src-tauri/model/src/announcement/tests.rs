use moorline_ssh_files::{Place, UserName};
use proptest::prelude::*;

use super::*;
use crate::session_key::SessionKey;

/// Made by another program (Python's `hmac` and `json`) under the key of the bytes 0 to 31.
const KNOWN_KEY: &str = "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const KNOWN: &str = "ml1.--OZ09tBwwt2.eyJ2IjoxLCJraW5kIjoidXAiLCJydW50aW1lIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EdyIsImJvcm4iOjE3OTUwMDAwMDAsInNlcSI6MSwiYXQiOjE3OTUwMDAwMDEsImVuZHBvaW50cyI6W3sibGluayI6Im5ncm9rIiwiaG9zdCI6IjAudGNwLmV1Lm5ncm9rLmlvIiwicG9ydCI6MTU4NzN9XSwidXNlciI6InJvb3QiLCJpbmZvIjp7ImdwdSI6IlRlc2xhIFQ0IiwicmVsZWFzZSI6InJlbGVhc2UtY29sYWIifX0.9MYLZssbYBtR1WS4BVgvX73lf1LgH4Z7BgqOlRlF1tQ";

const BORN: i64 = 1_795_000_000;

fn key() -> SessionKey {
    KNOWN_KEY.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn said(runtime: u8, born: i64, seq: u64, when: i64) -> Announcement {
    let place = Place { host: "0.tcp.eu.ngrok.io".parse().unwrap(), port: 15873.try_into().unwrap() };
    Announcement {
        kid: key().id(),
        kind: Kind::Up,
        runtime: RuntimeId::of([runtime; 16]),
        born: at(born),
        seq,
        at: at(when),
        endpoints: vec![Endpoint::Ngrok(place)],
        user: UserName::root(),
        host_keys: Vec::new(),
        info: Info::default(),
    }
}

fn read(line: &str) -> Result<Announcement, Refusal> {
    open(line, &key().id(), &key().announcement_key())
}

fn sealed(said: &Announcement) -> String {
    seal(said, &key().id(), &key().announcement_key())
}

fn with_body(body: &str) -> Result<Announcement, Refusal> {
    read(&seal_bytes(body.as_bytes(), &key().id(), &key().announcement_key()))
}

#[test]
fn a_line_of_another_program_is_read_and_written_alike() {
    let known = read(KNOWN).unwrap();
    assert_eq!(known.endpoints, said(0, 0, 0, 0).endpoints);
    assert_eq!((known.kind, known.seq, known.born, known.at), (Kind::Up, 1, at(BORN), at(BORN + 1)));
    assert_eq!(known.info.gpu.as_deref(), Some("Tesla T4"));
    assert_eq!(known.runtime.as_str(), "AAECAwQFBgcICQoLDA0ODw");
    assert!(known.host_keys.is_empty(), "derived");
    assert_eq!(sealed(&known), KNOWN);
    assert_eq!(key_id(KNOWN), Ok(key().id()));
}

#[test]
fn every_kind_of_endpoint_and_a_host_key_go_through() {
    let place = Place { host: "h.example".parse().unwrap(), port: 1.try_into().unwrap() };
    let endpoints = vec![
        Endpoint::Direct(place.clone()),
        Endpoint::Relay(7423.try_into().unwrap()),
        Endpoint::Cloudflare("x.trycloudflare.com".parse().unwrap()),
        Endpoint::Ngrok(place),
    ];
    let whole = Announcement { endpoints, host_keys: vec![key().host_key()], ..said(1, BORN, 1, BORN) };
    assert_eq!(read(&sealed(&whole)), Ok(whole));
}

#[test]
fn a_forged_one_is_refused() {
    let other = SessionKey::random(1).unwrap();
    // Somebody who knows the key id, and not the key.
    let forged = seal(&said(1, BORN, 1, BORN), &key().id(), &other.announcement_key());
    assert_eq!(read(&forged), Err(Refusal::Forged));
    // A genuine one whose body was exchanged for another genuine one's.
    let (one, two) = (sealed(&said(1, BORN, 1, BORN)), sealed(&said(1, BORN, 2, BORN)));
    let body_of = |line: &str| line.rsplit_once('.').unwrap().0.to_owned();
    let mac_of = |line: &str| line.rsplit_once('.').unwrap().1.to_owned();
    assert_eq!(read(&format!("{}.{}", body_of(&two), mac_of(&one))), Err(Refusal::Forged));
}

#[test]
fn one_under_another_session_key_is_foreign() {
    let other = SessionKey::random(1).unwrap();
    let line = seal(&said(1, BORN, 1, BORN), &other.id(), &other.announcement_key());
    assert_eq!(read(&line), Err(Refusal::Foreign(other.id())));
    let rotated: SessionKey = KNOWN_KEY.replacen("-1-", "-2-", 1).parse().unwrap();
    let line = seal(&said(1, BORN, 1, BORN), &rotated.id(), &rotated.announcement_key());
    assert_eq!(read(&line), Err(Refusal::Foreign(rotated.id())), "another generation is another key");
}

#[test]
fn a_truncated_one_is_refused_wherever_it_was_cut() {
    for end in 4..KNOWN.len() {
        let cut = read(&KNOWN[..end]).unwrap_err();
        assert!(matches!(cut, Refusal::Truncated | Refusal::Encoding), "cut at {end}: {cut:?}");
    }
    assert_eq!(read("ml1"), Err(Refusal::NotOne));
    assert_eq!(read(&KNOWN[..KNOWN.len() - 1]), Err(Refusal::Truncated));
}

#[test]
fn only_one_spelling_is_taken() {
    let mut padded = KNOWN.to_owned();
    padded.push('=');
    assert_eq!(read(&padded), Err(Refusal::Encoding));
    // The last character of the MAC has two bits that stand for nothing.
    let mut other_bits = KNOWN.to_owned();
    assert_eq!(other_bits.pop(), Some('Q'));
    other_bits.push('R');
    assert_eq!(read(&other_bits), Err(Refusal::Encoding));
    for noise in [format!("{KNOWN}.x"), format!("{KNOWN}\n"), KNOWN.replacen("eyJ", "e+J", 1)] {
        assert_eq!(read(&noise), Err(Refusal::Encoding), "{noise:?}");
    }
    assert_eq!(read(&format!(" {KNOWN}")), Err(Refusal::NotOne));
}

#[test]
fn a_long_one_is_refused_even_if_it_is_genuine() {
    let long = format!("{{\"v\":1,\"pad\":\"{}\"}}", "x".repeat(1600));
    assert_eq!(with_body(&long), Err(Refusal::TooLong));
}

#[test]
fn wrong_fields_are_refused_although_the_key_is_right() {
    let good = r#"{"v":1,"kind":"up","runtime":"AAECAwQFBgcICQoLDA0ODw","born":1,"seq":1,"at":2,"endpoints":[{"link":"direct","host":"h","port":22}],"user":"root"}"#;
    assert!(with_body(good).is_ok());
    for (from, to) in [
        (r#""v":1"#, r#""v":2"#),
        (r#""v":1,"#, ""),
        (r#""up""#, r#""sideways""#),
        ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0OD"),
        ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODx"),
        (r#""born":1"#, r#""born":"1""#),
        (r#""born":1"#, r#""born":999999999999999"#),
        (r#""seq":1"#, r#""seq":-1"#),
        (r#""seq":1"#, r#""seq":1,"seq":2"#),
        (r#""host":"h""#, r#""host":"-oProxyCommand=x""#),
        (r#""host":"h""#, r#""host":"$(id)""#),
        (r#""host":"h""#, r#""host":"h\nHost *""#),
        (r#""port":22"#, r#""port":0"#),
        (r#""port":22"#, r#""port":65536"#),
        (r#""port":22"#, r#""port":22,"relay":"evil.example""#),
        (r#""link":"direct""#, r#""link":"websocat""#),
        (r#""user":"root""#, r#""user":"root;id""#),
        (r#""user":"root""#, r#""user":"root","run":"id""#),
        (r#""user":"root""#, r#""user":"root","host_keys":["ssh-ed25519 AAAA"]"#),
        (r#""user":"root""#, r#""user":"root","info":{"gpu":"a\u0007b"}"#),
        ("}", ""),
    ] {
        assert!(good.contains(from), "{from}");
        let refused = with_body(&good.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(refused, Refusal::Body(_)), "{to}: {refused:?}");
        assert!(!refused.to_string().contains('\n'), "{refused}");
    }
}

#[test]
fn a_first_one_is_accepted_and_never_again() {
    let first = said(1, BORN, 5, BORN + 10);
    let kept = accept(None, &first, at(BORN + 11)).unwrap();
    assert_eq!(accept(Some(&kept), &first, at(BORN + 12)), Err(Refusal::Known));
    let earlier = said(1, BORN, 4, BORN + 11);
    assert_eq!(accept(Some(&kept), &earlier, at(BORN + 12)), Err(Refusal::Replayed));
    assert_eq!(accept(Some(&kept), &said(1, BORN, 6, BORN + 11), at(BORN + 12)).unwrap().seq, 6);
}

#[test]
fn what_was_accepted_under_another_session_key_holds_nothing_back() {
    let rotated: SessionKey = KNOWN_KEY.replacen("-1-", "-2-", 1).parse().unwrap();
    let stolen = Announcement { seq: u64::MAX, ..said(1, BORN, 1, BORN) };
    let kept = accept(None, &stolen, at(BORN)).unwrap();
    assert_eq!(accept(Some(&kept), &said(1, BORN, 7, BORN), at(BORN)), Err(Refusal::Replayed));
    let under_new = Announcement { kid: rotated.id(), ..said(1, BORN, 7, BORN) };
    let now_kept = accept(Some(&kept), &under_new, at(BORN)).unwrap();
    assert_eq!(accept(Some(&now_kept), &under_new, at(BORN)), Err(Refusal::Known));
}

#[test]
fn an_older_runtime_never_comes_back() {
    let kept = accept(None, &said(2, BORN, 1, BORN), at(BORN)).unwrap();
    for born in [BORN - 1, BORN] {
        let other = said(1, born, 99, BORN + 5);
        assert_eq!(accept(Some(&kept), &other, at(BORN + 6)), Err(Refusal::Older), "born {born}");
    }
    let newer = accept(Some(&kept), &said(3, BORN + 1, 1, BORN + 5), at(BORN + 6)).unwrap();
    assert_eq!(newer.runtime, RuntimeId::of([3; 16]));
}

#[test]
fn it_counts_for_a_day_and_five_minutes_ahead() {
    let day = 24 * 3600;
    let said = said(1, BORN, 1, BORN);
    assert!(accept(None, &said, at(BORN + day)).is_ok());
    assert_eq!(accept(None, &said, at(BORN + day + 1)), Err(Refusal::Old(at(BORN))));
    assert!(accept(None, &said, at(BORN - 300)).is_ok());
    assert_eq!(accept(None, &said, at(BORN - 301)), Err(Refusal::Future(at(BORN))));
    let unborn = Announcement { born: at(BORN + 1), ..said };
    assert_eq!(accept(None, &unborn, at(BORN)), Err(Refusal::BornLater));
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in "(ml1\\.)?[A-Za-z0-9_.=\\n-]{0,300}|\\PC{0,80}") {
        let _ = read(&line);
        let _ = key_id(&line);
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(place in 0..KNOWN.len(), byte in 0x20_u8..0x7f) {
        let mut line = KNOWN.as_bytes().to_vec();
        prop_assume!(line[place] != byte);
        line[place] = byte;
        prop_assert!(read(std::str::from_utf8(&line).unwrap()).is_err());
    }

    #[test]
    fn nothing_is_accepted_twice_in_any_order(order in prop::collection::vec((0_u8..3, 1_u64..6), 1..40)) {
        let mut kept: Option<Accepted> = None;
        let mut seen = Vec::new();
        for (runtime, seq) in order {
            let one = said(runtime, BORN + i64::from(runtime), seq, BORN + 100);
            if let Ok(next) = accept(kept.as_ref(), &one, at(BORN + 101)) {
                prop_assert!(!seen.contains(&(runtime, seq)), "twice");
                prop_assert!(kept.is_none_or(|kept| (kept.born, kept.seq) < (next.born, next.seq) || kept.born < next.born));
                seen.push((runtime, seq));
                kept = Some(next);
            }
        }
    }
}
