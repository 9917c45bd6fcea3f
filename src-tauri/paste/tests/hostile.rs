//! Hostile text: what a shell, ssh or an ssh file could read as more than a value never becomes one, and whoever pasted
//! it hears which line was left out.

use moorline_paste::{Doubt, Reading};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";

/// No value at all came from the text, and a doubt tells of `line`, escaped and bounded.
#[track_caller]
fn refused(text: &str, line: usize) -> Reading {
    let reading = moorline_paste::read(text);
    assert_eq!(reading.link, None, "{text:?}");
    let told = reading.doubts.iter().find(|d| matches!(d, Doubt::Refused { line: at, .. } if *at == line));
    let Some(told) = told else { panic!("{text:?}: {:#?}", reading.doubts) };
    let sentence = told.to_string();
    assert!(!sentence.chars().any(char::is_control) && sentence.is_ascii(), "{sentence:?}");
    assert!(sentence.len() < 700, "{sentence}");
    reading
}

#[test]
fn shell_characters_in_a_host() {
    for bad in ["$(id)", "`id`", "a|b", "a&b", "a>b", "a;b", "a%h"] {
        let host = format!("x{bad}.example.org");
        refused(&format!("Host c\n  HostName {host}\n  Port 4001"), 2);
        refused(&format!("ssh -p 4001 root@{host}"), 1);
        refused(&format!("ssh://root@{host}:4001"), 1);
        refused(&format!("tcp://{host}:4001"), 1);
    }
}

#[test]
fn shell_characters_in_a_user() {
    for bad in ["root;id", "$(id)", "a|b", "a&b", "r%r", "-oProxyCommand=x"] {
        let reading = moorline_paste::read(&format!("Host c\n  HostName vm.example.org\n  User {bad}"));
        assert_eq!(reading.user, None, "{bad}");
        assert!(reading.doubts.iter().any(|d| matches!(d, Doubt::Refused { line: 3, .. })), "{bad}");
        if !bad.starts_with('-') {
            refused(&format!("ssh -p 4001 '{bad}@vm.example.org'"), 1);
        }
        refused(&format!("ssh://{bad}@vm.example.org:4001"), 1);
    }
}

#[test]
fn a_line_break_starts_no_directive() {
    for text in [
        "{\"HostName\": \"vm.example.org\\nProxyCommand id\", \"host\": \"a.example.org\\n*\"}",
        "Host c\n  HostName vm.example.org\r  ProxyCommand id\n",
        "Host c\n  HostName vm.example.org\u{85}ProxyCommand id\n",
        "Host c\n  HostName vm.example.org\u{2028}ProxyCommand id\n",
        "Host c\n  HostName vm.example.org\0\n",
    ] {
        let reading = moorline_paste::read(text);
        let shown = format!("{:?} {:?} {:?}", reading.link, reading.user, reading.suggested_name);
        assert!(
            !shown.contains("ProxyCommand") && !shown.contains('\0') && !shown.contains("\\n"),
            "{text:?}: {shown}"
        );
    }
}

#[test]
fn a_line_break_in_a_key_adds_no_second_entry() {
    for text in [
        format!("{{\"host_key\": \"{KEY}\\n* {KEY}\"}}"),
        format!("host key: {KEY}\r* {KEY}"),
        format!("host key\n{KEY}\u{85}* {KEY}"),
    ] {
        let reading = moorline_paste::read(&text);
        assert!(reading.host_keys.len() <= 1, "{text:?}");
        assert!(reading.host_keys.iter().all(|k| k.to_string() == KEY), "{text:?}");
    }
}

#[test]
fn a_leading_dash_is_no_value() {
    refused("Host c\n  HostName -oProxyCommand=id\n", 2);
    refused("tcp://-oProxyCommand=id:4001", 1);
    refused("ssh -p 4001 root@-oProxyCommand=id", 1);
    let reading = moorline_paste::read("Host -oProxyCommand=id\n  HostName vm.example.org");
    assert_eq!(reading.suggested_name, None);
    assert!(
        reading.doubts.iter().any(|d| matches!(d, Doubt::Refused { line: 1, .. })),
        "{:?}",
        reading.doubts
    );
    let jump = moorline_paste::read("ssh -J -oProxyCommand=id -p 7423 root@127.0.0.1");
    assert_eq!(jump.link, None);
}

#[test]
fn an_alias_catches_no_other_hosts() {
    for alias in ["c *", "*", "c !d", "c\tgithub.com", "c,d", "c*", "c?"] {
        let reading = moorline_paste::read(&format!("Host {alias}\n  HostName vm.example.org"));
        assert_eq!(reading.suggested_name, None, "{alias}");
    }
    let reading = moorline_paste::read("Host c *\n  HostName vm.example.org");
    assert!(
        reading.doubts.iter().any(|d| matches!(d, Doubt::Refused { line: 1, .. })),
        "{:?}",
        reading.doubts
    );
}

#[test]
fn ports_out_of_range() {
    for port in ["0", "70000", "65536", "-1", "22x", "99999999999999999999"] {
        refused(&format!("tcp://vm.example.org:{port}"), 1);
        refused(&format!("Host c\n  HostName vm.example.org\n  Port {port}"), 3);
        refused(&format!("ssh -p {port} root@vm.example.org"), 1);
        refused(&format!("ssh -fNT -R {port}x:127.0.0.1:22 user@relay"), 1);
    }
}

#[test]
fn letters_of_another_script_and_invisible_ones() {
    for host in [
        "0.tcp.ngr\u{43e}k.io",
        "\u{202e}0.tcp.ngrok.io",
        "0.tcp.ngrok\u{202e}.io",
        "0.tcp\u{200b}.ngrok.io",
        "0.tcp\u{200d}.ngrok.io",
        "0.tcp\u{ad}.ngrok.io",
        "0.tcp\u{feff}.ngrok.io",
        "\u{ff10}.tcp.ngrok.io",
        "0.tcp\u{2024}ngrok.io",
        "0.tcp.\u{8}ngrok.io",
    ] {
        refused(&format!("tcp://{host}:15873"), 1);
        refused(&format!("x\nSuccessfully running {host}:15873"), 2);
        refused(&format!("x\n{host}:15873"), 2);
        refused(&format!("ssh -p 15873 root@{host}"), 1);
        refused(&format!("Host c\n  HostName {host}\n  Port 15873"), 2);
    }
    refused("ssh -p 15873 r\u{43e}\u{43e}t@vm.example.org", 1);
}

#[test]
fn a_relay_is_a_value_too() {
    refused("ssh -fNT -R 7423:127.0.0.1:22 'user@$(id)'", 1);
    refused("ssh -J '$(id)' -p 7423 root@127.0.0.1", 1);
    refused("Host c\n  HostName 127.0.0.1\n  ProxyJump a;b\n", 3);
    refused("Host c\n  HostName 127.0.0.1\n  ProxyCommand ssh -W %h:%p '`id`'\n", 3);
    refused("ssh -J a,b -p 7423 root@127.0.0.1", 1);
}

#[test]
fn a_folder_is_a_path() {
    let reading =
        moorline_paste::read("vscode://vscode-remote/ssh-remote+root@vm.example.org:22/a%0aProxyCommand");
    assert_eq!(reading.folder, None);
    refused("vscode://vscode-remote/ssh-remote+root@vm%0aexample.org:22/a", 1);
}

#[test]
fn a_password_in_the_wrong_place_is_not_quoted_back() {
    for text in [
        "password: hunter2hunter2\nssh -p hunter2hunter2 root@vm.example.org",
        "ssh://ro;ot:hunter2hunter2@vm.example.org:22",
        "password: hunter2\u{202e}hunter2",
        "sshpass -p hunter2hunter2 ssh -p x root@vm.example.org",
    ] {
        let reading = moorline_paste::read(text);
        let told: String = reading.doubts.iter().map(ToString::to_string).collect();
        assert!(!told.is_empty() && !told.contains("hunter2"), "{text:?}: {told}");
        assert!(!format!("{reading:?}").contains("hunter2"), "{text:?}");
    }
}
