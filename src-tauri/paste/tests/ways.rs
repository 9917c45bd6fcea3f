//! The ways in that people use, as they have them in hand: what a cell printed, the cell itself, or both, together or one
//! after the other.

use std::fs;

use moorline_model::session::RemotePath;
use moorline_paste::{Doubt, NoticeKind, Reading, read_all, redacted};
use secrecy::ExposeSecret;

const ROOT: &str = "b7Tq9ZxR2mW4kLp8VnYs";
const ARGUMENT: &str = "hV4wq9TzLm2x";
const RELAY: &str = "nR8sKd3vQx";
const C: &str = "relay port 20022 of ubuntu@home.example.net:10022";
const D: &str = "relay port 7423 of me@relay.example.com";
const NGROK: &str = "ngrok 0.tcp.eu.ngrok.io:15873";
const PRINT: &str = "SHA256:TcgbKIex7l37r+WqnWx38sTzIqyNq7CWvGhDi9AKYGw";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/ways/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Link, user, password and folder, `-` for what is not there.
fn told(reading: &Reading) -> String {
    let link = reading.link.as_ref().map(|link| match link.to_link() {
        Some(known) => format!("{} {link}", known.kind()),
        None => format!("colab {link}"),
    });
    let parts = [
        link,
        reading.user.as_ref().map(ToString::to_string),
        reading.password.as_ref().map(|p| p.expose_secret().to_owned()),
        reading.folder.as_ref().map(|f| RemotePath::as_str(f).to_owned()),
    ];
    parts.map(|part| part.unwrap_or_else(|| "-".to_owned())).join(", ")
}

fn relay_password(reading: &Reading) -> Option<&str> {
    reading.relay_password.as_ref().map(ExposeSecret::expose_secret)
}

fn notices(reading: &Reading) -> Vec<NoticeKind> {
    reading.notices.iter().map(|notice| notice.kind.clone()).collect()
}

/// Reads it so, without any doubt.
#[track_caller]
fn reads(text: &str, expected: &str) -> Reading {
    let reading = moorline_paste::read(text);
    assert_eq!(told(&reading), expected, "{text}");
    assert_eq!(reading.doubts, [], "{text}");
    reading
}

#[track_caller]
fn reads_in_turn(texts: &[&str], expected: &str) -> Reading {
    let reading = read_all(texts);
    assert_eq!(told(&reading), expected, "{texts:#?}");
    assert_eq!(reading.doubts, [], "{texts:#?}");
    reading
}

/// Both together in one text, in either order, and one after the other, in either order.
#[track_caller]
fn reads_both(one: &str, other: &str, expected: &str) {
    let (one, other) = (fixture(one), fixture(other));
    for reading in [
        reads(&format!("{one}\n{other}"), expected),
        reads(&format!("{other}\n{one}"), expected),
        reads_in_turn(&[&one, &other], expected),
        reads_in_turn(&[&other, &one], expected),
    ] {
        assert!(!notices(&reading).contains(&NoticeKind::CellItself), "{:?}", reading.notices);
    }
}

#[test]
fn a_made_password_and_an_ngrok_endpoint() {
    let printed = reads(&fixture("A.printed"), &format!("{NGROK}, root, {ROOT}, -"));
    assert_eq!(notices(&printed), []);
    let cell = reads(&fixture("A.cell"), "-, -, -, -");
    assert_eq!(notices(&cell), [NoticeKind::CellItself]);
    reads_both("A.printed", "A.cell", &format!("{NGROK}, root, {ROOT}, -"));
}

#[test]
fn a_host_block_and_a_password_that_is_an_argument() {
    let printed = reads(&fixture("B.printed"), "cloudflare gpu.example.org, root, -, -");
    assert_eq!(printed.suggested_name, None, "a host's name makes no alias");
    let cell = reads(&fixture("B.cell"), &format!("-, root, {ARGUMENT}, -"));
    assert_eq!(notices(&cell), [NoticeKind::CellItself]);
    reads_both("B.printed", "B.cell", &format!("cloudflare gpu.example.org, root, {ARGUMENT}, -"));
}

#[test]
fn a_password_that_is_printed_and_a_tunnel_home_in_the_cell() {
    let printed = moorline_paste::read(&fixture("C.printed"));
    assert_eq!(told(&printed), format!("-, root, {ROOT}, -"));
    assert_eq!(printed.doubts, [Doubt::OnlyPassword]);
    let cell = reads(&fixture("C.cell"), &format!("{C}, -, -, -"));
    assert_eq!((relay_password(&cell), notices(&cell)), (Some(RELAY), vec![]));
    reads_both("C.printed", "C.cell", &format!("{C}, root, {ROOT}, -"));
    for both in [[fixture("C.printed"), fixture("C.cell")], [fixture("C.cell"), fixture("C.printed")]] {
        assert_eq!(relay_password(&read_all(&[&both[0], &both[1]])), Some(RELAY));
    }
}

#[test]
fn a_tunnel_to_a_relay_and_what_is_typed_there() {
    let cell = reads(&fixture("D.cell"), &format!("{D}, -, -, -"));
    assert!(cell.host_keys.is_empty() && cell.notices.is_empty(), "the key lets the relay in: {cell:#?}");
    reads(&fixture("D.typed"), &format!("{D}, root, -, -"));
    reads_both("D.cell", "D.typed", &format!("{D}, root, -, -"));
}

#[test]
fn two_commands_that_are_typed_are_one_way() {
    let with = |port: &str| format!("relay port 7423 of me@relay.example.com{port}, root, -, -");
    for text in [
        "me@laptop:~$ ssh me@relay.example.com\nWelcome to Ubuntu\nme@relay:~$ ssh -p7423 root@127.0.0.1\n",
        "➜  ~ ssh me@relay.example.com\n(base) me@relay ~ % ssh -p 7423 root@localhost",
        "PS C:\\Users\\me> ssh me@relay.example.com\nssh root@127.0.0.1 -p 7423",
        "ssh me@relay.example.com -t ssh -p7423 root@127.0.0.1",
        "ssh -t me@relay.example.com 'ssh -p 7423 root@localhost'",
        "ssh -A -tt me@relay.example.com exec /usr/bin/ssh -A -p7423 root@127.0.0.1",
        "ssh -L 2022:localhost:7423 me@relay.example.com\nssh -p 2022 root@localhost",
        "First ssh me@relay.example.com, then ssh -p7423 root@127.0.0.1",
    ] {
        reads(text, &with(""));
    }
    for text in [
        "ssh -p 2222 me@relay.example.com\nssh -p7423 root@127.0.0.1",
        "$ ssh me@relay.example.com -p2222 -t ssh root@localhost -p7423",
    ] {
        reads(text, &with(":2222"));
    }
    reads("ssh relay\nssh -p7423 root@127.0.0.1", "relay port 7423 of relay, root, -, -");
}

#[test]
fn one_command_alone_stays_what_it_was() {
    reads("ssh me@relay.example.com", "direct relay.example.com:22, me, -, -");
    reads("ssh me@relay.example.com uptime", "direct relay.example.com:22, me, -, -");
    let label = moorline_paste::read("ssh command: ssh -p 15873 root@vm.example.org");
    assert!(!label.doubts.iter().any(|d| matches!(d, Doubt::Refused { .. })), "{:?}", label.doubts);
    let after = moorline_paste::read("ssh -fN me@relay.example.com\nssh -p7423 root@127.0.0.1");
    assert_eq!(
        told(&after),
        "direct relay.example.com:22, me, -, -",
        "without a shell there nothing is typed there"
    );
    let inside = moorline_paste::read("ssh me@relay.example.com -t ssh root@10.0.0.5");
    assert_eq!(inside.link, None);
    assert!(matches!(inside.doubts[..], [Doubt::JumpElsewhere { .. }]), "{:?}", inside.doubts);
}

#[test]
fn a_quick_tunnel_a_folder_and_a_password_that_is_an_argument() {
    let way = "cloudflare tension-foo-bar.trycloudflare.com";
    reads(&fixture("E.printed"), &format!("{way}, root, -, /content/project"));
    reads(&fixture("E.cell"), &format!("-, root, {ARGUMENT}, -"));
    reads_both("E.printed", "E.cell", &format!("{way}, root, {ARGUMENT}, /content/project"));
}

/// A cell as it lies in a saved notebook: one JSON string a line.
#[test]
fn a_saved_notebook_reads_like_its_cell() {
    for name in ["A.cell", "B.cell", "C.cell", "D.cell", "E.cell"] {
        let cell = fixture(name);
        let strings: Vec<serde_json::Value> =
            cell.split_inclusive('\n').map(serde_json::Value::from).collect();
        let notebook =
            serde_json::json!({"cells": [{"cell_type": "code", "metadata": {}, "source": strings}]});
        let alone = moorline_paste::read(&cell);
        for saved in [serde_json::to_string_pretty(&notebook).unwrap_or_default(), notebook.to_string()] {
            let reading = reads(&saved, &told(&alone));
            assert_eq!(relay_password(&reading), relay_password(&alone), "{saved}");
            assert_eq!(notices(&reading), notices(&alone), "{saved}");
        }
    }
}

#[test]
fn what_a_cell_computes_is_no_password() {
    for line in [
        "password = make_password(20)",
        "password = pw",
        "root_password = secrets.token_urlsafe(16)",
        "password = getpass.getpass('Root password: ')",
        "password = os.environ['PW1']",
        "print('Root password: ' + pw1)",
        "print('Root password:', pw1)",
        "print(\"Root password: %s\" % pw1)",
        "!echo \"Root password: $pw1\"",
        "!echo root:$(openssl rand -hex 8) | chpasswd",
        "launch_ssh_cloudflared(password=pw1)",
        "if password == 'x1':",
    ] {
        let reading = moorline_paste::read(&format!("!apt-get install openssh-server\n{line}\n"));
        assert_eq!(told(&reading), "-, -, -, -", "{line}");
        assert_eq!(
            (notices(&reading), &reading.doubts[..]),
            (vec![NoticeKind::CellItself], &[][..]),
            "{line}"
        );
    }
}

#[test]
fn a_password_that_stands_in_a_cell_is_root_s() {
    for lines in [
        "!echo root:s3cretWord | chpasswd",
        "!echo 'root:s3cretWord' | sudo chpasswd",
        "!chpasswd <<< \"root:s3cretWord\"",
        "pw = 's3cretWord'\n!echo root:$pw | chpasswd",
        "pw = 's3cretWord'\nos.system(f'echo root:{pw} | chpasswd')",
        "pw = 's3cretWord'\nprint(f'Root password: {pw}')",
        "PASSWORD=s3cretWord",
        "config = {\"password\": \"s3cretWord\"}",
        "launch_ssh('token1234', 's3cretWord')",
    ] {
        let text = format!("!apt-get install openssh-server\n{lines}\n");
        let reading = moorline_paste::read(&text);
        assert_eq!(reading.password.as_ref().map(ExposeSecret::expose_secret), Some("s3cretWord"), "{lines}");
        assert_eq!(reading.doubts, [], "{lines}");
        assert!(!redacted(&text).contains("s3cretWord"), "{}", redacted(&text));
    }
}

#[test]
fn the_relay_s_password_is_never_the_runtime_s() {
    for (lines, expected) in [
        ("sshpass -p s3cretWord ssh -fNR 7423:localhost:22 me@relay.example.com", true),
        ("w = 's3cretWord'\n!sshpass -p $w ssh -fNR 7423:localhost:22 me@relay.example.com", true),
        ("sshpass -p s3cretWord ssh me@relay.example.com\nssh -p7423 root@127.0.0.1", true),
        (
            "%%sh\nprintf '#!/bin/sh\\necho s3cretWord\\n' > answer.sh\nSSH_ASKPASS=./answer.sh setsid ssh -fNR 7423:localhost:22 me@relay.example.com",
            true,
        ),
        (
            "!echo 'echo s3cretWord' > a.sh\n!SSH_ASKPASS=./a.sh ssh -fNR 7423:localhost:22 me@relay.example.com",
            true,
        ),
        (
            "home_password = 's3cretWord'\n!SSH_ASKPASS=./a.sh ssh -fNR 7423:localhost:22 me@relay.example.com",
            false,
        ),
    ] {
        let reading = moorline_paste::read(lines);
        assert!(told(&reading).starts_with(D), "{lines}: {}", told(&reading));
        assert!(reading.password.is_none(), "{lines}");
        assert_eq!(relay_password(&reading), expected.then_some("s3cretWord"), "{lines}");
        assert!(!redacted(lines).contains("s3cretWord"), "{}", redacted(lines));
    }
}

#[test]
fn the_values_of_variables_are_followed() {
    let cell = "import os\nPORT = 7423\nhost = 'relay.example.com'\nuser=\"me\"\nos.system(f'ssh -fNT -R {PORT}:127.0.0.1:22 {user}@{host}')\n";
    reads(cell, &format!("{D}, -, -, -"));
    let unknown = cell.replace("'relay.example.com'", "input()");
    let reading = moorline_paste::read(&unknown);
    assert_eq!((&reading.link, reading.password.is_some()), (&None, false));
}

#[test]
fn the_machine_that_a_cell_s_variables_name_is_not_the_runtime() {
    let reading = moorline_paste::read(
        "!service ssh start\nhost = 'home.example.net'\nport = 10022\nuser = 'me'\nserver = 'me@home.example.net:10022'\n",
    );
    assert_eq!(told(&reading), "-, -, -, -");
}

#[test]
fn a_key_that_lets_somebody_in_is_nobody_s_host_key() {
    for text in [
        format!("!echo '{KEY} me@relay' >> ~/.ssh/authorized_keys"),
        format!("%%writefile /root/.ssh/authorized_keys\n{KEY} me@relay"),
        format!("cat >> ~/.ssh/authorized_keys <<EOF\n{KEY}\nEOF"),
        format!("pub = '{KEY} me@relay'\n!echo $pub > ~/.ssh/authorized_keys"),
        format!("host key:\n!echo '{KEY}' >> ~/.ssh/authorized_keys"),
    ] {
        let reading =
            moorline_paste::read(&format!("{text}\nssh -fNT -R 7423:127.0.0.1:22 me@relay.example.com"));
        assert_eq!(told(&reading), format!("{D}, -, -, -"), "{text}");
        assert!(reading.host_keys.is_empty() && reading.doubts.is_empty(), "{text}: {:?}", reading.doubts);
    }
}

#[test]
fn where_it_leads_may_be_said_afterwards_by_hand() {
    let password = fixture("C.printed");
    for (given, expected) in [
        ("vm.example.org:4001", "direct vm.example.org:4001, root"),
        ("me@vm.example.org:4001", "direct vm.example.org:4001, me"),
        ("ssh -p 4001 root@vm.example.org", "direct vm.example.org:4001, root"),
        ("0.tcp.ngrok.io:4001", "ngrok 0.tcp.ngrok.io:4001, root"),
        ("a-b-c.trycloudflare.com", "cloudflare a-b-c.trycloudflare.com, root"),
        ("gpu.example.org", "cloudflare gpu.example.org, root"),
        ("root@gpu.example.org", "cloudflare gpu.example.org, root"),
    ] {
        let reading = read_all(&[&password, given]);
        let secret = if expected.ends_with("me") { "-" } else { ROOT };
        assert_eq!(told(&reading), format!("{expected}, {secret}, -"), "{given}");
        let unsure = reading.doubts.iter().all(|d| matches!(d, Doubt::BareEndpoint(_) | Doubt::BareHost(_)));
        assert!(unsure, "{given}: {:?}", reading.doubts);
    }
    for no_host in ["train.py", "colab", "github.com", "1.2.3.4", "hello world.example.org"] {
        assert_eq!(moorline_paste::read(no_host).link, None, "{no_host}");
    }
}

#[test]
fn a_later_text_wins_and_leaves_the_rest() {
    let first = fixture("A.printed");
    reads_in_turn(
        &[&first, "tcp://6.tcp.eu.ngrok.io:14417"],
        &format!("ngrok 6.tcp.eu.ngrok.io:14417, root, {ROOT}, -"),
    );
    reads_in_turn(&[&first, "Root password: another1"], &format!("{NGROK}, root, another1, -"));
    reads_in_turn(
        &[&first, "tcp://6.tcp.eu.ngrok.io:14417", "Root password: another1", &first],
        &format!("{NGROK}, root, {ROOT}, -"),
    );
    let last = read_all(&[&first, "hello"]);
    assert_eq!((told(&last), &last.doubts[..]), (format!("{NGROK}, root, {ROOT}, -"), &[][..]));
    let texts: Vec<usize> = last.findings.iter().map(|finding| finding.text).collect();
    assert!(!texts.is_empty() && texts.iter().all(|text| *text == 0), "{texts:?}");
    assert_eq!(read_all(&[]).doubts, [Doubt::NothingFound]);
}

#[test]
fn a_password_follows_its_user() {
    let reading = read_all(&["ssh -p 1234 me@vm.example.org", "root password: s3cretWord"]);
    assert_eq!(told(&reading), "direct vm.example.org:1234, me, -, -");
    assert!(matches!(reading.doubts[..], [Doubt::PasswordOfOther { line: 1, .. }]), "{:?}", reading.doubts);
    reads_in_turn(
        &["root password: s3cretWord", "ssh -p 1234 me@vm.example.org"],
        "direct vm.example.org:1234, me, -, -",
    );
}

#[test]
fn an_earlier_way_is_no_answer_to_one_that_cannot_be_used() {
    let first = fixture("A.printed");
    for later in [
        "ssh -p 99999 root@vm.example.org",
        "a.example.org:4001\nb.example.org:4002",
        "ssh -J me@relay.example root@10.0.0.5",
        "ssh -p7423 root@127.0.0.1",
        "ssh -NR 0:localhost:22 me@relay.example",
    ] {
        let reading = read_all(&[&first, later]);
        assert_eq!(reading.link, None, "{later}");
        assert!(!reading.doubts.is_empty(), "{later}");
    }
}

#[test]
fn a_port_and_its_relay_may_come_one_after_the_other() {
    let port = "ssh -p7423 root@127.0.0.1";
    reads_in_turn(&["ssh me@relay.example.com", port], &format!("{D}, root, -, -"));
    reads_in_turn(&[port, "ssh me@relay.example.com"], &format!("{D}, root, -, -"));
    reads_in_turn(&[&fixture("D.cell"), port], &format!("{D}, root, -, -"));
    reads_in_turn(&[port, &fixture("D.cell")], &format!("{D}, root, -, -"));
    reads_in_turn(&["ssh me@relay.example.com", "ssh -p7423 127.0.0.1"], &format!("{D}, -, -, -"));
    reads_in_turn(
        &[port, "Root password: s3cretWord", "ssh me@relay.example.com"],
        &format!("{D}, root, s3cretWord, -"),
    );
}

#[test]
fn keys_are_the_later_text_s_unless_it_names_none_for_the_same_way() {
    let prints =
        |texts: &[&str]| read_all(texts).fingerprints.iter().map(ToString::to_string).collect::<Vec<_>>();
    let line = format!("256 {PRINT} root@9a1b2c (ED25519)");
    let first = format!("tcp://0.tcp.ngrok.io:111\n{line}");
    assert_eq!(prints(&[&first, "Root password: s3cretWord"]), [PRINT]);
    assert_eq!(prints(&[&first, "tcp://0.tcp.ngrok.io:111"]), [PRINT]);
    assert_eq!(prints(&[&line, "tcp://0.tcp.ngrok.io:111"]), [PRINT]);
    assert_eq!(prints(&[&first, "tcp://0.tcp.ngrok.io:222"]), [""; 0], "another runtime may be there");
    assert_eq!(prints(&[&first, "ssh -p 99999 root@vm.example.org"]), [""; 0]);
    let password = "Root password: s3cretWord";
    assert_eq!(prints(&[&first, "tcp://0.tcp.ngrok.io:222", password]), [""; 0], "nor does it come back");
    let named = read_all(&[&first, &format!("host key:\n{KEY}")]);
    assert_eq!((named.fingerprints.len(), named.host_keys.len()), (0, 1));
    let foreign = read_all(&[&format!("[0.tcp.ngrok.io]:111 {KEY}"), "tcp://0.tcp.ngrok.io:222"]);
    assert!(foreign.host_keys.is_empty(), "the key is of another port");
}

#[test]
fn a_relay_s_password_stays_with_its_relay() {
    let cell = fixture("C.cell");
    let other = read_all(&[&cell, "ssh -fNR 7423:localhost:22 me@relay.example.com"]);
    assert_eq!((told(&other), relay_password(&other)), (format!("{D}, -, -, -"), None));
}
