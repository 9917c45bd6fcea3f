use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use moorline_model::editor::Editor;
use moorline_model::next_step::NextStep;
use moorline_ssh_files::LooseEntry;

use super::*;
use crate::editors::Os;
use crate::repoint::unchecked_entries::Found;

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const BLOCK: &str = "# >>> moorline >>> managed: edits inside are replaced\nHost colab\n    HostName h\n    User root\nHost *\n# <<< moorline <<<\n";

fn facts(name: &str, mode: u32) -> FileFacts {
    FileFacts { path: Path::new("/home/ada/.ssh").join(name), mode: Some(mode), owner: Some(1000) }
}

/// A machine on which all is well.
fn well() -> Surroundings {
    Surroundings {
        os: Os::Linux,
        wsl: false,
        home: PathBuf::from("/home/ada"),
        uid: Some(1000),
        ssh_version: Some("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\n".to_owned()),
        keyring: Ok(()),
        files: SshFiles {
            dir: Some(facts("", 0o700)),
            config: Some(facts("config", 0o600)),
            known_hosts: Some(facts("known_hosts", 0o644)),
            login_key: Some(facts("moorline_ed25519", 0o600)),
        },
        config: Some(format!("{BLOCK}Host box\n    ForwardAgent yes\n").into_bytes()),
        config_refused: None,
        loose: Vec::new(),
        known_hosts: Some(format!("# mine\n\ncolab,[h]:1 {ED25519}\n").into_bytes()),
        strays: Vec::new(),
        sessions: vec!["colab".parse().unwrap()],
        folderless: Vec::new(),
        proxy_program: None,
        google: None,
        agent: AgentFacts::NotSet,
        clock: ClockFacts {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
            file_skew: Some(0),
            synchronised: Some(true),
        },
        editors: vec![(Editor::VsCode, PathBuf::from("/usr/bin/code"))],
        editor_config_files: Vec::new(),
    }
}

/// The check `id` of a machine that differs from a good one by `change`, which must be the only one not well.
fn check(id: &str, change: impl FnOnce(&mut Surroundings)) -> Check {
    let mut found = well();
    change(&mut found);
    let checks = examine(&found);
    for other in checks.iter().filter(|check| check.id != id) {
        assert_eq!(other.verdict, Verdict::Ok, "only {id} was changed, yet: {other:?}");
    }
    checks.into_iter().find(|check| check.id == id).unwrap()
}

/// As [`check`], for a changed config.
fn config(id: &str, text: &str) -> Check {
    check(id, |found| found.config = Some(text.as_bytes().to_vec()))
}

fn assert_said(check: &Check, verdict: Verdict, words: &[&str], next: &str) {
    assert_eq!(check.verdict, verdict, "{check:?}");
    for word in words {
        assert!(check.detail.contains(word), "{:?} lacks {word:?}", check.detail);
    }
    let step = check.next.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(step.contains(next), "{step:?} lacks {next:?}");
}

#[test]
fn a_good_machine_has_nothing_to_do() {
    let checks = examine(&well());
    assert!(checks.len() > 12, "every rule says what it found");
    for check in checks {
        assert_eq!((check.verdict, &check.next), (Verdict::Ok, &None), "{check:?}");
        assert!(check.detail.ends_with('.'), "{check:?}");
    }
}

#[test]
fn a_fresh_machine_is_no_problem() {
    let mut found = well();
    found.files = SshFiles::default();
    (found.config, found.known_hosts) = (None, None);
    found.sessions.clear();
    for check in examine(&found) {
        assert_eq!(check.verdict, Verdict::Ok, "{check:?}");
    }
}

#[test]
fn ssh_must_be_there_and_new_enough() {
    let with = |version: Option<&str>| check("ssh", |found| found.ssh_version = version.map(str::to_owned));
    assert_said(&with(None), Verdict::Problem, &["No program `ssh`"], "apt install openssh-client");
    assert_said(&with(Some("OpenSSH_7.2p2 Ubuntu")), Verdict::Problem, &["too old", "7.3"], "openssh-client");
    assert_said(&with(Some("Dropbear v2022.83")), Verdict::Advice, &["not OpenSSH"], "openssh-client");
    for fine in ["OpenSSH_7.3p1, x", "OpenSSH_10.0p2, x", "OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2"] {
        assert_eq!(with(Some(fine)).verdict, Verdict::Ok, "{fine}");
    }
    let windows = check("ssh", |found| (found.os, found.ssh_version) = (Os::Windows, None));
    assert_said(&windows, Verdict::Problem, &[], "Optional features");
}

#[test]
fn a_silent_keyring_is_passed_on_with_what_to_install() {
    let check = check("keyring", |found| found.keyring = Err("no Secret Service answers".to_owned()));
    assert_said(&check, Verdict::Problem, &["no Secret Service answers."], "gnome-keyring");
}

#[test]
fn modes_that_ssh_refuses_are_problems() {
    for mode in [0o664, 0o620, 0o602] {
        let check = check("config-mode", |found| found.files.config = Some(facts("config", mode)));
        assert_said(&check, Verdict::Problem, &["~/.ssh/config", "refuses"], "chmod 600 ~/.ssh/config");
    }
    let open = check("ssh-dir", |found| found.files.dir = Some(facts("", 0o775)));
    assert_said(&open, Verdict::Problem, &["775"], "chmod 700 ~/.ssh");
    let seen = check("ssh-dir", |found| found.files.dir = Some(facts("", 0o755)));
    assert_said(&seen, Verdict::Advice, &["755"], "chmod 700 ~/.ssh");
    let hosts =
        check("known-hosts-mode", |found| found.files.known_hosts = Some(facts("known_hosts", 0o666)));
    assert_said(&hosts, Verdict::Problem, &["666"], "chmod 600 ~/.ssh/known_hosts");
    let key = check("login-key", |found| found.files.login_key = Some(facts("moorline_ed25519", 0o640)));
    assert_said(&key, Verdict::Problem, &["ignores"], "chmod 600 ~/.ssh/moorline_ed25519");
    let gone = check("login-key", |found| found.files.login_key = None);
    assert_said(&gone, Verdict::Problem, &["missing"], "repair your sessions");
}

#[test]
fn files_of_somebody_else_are_problems_but_roots_are_not() {
    let owned = |owner: u32| {
        check("config-mode", |found| {
            found.files.config = Some(facts("config", 0o444));
            found.files.config.as_mut().unwrap().owner = Some(owner);
        })
    };
    assert_said(&owned(1001), Verdict::Problem, &["1001"], "chown");
    assert_eq!(owned(0).verdict, Verdict::Ok, "root's file is how system-wide dotfiles arrive");
}

#[test]
fn a_config_that_cannot_be_edited_is_said_once() {
    let mut found = well();
    found.config = Some(b"\xff\xfeH\0o\0s\0t\0".to_vec());
    found.config_refused = Some("~/.ssh/config is UTF-16; save it as UTF-8".to_owned());
    let bad: Vec<Check> = examine(&found).into_iter().filter(|check| check.verdict != Verdict::Ok).collect();
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert_eq!((bad[0].id, bad[0].verdict), ("config-text", Verdict::Problem));
    assert_eq!(bad[0].detail, "~/.ssh/config is UTF-16; save it as UTF-8.");
}

#[test]
fn what_stands_above_our_block_and_wins_is_named_by_line() {
    for (above, words) in [
        ("User ada\n", "line 1 sets User"),
        ("# c\nHost *\n  Port = 2222\n", "line 3 sets Port"),
        ("Host co?ab\n\tProxyJump=bastion\n", "line 2 sets ProxyJump"),
        ("Host a c*b !x\n  StrictHostKeyChecking no\n", "line 2 sets StrictHostKeyChecking"),
        ("Match all\n  UserKnownHostsFile /dev/null\n", "line 2 sets UserKnownHostsFile"),
    ] {
        let check = config("config-order", &format!("{above}{BLOCK}"));
        assert_said(&check, Verdict::Problem, &[words], "repair your sessions");
    }
    for (above, words) in [
        ("ServerAliveInterval 60\n", "line 1 sets ServerAliveInterval"),
        ("Include work/*\n", "line 1 includes other files"),
        ("Match exec \"true\"\n  User ada\n", "line 2 sets User under a condition"),
    ] {
        let check = config("config-order", &format!("{above}{BLOCK}"));
        assert_said(&check, Verdict::Advice, &[words], "Cut the lines");
    }
    for harmless in [
        "# User ada\n",
        "Host box\n  User ada\n",
        "Host * !colab\n  User ada\n",
        "IdentityFile ~/.ssh/id\nAddKeysToAgent yes\nIgnoreUnknown UseKeychain\n",
    ] {
        let check = config("config-order", &format!("{harmless}{BLOCK}"));
        assert_eq!(check.verdict, Verdict::Ok, "{harmless:?}: {check:?}");
    }
}

#[test]
fn entries_that_switch_checking_off_are_named() {
    let entry = |file: &str, name: &str, line| Found {
        file: PathBuf::from("/home/ada/.ssh").join(file),
        entry: LooseEntry { alias: name.parse().unwrap(), line, last_line: line + 4 },
        editable: file == "config",
    };
    let one = check("loose-entries", |found| found.loose = vec![entry("config", "gpu", 3)]);
    assert_said(
        &one,
        Verdict::Advice,
        &["gpu (~/.ssh/config, lines 3 to 7)", "checked"],
        "take the entry over",
    );
    assert!(one.next.unwrap().to_string().contains("`#` before lines 3 to 7"), "what can be done by hand");
    let two = [entry("work.conf", "old", 9), entry("config", "gpu", 3)];
    let two = check("loose-entries", |found| found.loose = two.to_vec());
    let words = ["old (~/.ssh/work.conf, lines 9 to 13); gpu (~/.ssh/config"];
    assert_said(&two, Verdict::Advice, &words, "take the entry over");
    // It has a session already.
    let followed = check("loose-entries", |found| found.loose = vec![entry("config", "colab", 8)]);
    assert_said(
        &followed,
        Verdict::Advice,
        &["colab (~/.ssh/config, lines 8 to 12)"],
        "`#` before lines 8 to 12",
    );
    assert!(matches!(followed.next, Some(Next::Words(_))), "it is followed already");
}

#[test]
fn a_long_list_is_cut() {
    let above = "User a\nPort 1\nHostName h\nForwardAgent yes\nConnectTimeout 1\nControlPath x\n";
    let check = config("config-order", &format!("{above}{BLOCK}"));
    assert_said(&check, Verdict::Problem, &["line 4 sets ForwardAgent; and 2 more."], "");
}

#[test]
fn options_for_every_host_that_reach_into_sessions_are_named() {
    for (below, words) in [
        ("Host *\n  ProxyJump bastion\n", "line 8 (ProxyJump) sends"),
        ("SessionType none\n", "line 7 (SessionType) may"),
        ("Host *\n  HostKeyAlgorithms ssh-rsa\n", "line 8 (HostKeyAlgorithms) may"),
    ] {
        let check = config("config-leaks", &format!("{BLOCK}{below}"));
        assert_said(&check, Verdict::Advice, &[words], "Host * !NAME");
    }
    let covered =
        config("config-leaks", &format!("{BLOCK}Host *\n  ControlMaster auto\n  ForwardAgent yes\n"));
    assert_eq!(covered.verdict, Verdict::Ok);
    assert!(covered.detail.contains("closed to ControlMaster, ForwardAgent"), "{}", covered.detail);
    let elsewhere = config("config-leaks", &format!("{BLOCK}Host box\n  ProxyJump bastion\n"));
    assert_eq!(elsewhere.verdict, Verdict::Ok, "another host's line is its own matter");
}

#[test]
fn lines_of_known_hosts_that_stop_ssh_keygen_are_counted() {
    let with =
        |text: &str| check("known-hosts-text", |found| found.known_hosts = Some(text.as_bytes().to_vec()));
    let good = format!(
        "h {ED25519} comment\n@cert-authority *.x {ED25519}\r\n|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= {ED25519}\n\n# c\n"
    );
    assert_eq!(with(&good).verdict, Verdict::Ok);
    for bad in [
        "h\n",
        "h ssh-ed25519\n",
        "h ssh-ed25519 %%%%\n",
        &format!("@wrong h {ED25519}\n"),
        "h ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n",
        "h 1024 35 1234567\n",
        "h ssh-dss AAAAB3NzaC1kc3M=\n",
    ] {
        let check = with(&format!("# c\n{bad}{good}"));
        assert_said(&check, Verdict::Advice, &["One line", "line 2", "ssh-keygen -R"], "Delete line 2");
    }
    assert_said(&with("x\n# c\ny\n"), Verdict::Advice, &["2 lines", "line 1"], "Delete line 1");
    assert_said(&with(&format!("\u{feff}h {ED25519}\n")), Verdict::Advice, &["byte order mark"], "UTF-8");
    assert_said(&with("h\0x"), Verdict::Problem, &["NUL"], "mv ~/.ssh/known_hosts");
}

#[test]
fn entries_and_sessions_must_agree() {
    let dead = BLOCK.replace("Host *\n", "Host old\n    HostName h\nHost *\n");
    assert_said(&config("entries", &dead), Verdict::Advice, &["old"], "repair your sessions");
    let missing = check("entries", |found| found.sessions.push("trainer".parse().unwrap()));
    assert_said(&missing, Verdict::Problem, &["trainer"], "repair your sessions");
    assert!(!missing.detail.contains("colab"), "{}", missing.detail);
}

#[test]
fn a_missing_block_is_a_problem_once_there_are_sessions() {
    let mut found = well();
    found.config = Some(b"Host box\n".to_vec());
    let order = examine(&found).into_iter().find(|check| check.id == "config-order").unwrap();
    assert_said(&order, Verdict::Problem, &["missing"], "repair your sessions");
}

#[test]
fn leftovers_are_named_with_the_command_that_removes_them() {
    let stray = PathBuf::from("/home/ada/.ssh/.config.moorline-7-x.tmp");
    let check = check("leftovers", |found| found.strays.push(stray));
    assert_said(&check, Verdict::Advice, &[], "rm ~/.ssh/.config.moorline-7-x.tmp");
}

#[test]
fn the_proxy_program_must_be_there_if_a_session_needs_it() {
    let with = |present| {
        let path = PathBuf::from("/home/ada/.local/share/moorline/bin/moorline-proxy");
        check("proxy-program", |found| found.proxy_program = Some(ProxyProgram { path, present }))
    };
    assert_eq!(with(true).verdict, Verdict::Ok);
    let gone = with(false);
    assert_said(
        &gone,
        Verdict::Problem,
        &["~/.local/share/moorline/bin/moorline-proxy is gone"],
        "repair your sessions",
    );
}

#[test]
fn a_colab_session_needs_a_sign_in() {
    let with = |google| check("google", |found| found.google = Some(google));
    let there = with(Ok("/home/ada/.config/colab-cli/token.json".to_owned()));
    assert_eq!(there.verdict, Verdict::Ok, "{there:?}");
    let gone = with(Err("nobody is signed in to Google; run google-colab-cli".to_owned()));
    assert_said(&gone, Verdict::Problem, &["nobody is signed in to Google."], "google-colab-cli");
    assert!(!examine(&well()).iter().any(|check| check.id == "google"), "nobody else is told of it");
}

#[test]
fn the_agent_may_hold_too_many_keys_or_not_answer() {
    let with = |agent| check("agent", |found| found.agent = agent);
    assert_said(&with(AgentFacts::Silent), Verdict::Advice, &["SSH_AUTH_SOCK"], "unset SSH_AUTH_SOCK");
    assert_said(&with(AgentFacts::Keys(6)), Verdict::Advice, &["6 keys"], "IdentitiesOnly yes");
    assert_eq!(with(AgentFacts::Keys(5)).verdict, Verdict::Ok);
    assert!(with(AgentFacts::Keys(1)).detail.contains("1 key."), "one key is no keys");
}

#[test]
fn a_clock_that_is_off_is_said_with_the_command_that_sets_it() {
    let at = |seconds: u64| {
        check("clock", |found| found.clock.now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    };
    assert_said(&at(0), Verdict::Problem, &["1970"], "timedatectl set-ntp true");
    assert_said(&at(4_200_000_000), Verdict::Problem, &["2103"], "timedatectl");
    let skewed = check("clock", |found| found.clock.file_skew = Some(61));
    assert_said(&skewed, Verdict::Advice, &["61 s"], "timedatectl");
    let loose = check("clock", |found| found.clock.synchronised = Some(false));
    assert_said(&loose, Verdict::Advice, &["not synchronised"], "timedatectl");
    let unknown = check("clock", |found| found.clock.synchronised = None);
    assert_eq!(unknown.verdict, Verdict::Ok, "a system that does not say is not blamed");
}

#[test]
fn editors_that_are_missing_or_read_another_config_are_named() {
    let none = check("editors", |found| found.editors.clear());
    assert_said(&none, Verdict::Advice, &["Neither"], "PATH");
    let only = check("editors", |found| found.editors = vec![(Editor::Terminal, "/usr/bin/xterm".into())]);
    assert_said(&only, Verdict::Advice, &["only a terminal"], "PATH");

    let moved = |reads: Result<PathBuf, String>| {
        let settings = PathBuf::from("/home/ada/.config/Code/User/settings.json");
        let entry = EditorConfigFile { editor: Editor::VsCode, settings, reads };
        check("editor-config-file", |found| found.editor_config_files.push(entry))
    };
    let other = moved(Ok("/home/ada/work/ssh".into()));
    assert_said(&other, Verdict::Problem, &["VS Code", "~/work/ssh"], "clear remote.SSH.configFile");
    let broken = moved(Err("line 3 is odd".to_owned()));
    assert_said(&broken, Verdict::Advice, &["line 3 is odd."], "~/.config/Code/User/settings.json");
}

#[test]
fn wsl_is_told_that_windows_editors_read_other_files() {
    assert_said(
        &check("wsl", |found| found.wsl = true),
        Verdict::Advice,
        &["Windows"],
        "Moorline for Windows",
    );
}

#[test]
fn a_folder_channel_without_its_folder_is_named_with_what_to_say() {
    let check = check("folder-channel", |found| found.folderless = vec!["colab".parse().unwrap()]);
    assert_said(
        &check,
        Verdict::Problem,
        &["The folder channel of colab is not there"],
        "name the two folders of colab's folder channel",
    );
}

#[test]
fn what_moorline_does_about_it_is_a_step_that_each_face_words() {
    let repair = NextStep::Repair { session: None };
    let refused = check("config-text", |found| found.config_refused = Some("It is odd; mend it".to_owned()));
    let Some(Next::WordsThenStep(_, step)) = refused.next else { panic!("{refused:?}") };
    assert_eq!(step, repair, "once the person has mended the file");
    let gone = check("login-key", |found| found.files.login_key = None);
    assert_eq!(gone.next, Some(Next::Step(repair)));
}
