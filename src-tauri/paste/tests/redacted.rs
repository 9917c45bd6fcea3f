//! A pasted text as it may be shown again: no secret of any kind of text survives, and what is left reads as before.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use moorline_paste::{Doubt, REDACTED, read, read_all, redacted};
use proptest::prelude::*;

/// Every secret of the fixtures.
const SECRETS: [&str; 5] = [
    "b7Tq9ZxR2mW4kLp8VnYs",
    "hV4wq9TzLm2x",
    "nR8sKd3vQx",
    "hunter2hunter2",
    "zH7nV2kQ9xJ4mC8tB1wLpR6yD3sG5fA0uEiOqNbXvTc",
];

fn fixtures() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["ways", "paste"] {
        let folder = format!("{}/tests/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            all.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
        }
    }
    all.sort();
    all
}

/// Neither the shown text nor any sentence or debug text holds one of these secrets, and nothing is found or doubted in
/// the shown text that was not before.
#[track_caller]
fn keeps(name: &str, text: &str, secrets: &[&str]) {
    let shown = redacted(text);
    let (before, after) = (read(text), read(&shown));
    assert_eq!(after.link, before.link, "{name}: {shown}");
    assert!(after.findings.iter().all(|f| !format!("{}", f.what).contains("password")), "{name}: {shown}");
    for doubt in &after.doubts {
        let lacks = *doubt == Doubt::NothingFound && before.doubts.contains(&Doubt::OnlyPassword);
        assert!(lacks || before.doubts.contains(doubt) || text == shown, "{name}: {doubt} of {shown}");
    }
    assert_eq!(redacted(&shown), shown, "{name}");
    let both = read_all(&[text, &shown]);
    let mut told = vec![shown, format!("{before:?}"), format!("{both:?}")];
    told.extend(before.doubts.iter().map(ToString::to_string));
    told.extend(before.notices.iter().map(ToString::to_string));
    told.extend(before.findings.iter().map(|finding| finding.what.to_string()));
    for (secret, told) in secrets.iter().flat_map(|secret| told.iter().map(move |told| (secret, told))) {
        assert!(!told.contains(secret), "{name} shows {secret}: {told}");
    }
}

#[test]
fn no_secret_of_a_fixture_survives() {
    let all = fixtures();
    for secret in SECRETS {
        assert!(all.iter().any(|(_, text)| text.contains(secret)), "no fixture holds {secret}");
    }
    for (name, text) in &all {
        keeps(name, text, &SECRETS);
        let saved: String = text
            .lines()
            .flat_map(|line| [serde_json::Value::from(format!("{line}\n")).to_string(), ",\n".to_owned()])
            .collect();
        keeps(&format!("{name} in .ipynb"), &saved, &SECRETS);
        keeps(&format!("{name} with CRLF"), &text.replace('\n', "\r\n"), &SECRETS);
    }
}

#[test]
fn what_is_left_can_be_read() {
    let text = "SSH command: ssh -p15873 root@0.tcp.eu.ngrok.io\nRoot password: b7Tq9ZxR2mW4kLp8VnYs\n";
    assert_eq!(
        redacted(text),
        format!("SSH command: ssh -p15873 root@0.tcp.eu.ngrok.io\nRoot password: {REDACTED}\n")
    );
    assert_eq!(redacted("nothing here\r\n"), "nothing here\r\n");
}

#[test]
fn passwords_that_lost_or_hide_are_redacted_too() {
    for text in [
        "Root password: s3cretWord\nRoot password: s3cretWord2\nssh -p 4001 root@vm.example.org",
        "colab password: s3cretWord\nssh -p 4001 root@vm.example.org",
        "VNC password: s3cretWord",
        "http://x.example/?password=s3cretWord",
        "ssh://root:s3cretWord@vm.example.org:4001",
        "password: s3cretWord\u{202e}x",
        "password: s3cretWord\nssh -p s3cretWord root@vm.example.org",
        "pass\u{1b}[1mword: s3cret\u{1b}[0mWord",
        "Root password: <b>s3cretWord</b>",
        "{\"password\": \"s3cretWord\\u0021x\"}",
        "{\"msg\": \"done\\nRoot password: s3cretWord\\n\"}",
        "sshpass -p s3cretWord \\\n  ssh -p 4001 root@vm.example.org",
        "w = 's3cretWord'\n!echo root:$w | chpasswd",
        "launch_ssh('s3cretWord')",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cretWord\n-----END OPENSSH PRIVATE KEY-----\n",
    ] {
        let shown = redacted(text);
        assert!(!shown.contains("s3cret"), "{text:?}: {shown:?}");
        let after = read(&shown);
        assert!(after.password.is_none(), "{text:?}: {shown:?}");
        let refused = |d: &Doubt| matches!(d, Doubt::Refused { .. });
        assert!(!after.doubts.iter().any(refused), "{text:?}: {:?}", after.doubts);
    }
}

#[test]
fn a_short_password_takes_nothing_else_along() {
    assert_eq!(
        redacted("Root password: root\nssh -p 4001 me@vm.example.org"),
        format!("Root password: {REDACTED}\nssh -p 4001 me@vm.example.org")
    );
    assert_eq!(redacted("Root password: a1\nbanana1 a12"), format!("Root password: {REDACTED}\nbanana1 a12"));
}

#[test]
fn a_text_that_is_too_long_is_not_shown() {
    assert_eq!(redacted(&"Root password: s3cretWord\n".repeat(20_000)), REDACTED);
}

/// Texts that make careless reading or replacing quadratic; the limit only has to tell it from minutes.
#[test]
fn no_text_makes_redacting_slow() {
    let begun = busy();
    let numbered: String =
        (0..2_900).flat_map(|n| ["Root password: ".to_owned(), format!("{n:06}\n")]).collect();
    let few: String =
        (0..2_900).flat_map(|n| ["Root password: ".to_owned(), format!("{:06}\n", n % 32)]).collect();
    let mut texts = vec![numbered, few];
    for piece in [
        "ssh a@b.cd\nssh -p1 root@127.0.0.1\n",
        "sshpass -p abcdefg1 ssh -R 1:localhost:22 a@b\n",
        "!echo ssh-ed25519 AAAA >> x\n",
        "launch_ssh('abcdefg1', (\n",
        "import a\na='b'\n{a}$a",
        "password=\"",
    ] {
        texts.push(piece.repeat(moorline_paste::LONGEST / 4 / piece.len()));
    }
    for text in texts {
        assert!(!redacted(&text).contains("abcdefg1"));
    }
    // In processor time: a machine that is busy elsewhere makes nothing slow.
    let took = busy().saturating_sub(begun);
    assert!(took.as_secs() < 120, "{took:?}");
}

/// The processor time that this thread has used (`/proc/thread-self/schedstat`: nanoseconds first); on other systems what
/// the clock says.
fn busy() -> std::time::Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    let used = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let used = used.and_then(|text| text.split_whitespace().next()?.parse().ok());
    used.map_or_else(|| BEGUN.elapsed(), std::time::Duration::from_nanos)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_as_a_password_is_not_shown(
        secret in "[!-~]{8,24}",
        form in 0..7usize,
        which in any::<prop::sample::Index>(),
    ) {
        let line = match form {
            0 => format!("Root password: {secret}"),
            1 => format!("!echo 'root:{secret}' | chpasswd"),
            2 => format!("launch_ssh_cloudflared(\"{secret}\")"),
            3 => format!("sshpass -p {secret} ssh -fNR 7423:localhost:22 me@relay.example.com"),
            4 => format!("ssh://root:{secret}@vm.example.org:4001"),
            5 => format!("import os\npw = '{secret}'\nos.system('echo root:$pw | chpasswd')"),
            _ => serde_json::Value::from(format!("Root password: {secret}\n")).to_string(),
        };
        let all = fixtures();
        let text = format!("{}\n{line}\n", all[which.index(all.len())].1);
        let reading = read(&text);
        let held: Vec<String> = reading.findings.iter().filter_map(|f| {
            use secrecy::ExposeSecret;
            match &f.what {
                moorline_paste::What::Password { secret, .. }
                | moorline_paste::What::RelayPassword(secret)
                | moorline_paste::What::OtherSecret(secret) => Some(secret.expose_secret().to_owned()),
                _ => None,
            }
        }).collect();
        let shown = redacted(&text);
        for secret in held.iter().filter(|secret| secret.len() >= 6) {
            prop_assert!(!shown.contains(secret.as_str()), "{} in {}", secret, shown);
        }
        prop_assert!(read(&shown).password.is_none(), "{}", shown);
    }
}

#[test]
fn an_echo_shows_where_it_leads_and_nothing_that_nobody_named() {
    let token = "2QvKxJ7rWm1ZtYpN8sLhAd5BcEf";
    for hidden in [
        token.to_owned(),
        format!("!ngrok authtoken {token}"),
        format!("NGROK_AUTHTOKEN=\"{token}\""),
        format!("cloudflared tunnel run --token {token}"),
        format!("!git clone https://me:{token}@git.example.org/a/b"),
        format!("Authorization: Bearer {token}"),
        format!("!openssl passwd -1 {token}"),
    ] {
        let text = format!("{hidden}\nssh -p15873 root@0.tcp.eu.ngrok.io\nRoot password: b7Tq9ZxR2mW4kLp8\n");
        let echo = moorline_paste::echo(&text);
        assert!(echo.contains("-p15873 root@0.tcp.eu.ngrok.io"), "{echo}");
        assert!(!echo.contains(token) && !echo.contains("b7Tq9ZxR2mW4kLp8"), "{hidden}: {echo}");
        assert!(echo.contains("1 more line was read and is not shown"), "{echo}");
    }
    assert_eq!(
        moorline_paste::echo("xK9!mnq2Lp"),
        "(1 more line was read and is not shown here)\n",
        "a password alone is nothing to show"
    );
}
