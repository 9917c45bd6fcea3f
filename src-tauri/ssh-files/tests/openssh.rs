//! What the system's own ssh makes of the files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up must stop")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use moorline_ssh_files::{HostEntry, ProxyCommand, config};
use proptest::collection::vec;
use proptest::prelude::*;

use common::{Home, NEW_KEY, OLD_KEY, fixture, session};

fn have_ssh() -> bool {
    Command::new("ssh").arg("-V").output().is_ok()
}

/// `ssh -G`, without the lines that tell where the file lies.
fn resolved(config: &Path, host: &str) -> Result<String, String> {
    let out = Command::new("ssh").args(["-G", "-F"]).arg(config).arg(host).output().unwrap();
    if out.status.success() {
        Ok(String::from_utf8(out.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

fn proxied(alias: &str, argv: &[&str]) -> HostEntry {
    let direct = session(alias, "h", 1, &[OLD_KEY]).entry();
    HostEntry {
        host_name: direct.alias.to_host_name(),
        port: None,
        proxy_command: Some(ProxyCommand::from_argv(argv).unwrap()),
        ..direct
    }
}

#[test]
fn every_other_host_resolves_as_before() {
    if !have_ssh() {
        return;
    }
    let hosts = [
        "a",
        "b",
        "web",
        "bastion",
        "old",
        "ws.devpod",
        "coder.x",
        "vm.us-east1-b.proj",
        "before",
        "after",
        "mine-added-by-hand",
        "x.corp",
        "github.com",
        "10.0.0.9",
    ];
    for name in [
        "c01_globals_first_then_hosts",
        "c02_ends_in_host_no_newline",
        "c03_ends_in_match_exec",
        "c04_crlf",
        "c09_latin1_and_nbsp_comment",
        "c11_include_inside_host",
        "c12_foreign_managed_blocks",
        "c14_user_edited_inside_our_block",
        "c16_unknown_and_ignoreunknown",
    ] {
        let home = Home::new().with_config(&fixture(&format!("{name}.config")));
        let before: Vec<_> = hosts.map(|h| resolved(&home.path("config"), h)).into();
        let direct = session("colab", "0.tcp.eu.ngrok.io", 15873, &[OLD_KEY]);
        let entries = [direct.entry(), proxied("trainer", &["/opt/x y/moorline-proxy", "trainer"])];
        home.try_write_edit(&direct.pin(None), &entries).unwrap();
        for (host, before) in hosts.iter().zip(before) {
            assert_eq!(resolved(&home.path("config"), host), before, "{name}: {host}");
        }
        let Ok(colab) = resolved(&home.path("config"), "colab") else {
            assert!(name.starts_with("c12") || name.starts_with("c14"), "{name} was readable before");
            continue;
        };
        for line in [
            "hostname 0.tcp.eu.ngrok.io",
            "port 15873",
            "user root",
            "hostkeyalias colab",
            "forwardagent no",
            "stricthostkeychecking true",
            "updatehostkeys false",
            "identitiesonly yes",
            "serveraliveinterval 15",
        ] {
            assert!(colab.lines().any(|l| l == line), "{name}: {line} is missing from\n{colab}");
        }
        let trainer = resolved(&home.path("config"), "trainer").unwrap();
        assert!(trainer.contains("\nhostname trainer\n"), "{trainer}");
        assert!(trainer.contains("\nproxycommand '/opt/x y/moorline-proxy' trainer\n"), "{trainer}");
    }
}

#[test]
fn other_hosts_keep_what_they_had_when_an_entry_is_commented_out() {
    if !have_ssh() {
        return;
    }
    for name in ["t01_pasted_over_the_years", "t02_windows", "t03_google_cli_at_the_end"] {
        let home = Home::new().with_config(&fixture(&format!("{name}.config")));
        let hosts = ["github.com", "x.trycloudflare.com", "relay", "nas", "home", "a"];
        let before: Vec<_> = hosts.map(|h| resolved(&home.path("config"), h).unwrap()).into();
        for entry in config::loose_entries(&home.config()) {
            let loose = resolved(&home.path("config"), entry.alias.as_str()).unwrap();
            home.ssh().comment_out(&entry.alias).unwrap();
            let now = resolved(&home.path("config"), entry.alias.as_str()).unwrap();
            assert_ne!(loose, now, "{name}: {}", entry.alias);
            assert!(now.contains("\nstricthostkeychecking ask\n"), "{name}: {now}");
        }
        for (host, before) in hosts.iter().zip(before) {
            assert_eq!(resolved(&home.path("config"), host).unwrap(), before, "{name}: {host}");
        }
    }
}

/// Lines of a section, most of them with an option that every ssh takes.
fn section() -> impl Strategy<Value = String> {
    let option = prop_oneof![
        (1_u16..9).prop_map(|port| format!("  Port {port}\n")),
        "[a-z]{1,4}".prop_map(|user| format!("\tUser={user}\r\n")),
        "[a-z]{1,4}".prop_map(|name| format!("HostName {name}.example\n")),
        Just("ForwardAgent yes\n".to_owned()),
        Just("\n".to_owned()),
        Just("# Host a\n".to_owned()),
        Just("  #moorline a# Port 5\n".to_owned()),
    ];
    vec(option, 0..4).prop_map(|lines| lines.concat())
}

/// A config, and the same without its loose entries.
fn with_and_without() -> impl Strategy<Value = (String, String)> {
    let head = prop_oneof![
        3 => Just("Host colab\nUserKnownHostsFile /dev/null\n"),
        1 => Just("host=\"colab\"\r\n\n  # why\n StrictHostKeyChecking off\n"),
        1 => Just("Host a\n"),
        1 => Just("\tHOST b !a\n"),
        1 => Just("Host *\n"),
        1 => Just("Match host a,colab\n"),
        1 => Just("Host colab b\nStrictHostKeyChecking no\n"),
    ];
    (section(), vec((head, section()), 1..6)).prop_map(|(global, sections)| {
        let whole = sections.iter().map(|(head, rest)| format!("{head}{rest}"));
        let kept = whole.clone().filter(|text| {
            let first = text.lines().next().unwrap();
            first != "Host colab" && first != "host=\"colab\""
        });
        (global.clone() + &whole.collect::<String>(), global.clone() + &kept.collect::<String>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_commented_entry_is_as_good_as_gone((text, without) in with_and_without()) {
        if !have_ssh() {
            return Ok(());
        }
        let home = Home::new();
        let commented = config::comment_out(text.as_bytes(), &"colab".parse().unwrap()).unwrap();
        fs::write(home.path("commented"), commented).unwrap();
        fs::write(home.path("without"), without).unwrap();
        for host in ["a", "b", "c", "colab"] {
            let now = resolved(&home.path("commented"), host);
            prop_assert!(now.is_ok(), "{now:?}");
            prop_assert_eq!(now, resolved(&home.path("without"), host), "{}", host);
        }
    }
}

#[test]
fn odd_identity_files_arrive_whole() {
    if !have_ssh() {
        return;
    }
    for path in
        ["/home/Bob Smith/id", "/h/o'hara #1/id", "/h/back\\slash", "/h/100%/id", "/h/jürgen/id", "/h/a\\'b"]
    {
        let home = Home::new();
        let one = session("colab", "h", 1, &[OLD_KEY]);
        let (identity_file, known_hosts_file) = (path.parse().unwrap(), path.parse().unwrap());
        let entry = HostEntry { identity_file, known_hosts_file, ..one.entry() };
        home.try_write_edit(&one.pin(None), &[entry]).unwrap();
        let resolved = resolved(&home.path("config"), "colab").unwrap();
        // `-G` prints the path before `%` is expanded.
        let expected = format!("identityfile {}", path.replace('%', "%%"));
        assert!(resolved.lines().any(|l| l == expected), "{expected:?} is not in\n{resolved}");
        // That of the known hosts after, by version.
        let expected = format!("userknownhostsfile {path}");
        let resolved = resolved.replace("%%", "%");
        assert!(resolved.lines().any(|l| l == expected), "{expected:?} is not in\n{resolved}");
    }
}

#[test]
fn ssh_keygen_finds_exactly_what_is_pinned() {
    if !have_ssh() {
        return;
    }
    for hashed in [false, true] {
        let home =
            Home::new().with_known_hosts(format!("a.example {OLD_KEY}\nb.example {OLD_KEY}\n").as_bytes());
        let file = home.path("known_hosts");
        if hashed {
            assert!(
                Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file).output().unwrap().status.success()
            );
        }
        let foreign = home.known_hosts();
        let find = |name: &str| {
            let out = Command::new("ssh-keygen").args(["-F", name, "-f"]).arg(&file).output().unwrap();
            String::from_utf8(out.stdout).unwrap().lines().filter(|l| !l.starts_with('#')).count()
        };
        let one = session("colab", "h.example", 7423, &[OLD_KEY]);
        let two = session("colab", "h.example", 7423, &[NEW_KEY]);
        home.write(&one, None);
        home.write(&two, Some(&one));
        for name in ["colab", "[h.example]:7423", "a.example", "b.example"] {
            assert_eq!(find(name), 1, "{name}, hashed: {hashed}");
        }
        assert_eq!(home.known_hosts().windows(6).any(|w| w == b"colab,"), !hashed);
        home.forget(&two);
        assert_eq!(home.known_hosts(), foreign);
    }
}

#[test]
fn stale_names_hashed_by_ssh_keygen_go() {
    if !have_ssh() {
        return;
    }
    let lines = ["[h.example]:7423", "h.example", "a.example"].map(|n| format!("{n} {OLD_KEY}\n")).concat();
    let home = Home::new().with_known_hosts(lines.as_bytes());
    let file = home.path("known_hosts");
    assert!(Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file).output().unwrap().status.success());
    let before = fs::read_to_string(&file).unwrap();
    home.write(&session("colab", "h.example", 7423, &[NEW_KEY]), None);
    let after = fs::read_to_string(&file).unwrap();
    let kept: Vec<_> = before.lines().skip(1).collect();
    assert_eq!(after.lines().take(2).collect::<Vec<_>>(), kept, "only the endpoint's own line went");
}
