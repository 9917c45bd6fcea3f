//! `ssh -G` says whether an entry means what it should, and no command of the person's runs meanwhile.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::path::Path;

use moorline_core::ssh::{SystemSsh, VerifyError};
use moorline_ssh_files::config::apply;
use moorline_ssh_files::{HostEntry, ProxyCommand};

use support::{LIMIT, block_on};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";

fn direct() -> HostEntry {
    HostEntry {
        alias: "colab".parse().unwrap(),
        host_name: "0.tcp.eu.ngrok.io".parse().unwrap(),
        port: Some("15873".parse().unwrap()),
        user: "root".parse().unwrap(),
        identity_file: "~/.ssh/moorline_ed25519".parse().unwrap(),
        known_hosts_file: "~/.ssh/known_hosts".parse().unwrap(),
        proxy_command: None,
    }
}

fn proxied(argv: &[&str]) -> HostEntry {
    let entry = direct();
    HostEntry {
        host_name: entry.alias.to_host_name(),
        port: None,
        proxy_command: Some(ProxyCommand::from_argv(argv).unwrap()),
        ..entry
    }
}

fn check(home: &Path, entry: &HostEntry, config: &[u8]) -> Result<(), VerifyError> {
    let ssh = SystemSsh::find(Some(home)).unwrap();
    let file = home.join("config");
    std::fs::write(&file, config).unwrap();
    block_on(ssh.check_entry(entry, &[KEY.parse().unwrap()], &file, config, LIMIT))
}

#[test]
fn entries_that_were_just_written_are_right() {
    let home = tempfile::tempdir().unwrap();
    let odd = ["/opt/my tools/moorline", "proxy", "100%", "it's", "colab"];
    for entry in [direct(), proxied(&["ssh", "-W", "127.0.0.1:7423", "relay"]), proxied(&odd)] {
        for person in [
            "",
            "Host *\n  ForwardAgent yes\n  User me\n  Port 22\n",
            "User me\nHost colab\n  HostName evil\n",
            "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  CheckHostIP yes\n",
            "Host *\n  PubkeyAuthentication no\n  PreferredAuthentications password\n  RemoteCommand tmux\n",
            "Host *\n  HostKeyAlgorithms ssh-ed25519\n  PubkeyAcceptedAlgorithms ^ssh-ed25519\n",
        ] {
            let config = apply(person.as_bytes(), std::slice::from_ref(&entry)).unwrap();
            check(home.path(), &entry, &config).unwrap_or_else(|e| panic!("{person:?}: {e}"));
        }
    }
    for path in ["/home/me/100% mine/key", "/k e y"] {
        let (identity_file, known_hosts_file) = (path.parse().unwrap(), path.parse().unwrap());
        let entry = HostEntry { identity_file, known_hosts_file, ..direct() };
        let config = apply(b"", std::slice::from_ref(&entry)).unwrap();
        check(home.path(), &entry, &config).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    }
}

#[test]
fn what_overrules_an_entry_is_named() {
    let home = tempfile::tempdir().unwrap();
    let entry = direct();
    let config = apply(b"", std::slice::from_ref(&entry)).unwrap();
    for (above, option) in [
        ("Host *\n  User me\n", "user"),
        ("Host colab\n  HostName evil.example\n", "hostname"),
        ("Host c*\n  StrictHostKeyChecking no\n", "stricthostkeychecking"),
        ("ForwardAgent yes\n", "forwardagent"),
        ("UserKnownHostsFile /dev/null\n", "userknownhostsfile"),
        ("PubkeyAuthentication no\n", "pubkeyauthentication"),
        ("PreferredAuthentications password\n", "preferredauthentications"),
        ("RemoteCommand tmux\n", "remotecommand"),
    ] {
        let overruled = [above.as_bytes(), &config].concat();
        let error = check(home.path(), &entry, &overruled).unwrap_err();
        assert!(
            matches!(&error, VerifyError::Differs { option: o, .. } if *o == option),
            "{above:?}: {error:?}"
        );
    }
}

#[test]
fn lists_that_leave_the_keys_out_are_named() {
    let home = tempfile::tempdir().unwrap();
    for (person, named) in [
        ("Host *\n  HostKeyAlgorithms rsa-sha2-512,ssh-rsa\n", "hostkeyalgorithms"),
        ("Host *\n  HostKeyAlgorithms -ssh-ed25519\n", "hostkeyalgorithms"),
        ("Host *\n  PubkeyAcceptedAlgorithms rsa-sha2-512\n", "pubkeyacceptedalgorithms"),
    ] {
        let config = apply(person.as_bytes(), &[direct()]).unwrap();
        let error = check(home.path(), &direct(), &config).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("ssh-ed25519") && said.contains("Host * !colab"), "{said}");
        assert!(
            matches!(&error, VerifyError::LeavesOut { option, .. } if *option == named),
            "{person:?}: {said}"
        );
    }
    // A key of the person's own may be of any kind.
    let own = HostEntry { identity_file: "~/.ssh/id_rsa".parse().unwrap(), ..direct() };
    let person = b"Host *\n  PubkeyAcceptedAlgorithms rsa-sha2-512\n";
    check(home.path(), &own, &apply(person, std::slice::from_ref(&own)).unwrap()).unwrap();
}

#[test]
fn a_session_type_without_commands_is_named() {
    let home = tempfile::tempdir().unwrap();
    let config = apply(b"Host *\n  SessionType none\n", &[direct()]).unwrap();
    let error = check(home.path(), &direct(), &config).unwrap_err();
    assert!(matches!(error, VerifyError::Differs { option: "sessiontype", .. }), "{error}");
}

#[test]
fn a_proxy_for_all_hosts_is_named() {
    let home = tempfile::tempdir().unwrap();
    for person in ["Host *\n  ProxyCommand nc -X 5 -x corp:1080 %h %p\n", "Host *\n  ProxyJump corp\n"] {
        let config = apply(person.as_bytes(), &[direct()]).unwrap();
        let error = check(home.path(), &direct(), &config).unwrap_err();
        assert!(
            matches!(&error, VerifyError::ForeignProxy { command, .. } if command.contains("corp")),
            "{error:?}"
        );
        let entry = proxied(&["ssh", "relay"]);
        let config = apply(person.as_bytes(), std::slice::from_ref(&entry)).unwrap();
        check(home.path(), &entry, &config).unwrap();
    }
}

#[test]
fn a_broken_line_of_the_person_s_is_named() {
    let home = tempfile::tempdir().unwrap();
    let config = apply(b"Host other\n  Prot 22\n", &[direct()]).unwrap();
    let error = check(home.path(), &direct(), &config).unwrap_err();
    assert!(error.to_string().contains("prot") || error.to_string().contains("Prot"), "{error}");
    assert!(error.to_string().contains("line "), "{error}");
}

#[test]
fn no_command_of_the_person_s_runs() {
    let home = tempfile::tempdir().unwrap();
    let touched = home.path().join("touched");
    let included = home.path().join("more");
    let exec = format!("Match exec \"touch {}\"\n  User eve\n", touched.display());
    std::fs::write(&included, &exec).unwrap();
    let include = format!("Include {}\n", included.display());
    for person in [exec.as_str(), &include, &exec.replace("Match exec", "match host * EXEC")] {
        let config = apply(person.as_bytes(), &[direct()]).unwrap();
        check(home.path(), &direct(), &config).unwrap_or_else(|e| panic!("{person:?}: {e}"));
        assert!(!touched.exists(), "{person:?} ran");
        // The proof that it would have: ssh -G on the file itself.
        let ssh = SystemSsh::find(Some(home.path())).unwrap();
        block_on(ssh.effective(&home.path().join("config"), &"colab".parse().unwrap(), LIMIT)).unwrap();
        assert!(touched.exists(), "{person:?} is no trap");
        std::fs::remove_file(&touched).unwrap();
    }
}
