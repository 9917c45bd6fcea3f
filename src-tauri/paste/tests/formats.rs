//! Every format that a tool prints, as its own fixture, with exactly what must be read from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use moorline_model::session::RemotePath;
use moorline_paste::{GoogleNotice, Notice, NoticeKind};
use secrecy::ExposeSecret;

#[derive(Default)]
struct Expected {
    /// Kind and place, such as `ngrok 2.tcp.ngrok.io:13254`.
    link: Option<&'static str>,
    user: Option<&'static str>,
    password: Option<&'static str>,
    fingerprint: Option<&'static str>,
    folder: Option<&'static str>,
    name: Option<&'static str>,
    /// A part of each doubt's sentence.
    doubts: &'static [&'static str],
    notices: Vec<NoticeKind>,
}

fn ngrok(place: &'static str) -> Expected {
    Expected { link: Some(place), user: Some("root"), ..Expected::default() }
}

fn cloudflare() -> Expected {
    Expected { link: Some(CLOUDFLARE), ..Expected::default() }
}

fn nothing_but(notices: Vec<NoticeKind>) -> Expected {
    Expected { notices, ..Expected::default() }
}

const CLOUDFLARE: &str = "cloudflare tension-interracial-it-delivered.trycloudflare.com";
const COLAB_SSH: &str = "ngrok 2.tcp.ngrok.io:13254";
const COLAB_PASSWORD: &str = "zH7nV2kQ9xJ4mC8tB1wLpR6yD3sG5fA0uEiOqNbXvTc";

/// All formats, by file name.
#[expect(clippy::too_many_lines, reason = "one row a format")]
fn table() -> Vec<(&'static str, Expected)> {
    use NoticeKind::{CheckingOff, ClosedBeforeSsh, CloudflaredHandshake, CloudflaredNotTls, CodeServer};
    use NoticeKind::{
        Google, HostKeyChanged, Ngrok, ProxyCommandIgnored, RuntimeEnvironment, VsCodeTunnel, Zrok,
    };
    vec![
        (
            "cloudflared-client-errors.txt",
            nothing_but(vec![CloudflaredHandshake, ClosedBeforeSsh, CloudflaredNotTls]),
        ),
        ("cloudflared-quick-tunnel-log.txt", cloudflare()),
        ("colab-connect-2024-11.txt", nothing_but(vec![VsCodeTunnel])),
        ("colab-runtime-env-2025-09.txt", nothing_but(vec![RuntimeEnvironment])),
        ("colab_ssh-0.0.4-ngrok.txt", Expected { password: Some("hunter2hunter2"), ..ngrok(COLAB_SSH) }),
        ("colab_ssh-0.2.54-ngrok-mixed-tabs.txt", ngrok(COLAB_SSH)),
        ("colab_ssh-0.2.6x,0.3.17..0.3.18-ngrok-tabs-nowarn.txt", ngrok(COLAB_SSH)),
        ("colab_ssh-0.3.0..0.3.16-ngrok-tabs.txt", ngrok(COLAB_SSH)),
        (
            "colab_ssh-0.3.14..0.3.27-cloudflared-plain.txt",
            Expected { user: Some("root"), notices: vec![ProxyCommandIgnored], ..cloudflare() },
        ),
        ("colab_ssh-0.3.19..0.3.27-ngrok.txt", ngrok(COLAB_SSH)),
        ("colab_ssh-0.3.21..0.3.27-cloudflared-copied-details-collapsed-APPROX.txt", cloudflare()),
        (
            "colab_ssh-0.3.21..0.3.27-cloudflared-copied-from-browser-APPROX.txt",
            Expected { user: Some("root"), notices: vec![ProxyCommandIgnored], ..cloudflare() },
        ),
        (
            "colab_ssh-0.3.27-init_git-plain.txt",
            Expected { user: Some("root"), folder: Some("/content/my-repo"), ..cloudflare() },
        ),
        ("colabcode-0.3.0.txt", nothing_but(vec![CodeServer])),
        (
            "google-colab-cli-0.6-0.7-new-sessions-status.txt",
            Expected {
                link: Some("colab Colab runtime gpu-t4-s-kkb-usw1b1-36jsit0sm8axr"),
                notices: vec![
                    Google(GoogleNotice::NoSessions),
                    Google(GoogleNotice::SessionLost),
                    Google(GoogleNotice::SessionNotFound),
                ],
                ..Expected::default()
            },
        ),
        (
            "google-colab-cli-ssh-config-block.txt",
            Expected {
                link: Some("colab Colab session trainer"),
                user: Some("root"),
                name: Some("colab"),
                notices: vec![ProxyCommandIgnored, CheckingOff],
                ..Expected::default()
            },
        ),
        (
            "google-colab-cli-ssh-errors.txt",
            nothing_but(
                [
                    GoogleNotice::NoPublicKey,
                    GoogleNotice::SessionNotFound,
                    GoogleNotice::KeyTypeRefused,
                    GoogleNotice::TokenInvalid,
                    GoogleNotice::NoSsh,
                    GoogleNotice::SlotTaken,
                    GoogleNotice::SshdUnreachable,
                    GoogleNotice::NoConnection,
                    GoogleNotice::AllocationRefused,
                ]
                .map(Google)
                .into(),
            ),
        ),
        ("kagglelink-1.2.0-banner-nogum.txt", nothing_but(vec![Zrok])),
        ("kagglelink-2025-zrok-raw.txt", nothing_but(vec![Zrok])),
        (
            "mycolab-managed-host-block.txt",
            Expected {
                link: Some("colab Colab session trainer"),
                user: Some("root"),
                name: Some("trainer"),
                notices: vec![ProxyCommandIgnored, CheckingOff],
                ..Expected::default()
            },
        ),
        (
            "ngrok-agent-log-and-api.txt",
            Expected { link: Some("ngrok 0.tcp.us-cal-1.ngrok.io:15356"), ..Expected::default() },
        ),
        ("ngrok-error-8013-card.txt", nothing_but(vec![Ngrok { code: 8013 }])),
        (
            "ngrok-gist-public-url-v3.txt",
            Expected { password: Some("b7Tq9ZxR2mW4kLp8VnYs"), ..ngrok("ngrok 6.tcp.eu.ngrok.io:14417") },
        ),
        (
            "ngrok-gist-root-password-classic.txt",
            Expected { password: Some("b7Tq9ZxR2mW4kLp8VnYs"), ..ngrok("ngrok 0.tcp.ngrok.io:10965") },
        ),
        (
            "openssh-host-key-changed.txt",
            Expected {
                doubts: &["line 8 is what an unknown server sent"],
                notices: vec![HostKeyChanged {
                    file: Some("/home/alice/.ssh/known_hosts".to_owned()),
                    line: Some(10),
                    place: Some(moorline_ssh_files::Place {
                        host: "0.tcp.ngrok.io".parse().unwrap(),
                        port: "12479".parse().unwrap(),
                    }),
                }],
                ..Expected::default()
            },
        ),
        (
            "remocolab-2020-09..2021-06-argotunnel-ecdsa.txt",
            Expected {
                user: Some("colab"),
                password: Some(COLAB_PASSWORD),
                fingerprint: Some("SHA256:LlifbLJ27z+xsXKt3HVZkGPoBkDtGUp0SLtH+hQHqDw"),
                notices: vec![ProxyCommandIgnored, CheckingOff],
                ..cloudflare()
            },
        ),
        (
            "remocolab-2020-12..2022-ngrok.txt",
            Expected {
                link: Some("ngrok 0.tcp.jp.ngrok.io:18842"),
                user: Some("colab"),
                password: Some(COLAB_PASSWORD),
                fingerprint: Some("SHA256:TcgbKIex7l37r+WqnWx38sTzIqyNq7CWvGhDi9AKYGw"),
                notices: vec![CheckingOff],
                ..Expected::default()
            },
        ),
        (
            "remocolab-2021-06..2022-argotunnel-ed25519.txt",
            Expected {
                user: Some("colab"),
                password: Some(COLAB_PASSWORD),
                fingerprint: Some("SHA256:YEqVoSIFrWNQcaor+QaOPUlB9+T477MafKqTkcz//PE"),
                notices: vec![ProxyCommandIgnored, CheckingOff],
                ..cloudflare()
            },
        ),
        ("vscode-code-tunnel-raw.txt", nothing_but(vec![VsCodeTunnel])),
        ("vscode-colab-EssenceSentry-0.3.1-copied-APPROX.txt", nothing_but(vec![VsCodeTunnel])),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/paste")
}

#[test]
fn every_fixture_has_its_row() {
    let files: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let rows: BTreeSet<String> = table().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(files, rows);
}

#[test]
fn every_format_is_read_exactly() {
    for (name, expected) in table() {
        let reading = moorline_paste::read(&fs::read_to_string(folder().join(name)).unwrap());
        check(name, &reading, &expected);
    }
}

#[test]
fn windows_line_ends_quoting_and_colours_change_nothing() {
    for (name, expected) in table() {
        let raw = fs::read_to_string(folder().join(name)).unwrap();
        check(&format!("{name} with CRLF"), &moorline_paste::read(&raw.replace('\n', "\r\n")), &expected);
        let quoted: String = raw.lines().flat_map(|line| ["> ", line, "\n"]).collect();
        check(&format!("{name} quoted"), &moorline_paste::read(&quoted), &expected);
        let coloured: String = raw.lines().flat_map(|line| ["\u{1b}[1;32m", line, "\u{1b}[0m\n"]).collect();
        check(&format!("{name} in colour"), &moorline_paste::read(&coloured), &expected);
    }
}

/// A kernel's output as it lies in a saved notebook: one JSON string a line.
#[test]
fn a_saved_notebook_reads_like_its_output() {
    for (name, expected) in
        table().into_iter().filter(|(name, _)| !name.contains("api") && !name.contains("zrok-raw"))
    {
        let raw = fs::read_to_string(folder().join(name)).unwrap();
        let saved: String = raw
            .lines()
            .flat_map(|line| ["      ".to_owned(), format!("{:?},\n", format!("{line}\n"))])
            .collect();
        if saved.contains("\\u{") {
            // Rust escapes invisible characters in another way than JSON.
            continue;
        }
        check(&format!("{name} in .ipynb"), &moorline_paste::read(&saved), &expected);
    }
}

#[track_caller]
fn check(name: &str, reading: &moorline_paste::Reading, expected: &Expected) {
    let link = reading.link.as_ref().map(|link| match link.to_link() {
        Some(known) => format!("{} {link}", known.kind()),
        None => format!("colab {link}"),
    });
    assert_eq!(link.as_deref(), expected.link, "link of {name}");
    assert_eq!(reading.user.as_ref().map(AsRef::as_ref), expected.user, "user of {name}");
    assert_eq!(
        reading.password.as_ref().map(ExposeSecret::expose_secret),
        expected.password,
        "password of {name}"
    );
    let prints: Vec<String> = reading.fingerprints.iter().map(ToString::to_string).collect();
    assert_eq!(prints, Vec::from_iter(expected.fingerprint), "fingerprints of {name}");
    assert_eq!(reading.host_keys, [], "host keys of {name}");
    assert_eq!(reading.folder.as_ref().map(RemotePath::as_str), expected.folder, "folder of {name}");
    assert_eq!(reading.suggested_name.as_ref().map(AsRef::as_ref), expected.name, "name of {name}");
    let doubts: Vec<String> = reading.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(doubts.len(), expected.doubts.len(), "doubts of {name}: {doubts:#?}");
    for (doubt, part) in doubts.iter().zip(expected.doubts) {
        assert!(doubt.contains(part), "{name}: {doubt:?} must say {part:?}");
    }
    let mut notices: Vec<&Notice> = reading.notices.iter().collect();
    notices.sort_by_key(|n| n.line);
    let kinds: Vec<&NoticeKind> = notices.iter().map(|n| &n.kind).collect();
    assert_eq!(kinds, Vec::from_iter(&expected.notices), "notices of {name}");
    let shown = format!("{reading:?}");
    for secret in ["hunter2", "b7Tq9", "Qk3xW0", "zH7nV2"] {
        assert!(!shown.contains(secret), "{name} shows a password");
    }
}
