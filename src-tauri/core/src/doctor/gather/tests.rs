use super::super::{Verdict, examine};
use super::*;

struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home/.ssh", "state", "bin"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    fn at(&self, place: &str) -> PathBuf {
        self.root.path().join(place)
    }

    fn gather(&self, vars: &[(&str, &str)]) -> Surroundings {
        let home = self.at("home");
        let search = SearchEnv {
            os: Os::current(),
            root: self.root.path().to_owned(),
            path: Vec::new(),
            home: home.clone(),
            config_home: None,
            app_data: None,
            local_app_data: None,
            program_files: None,
            terminal: None,
            has_display: true,
            on_tty: false,
        };
        let check_config = |config: &[u8]| match config.first() {
            Some(0xef) => Err("it starts with a byte order mark".to_owned()),
            _ => Ok(()),
        };
        let mut vars: Vec<(OsString, OsString)> =
            vars.iter().map(|(key, value)| (key.into(), value.into())).collect();
        let bin = self.at("bin").into_os_string();
        vars.push(("PATH".into(), bin));
        gather(&Sources {
            home: &home,
            ssh_dir: &home.join(".ssh"),
            state_dir: &self.at("state"),
            search: &search,
            sessions: &[],
            folderless: &[],
            proxy_program: Some(&home.join("no-such-program")),
            google: None,
            keyring: Ok(()),
            check_config: &check_config,
            vars,
            now: SystemTime::now(),
        })
    }
}

#[test]
fn files_are_read_and_judged_as_they_are() {
    let machine = Machine::new();
    fs::write(machine.at("home/.ssh/config"), b"\xef\xbb\xbfHost a\n").unwrap();
    fs::write(machine.at("home/.ssh/known_hosts"), b"bad\n").unwrap();
    let found = machine.gather(&[]);
    assert_eq!(found.config.as_deref(), Some(&b"\xef\xbb\xbfHost a\n"[..]));
    assert_eq!(found.config_refused.as_deref(), Some("it starts with a byte order mark"));
    assert_eq!(found.known_hosts.as_deref(), Some(&b"bad\n"[..]));
    assert_eq!(found.files.login_key, None);
    assert_eq!((found.ssh_version.as_deref(), &found.agent), (None, &AgentFacts::NotSet));
    assert!(found.clock.file_skew.is_some_and(|skew| skew < 60), "both times are this machine's");
    assert!(found.proxy_program.as_ref().is_some_and(|program| !program.present));
    let problems: Vec<_> = examine(&found)
        .into_iter()
        .filter(|check| check.verdict == Verdict::Problem)
        .map(|check| check.id)
        .filter(|id| *id != "ssh-dir")
        .collect();
    assert_eq!(problems, ["ssh", "config-text", "proxy-program"]);
}

#[test]
fn loose_entries_are_found_in_included_files_too() {
    let machine = Machine::new();
    let ssh = machine.at("home/.ssh");
    let loose = |name: &str| format!("Host {name}\n  HostName 0.tcp.ngrok.io\n  StrictHostKeyChecking no\n");
    fs::write(ssh.join("config"), format!("Include work\n{}", loose("colab"))).unwrap();
    fs::write(ssh.join("work"), loose("gpu")).unwrap();
    let found = machine.gather(&[]).loose;
    let found: Vec<_> = found.iter().map(|f| (f.file.clone(), f.entry.alias.as_str(), f.editable)).collect();
    assert_eq!(found, [(ssh.join("config"), "colab", true), (ssh.join("work"), "gpu", false)]);
}

#[test]
fn only_old_files_of_ours_count_as_leftovers() {
    let machine = Machine::new();
    let names =
        [".config.moorline-1-a.tmp", ".known_hosts.moorline-lock", "config.moorline-x", ".config.swp"];
    for name in names {
        fs::write(machine.at("home/.ssh").join(name), "").unwrap();
    }
    let dir = machine.at("home/.ssh");
    assert_eq!(strays(&dir, SystemTime::now()), Vec::<PathBuf>::new(), "a write may be going on");
    let later = SystemTime::now() + STALE + Duration::from_secs(5);
    assert_eq!(
        strays(&dir, later),
        [dir.join(".config.moorline-1-a.tmp"), dir.join(".known_hosts.moorline-lock")]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_editor_that_reads_another_config_is_seen() {
    let machine = Machine::new();
    let settings = machine.at("home/.config/Code/User/settings.json");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(machine.at("home/.ssh/config"), "").unwrap();
    let reads = |text: &str| {
        fs::write(&settings, text).unwrap();
        machine.gather(&[]).editor_config_files.into_iter().map(|entry| entry.reads).next()
    };
    assert_eq!(reads("{\"remote.SSH.configFile\": \"~/work/ssh\"}"), Some(Ok(machine.at("home/work/ssh"))));
    assert_eq!(reads("{\"remote.SSH.configFile\": \"~/.ssh/config\"}"), None, "that is the usual file");
    assert!(matches!(reads("{"), Some(Err(_))));
    assert_eq!(reads("// nothing\n"), None);
}

#[cfg(unix)]
#[test]
fn leftovers_beside_the_target_of_a_link_count_too() {
    let machine = Machine::new();
    let dotfiles = machine.at("home/dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    fs::write(dotfiles.join("ssh_config"), "").unwrap();
    std::os::unix::fs::symlink("../dotfiles/ssh_config", machine.at("home/.ssh/config")).unwrap();
    fs::write(dotfiles.join(".ssh_config.moorline-1-a.tmp"), "").unwrap();
    let later = SystemTime::now() + STALE + Duration::from_secs(5);
    let found = strays(&machine.at("home/.ssh"), later);
    assert_eq!(found, [fs::canonicalize(dotfiles).unwrap().join(".ssh_config.moorline-1-a.tmp")]);
}

#[cfg(unix)]
mod commands {
    use super::*;
    use crate::editors::write_script;

    fn program(machine: &Machine, name: &str, script: &str) {
        write_script(&machine.at("bin").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    #[test]
    fn ssh_says_its_version_on_the_error_stream() {
        let machine = Machine::new();
        program(&machine, "ssh", "echo OpenSSH_9.2p1 >&2");
        assert_eq!(machine.gather(&[]).ssh_version.as_deref(), Some("OpenSSH_9.2p1\n"));
    }

    #[test]
    fn the_agents_answers_are_told_apart() {
        let machine = Machine::new();
        let set = [("SSH_AUTH_SOCK", "/run/agent")];
        let ask = |script: &str| {
            program(&machine, "ssh-add", script);
            machine.gather(&set).agent
        };
        assert_eq!(ask("echo '256 SHA256:a x (ED25519)'; echo '256 SHA256:b y (RSA)'"), AgentFacts::Keys(2));
        assert_eq!(ask("echo 'The agent has no identities.'; exit 1"), AgentFacts::Keys(0));
        assert_eq!(ask("echo 'Error connecting to agent' >&2; exit 2"), AgentFacts::Silent);
        assert_eq!(machine.gather(&[]).agent, AgentFacts::NotSet, "without the variable it is not asked");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let machine = Machine::new();
        program(&machine, "hang", "exec /bin/sleep 600");
        let program = machine.at("bin/hang");
        let answer = printed(Command::new(&program), Stream::Output, Duration::from_millis(50));
        assert_eq!(answer.map(|(_, text)| text), None);
    }
}
