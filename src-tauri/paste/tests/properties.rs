//! Properties of the paste reader over any text.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::OnceLock;

use moorline_paste::{FoundLink, Reading, What};
use moorline_ssh_files::host_key::{Fingerprint, HostKey};
use moorline_ssh_files::names::{Alias, HostName, Port, UserName};
use proptest::prelude::*;
use secrecy::ExposeSecret;

/// Lines of what cells print besides an endpoint.
const NOISE: [&str; 12] = [
    "Collecting colab_ssh",
    "Downloading x-1.2.3-py3-none-any.whl (12 kB)",
    "     |████████████| 100% 12kB 1.2MB/s",
    "[10:20:31] done in 0:00:12",
    "see https://github.com/x/y/issues/45#note",
    "127.0.0.1:4040 [::1]:8080 localhost:22",
    "2025-03-02T10:00:00Z INF Version 2026.8.2",
    "W: Some index files failed to download.",
    "train.py:123: UserWarning",
    "Mounted at /content/drive",
    "+--[ED25519 256]--+",
    "",
];

fn fixtures() -> &'static [(String, String)] {
    static ALL: OnceLock<Vec<(String, String)>> = OnceLock::new();
    ALL.get_or_init(load)
}

fn load() -> Vec<(String, String)> {
    let folders = ["paste", "ways"].map(|f| format!("{}/tests/fixtures/{f}", env!("CARGO_MANIFEST_DIR")));
    let mut all: Vec<(String, String)> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    all.sort();
    all
}

/// Every value of a reading passes its validator once more and comes out the same.
fn check_values(reading: &Reading) -> Result<(), TestCaseError> {
    let host = |host: &HostName| host.as_str().parse::<HostName>().as_ref() == Ok(host);
    let port = |port: &Port| port.to_string().parse::<Port>().as_ref() == Ok(port);
    for finding in &reading.findings {
        prop_assert!(finding.line >= 1);
        match &finding.what {
            What::Link { link: FoundLink::Ngrok(place) | FoundLink::Direct(place), .. } => {
                prop_assert!(host(&place.host) && port(&place.port) && !place.host.is_loopback());
            }
            What::Link { link: FoundLink::Cloudflare(name), .. } => prop_assert!(host(name)),
            What::Link { link: FoundLink::Relay { relay, port: number }, .. } => {
                prop_assert!(host(&relay.host) && port(number));
            }
            What::User(user) => prop_assert_eq!(&user.as_str().parse::<UserName>().unwrap(), user),
            What::Name(alias) => prop_assert_eq!(&alias.as_str().parse::<Alias>().unwrap(), alias),
            What::HostKey { key, .. } => prop_assert_eq!(&key.to_string().parse::<HostKey>().unwrap(), key),
            What::Fingerprint(print) => {
                prop_assert_eq!(&print.to_string().parse::<Fingerprint>().unwrap(), print);
            }
            What::Folder(path) => prop_assert!(path.as_str().starts_with('/')),
            What::Doubt(doubt) => prop_assert!(!doubt.to_string().chars().any(char::is_control)),
            _ => {}
        }
    }
    Ok(())
}

/// Text of pieces that recognisers look for, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("ssh "),
        Just("-p "),
        Just("-R "),
        Just("-J "),
        Just("root@"),
        Just("127.0.0.1"),
        Just(":22"),
        Just("0.tcp.ngrok.io"),
        Just(":15873"),
        Just("tcp://"),
        Just("ssh://"),
        Just("Host "),
        Just("HostName "),
        Just("ProxyCommand "),
        Just("Port: "),
        Just("password: "),
        Just("SHA256:"),
        Just("ssh-ed25519 AAAA"),
        Just("[x] "),
        Just(" | Hardware: "),
        Just("x.trycloudflare.com"),
        Just("vscode-remote/ssh-remote+"),
        Just("%41%zz%"),
        Just("\n"),
        Just("\r"),
        Just("\u{1b}["),
        Just("\u{1b}]"),
        Just("<b"),
        Just(">"),
        Just("{\""),
        Just("\":\""),
        Just("\"}"),
        Just("-----BEGIN X PRIVATE KEY-----"),
        Just(" \\\n"),
        Just("é"),
        Just("\u{202e}"),
        Just("\""),
        Just("'"),
        Just("`"),
        Just("[["),
        Just("]:"),
        Just("@"),
        Just("auto"),
        Just("Copy"),
        Just("is "),
        Just(" for "),
        Just("ERR_NGROK_9999999999"),
    ];
    prop::collection::vec(prop_oneof![6 => piece.prop_map(str::to_owned), 1 => "\\PC{0,6}"], 0..40)
        .prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check_values(&moorline_paste::read(&text))?;
        moorline_paste::compare_answer(&text);
    }

    #[test]
    fn any_mix_of_known_pieces_is_read(text in pieces()) {
        check_values(&moorline_paste::read(&text))?;
        moorline_paste::compare_answer(&text);
    }

    #[test]
    fn a_damaged_fixture_is_read(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in "\\PC{0,3}") {
        let all = fixtures();
        let (_, text) = &all[which.index(all.len())];
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        check_values(&moorline_paste::read(&chars.into_iter().collect::<String>()))?;
    }

    #[test]
    fn noise_around_a_fixture_changes_nothing(
        which in any::<prop::sample::Index>(),
        before in prop::collection::vec(prop::sample::select(&NOISE[..]), 0..8),
        after in prop::collection::vec(prop::sample::select(&NOISE[..]), 0..8),
    ) {
        let all = fixtures();
        let (name, text) = &all[which.index(all.len())];
        let alone = moorline_paste::read(text);
        let noisy = moorline_paste::read(&format!("{}\n\n{text}\n\n{}", before.join("\n"), after.join("\n")));
        prop_assert_eq!(&noisy.link, &alone.link, "{}", name);
        prop_assert_eq!(&noisy.user, &alone.user, "{}", name);
        prop_assert_eq!(noisy.fingerprints, alone.fingerprints, "{}", name);
        prop_assert_eq!(
            noisy.password.as_ref().map(ExposeSecret::expose_secret),
            alone.password.as_ref().map(ExposeSecret::expose_secret)
        );
    }

    #[test]
    fn no_password_is_ever_shown(secret in "[!-~]{8,40}", form in 0..6usize, tail in pieces()) {
        let line = match form {
            0 => format!("Root password: {secret}"),
            1 => format!("password = {secret}"),
            2 => format!("colab password: {secret}"),
            3 => format!("Password for root is: {secret}"),
            4 => format!("sshpass -p {secret} ssh -p {secret} root@vm.example.org"),
            _ => format!("root password: {secret}\nssh -p {secret} root@vm.example.org"),
        };
        let reading = moorline_paste::read(&format!("{line}\ntcp://0.tcp.ngrok.io:15873\n{tail}"));
        let is_secret = |what: &What| matches!(what, What::Password { secret: held, .. } if held.expose_secret() == secret);
        prop_assume!(reading.findings.iter().any(|f| is_secret(&f.what)));
        let shown = format!("{reading:?}");
        prop_assert!(!shown.contains(&secret), "the debug text shows it");
        for told in reading.doubts.iter().map(ToString::to_string).chain(reading.notices.iter().map(ToString::to_string)) {
            prop_assert!(!told.contains(&secret), "{}", told);
        }
    }
}
