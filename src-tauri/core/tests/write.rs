//! Settling, healing and forgetting on disk, with the real `ssh -G`.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's own steps may fail it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;
use moorline_core::repoint::change::{Change, SettleError};
use moorline_core::repoint::write::{forget, heal, preview, settle};
use moorline_core::ssh::SystemSsh;
use moorline_core::ssh::context::Tools;
use moorline_core::store::dirs::Dirs;
use moorline_core::store::pins_json::Pins;
use moorline_core::store::vault::MemoryVault;
use moorline_model::session::{Link, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{HostKey, Place, SshFilesError};
use tempfile::TempDir;

const THEIRS: &str = "User alice\n\nHost bastion\n  HostName 10.0.0.1\n";

struct Home {
    _dir: TempDir,
    tools: Tools,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(dir.path());
        Dirs::create_private(&dirs.ssh).unwrap();
        // No moorline-proxy is beside a test's own program.
        Dirs::create_private(dirs.proxy_program().parent().unwrap()).unwrap();
        fs::write(dirs.proxy_program(), "").unwrap();
        fs::write(dirs.ssh.join("config"), THEIRS).unwrap();
        let ssh = SystemSsh::find(Some(dir.path())).unwrap();
        Self { tools: Tools { dirs, vault: Box::new(MemoryVault::default()), ssh, askpass: None }, _dir: dir }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.tools.dirs.ssh.join(name)).unwrap_or_default()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.tools.dirs.ssh.join(name), bytes).unwrap();
    }
}

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn session(port: &str) -> Session {
    let place = Place { host: "127.0.0.1".parse().unwrap(), port: port.parse().unwrap() };
    Session {
        name: "colab".parse().unwrap(),
        link: Link::Direct(place),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    }
}

fn change(session: &Session, was: Option<&Session>, key: Option<HostKey>) -> Change {
    Change {
        was: was.cloned(),
        keys: key.map(|key| (key, Trust::Approved)).into_iter().collect(),
        ..Change::of(session.clone(), Timestamp::UNIX_EPOCH)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_revoked_key_is_refused_before_anything_is_written() {
    for names in ["*", "colab", "x,[127.0.0.1]:2222"] {
        let home = Home::new();
        let known_hosts = format!("# mine\n@revoked {names} {}\n", key(7));
        home.write("known_hosts", known_hosts.as_bytes());
        let change = change(&session("2222"), None, Some(key(7)));
        for refused in [
            block_on(preview(&home.tools, &change)).unwrap_err(),
            block_on(settle(&home.tools, &change)).unwrap_err(),
        ] {
            let said = refused.to_string();
            assert!(matches!(refused, SettleError::Revoked { line: 2, .. }), "{names}: {said}");
            assert!(said.contains("line 2 of ") && said.contains("SHA256:"), "{said}");
        }
        assert_eq!((home.file("config").as_str(), home.file("known_hosts")), (THEIRS, known_hosts));
        assert!(!home.tools.dirs.sessions_file().exists() && !home.tools.dirs.pins_file().exists());
    }
    let home = Home::new();
    home.write("known_hosts", format!("@revoked * {}\n", key(8)).as_bytes());
    block_on(settle(&home.tools, &change(&session("2222"), None, Some(key(7))))).unwrap();
}

#[test]
fn settled_moved_and_forgotten_leaves_the_person_s_bytes() {
    let home = Home::new();
    let theirs =
        "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd";
    home.write("known_hosts", theirs.as_bytes());
    let (first, second) = (session("1001"), session("1002"));
    block_on(settle(&home.tools, &change(&first, None, Some(key(1))))).unwrap();
    assert!(home.file("config").ends_with(THEIRS) && home.file("config").contains("Port 1001"));
    assert!(home.file("known_hosts").contains("colab,[127.0.0.1]:1001 ssh-ed25519"));

    let again = block_on(settle(&home.tools, &change(&first, Some(&first), Some(key(1))))).unwrap();
    assert!(!again.config.changed() && !again.known_hosts.changed(), "a second run writes nothing");

    block_on(settle(&home.tools, &change(&second, Some(&first), Some(key(2))))).unwrap();
    let known = home.file("known_hosts");
    assert!(!known.contains("1001") && known.contains("colab,[127.0.0.1]:1002"), "{known}");
    let pins = Pins::load(&home.tools.dirs.pins_file()).unwrap();
    let written = &pins.get(&second.name).unwrap().written;
    assert_eq!(written.len(), 1, "what was taken out is no longer remembered: {written:?}");

    forget(&home.tools, &second.name).unwrap();
    assert_eq!((home.file("config").as_str(), home.file("known_hosts").as_str()), (THEIRS, theirs));
}

#[test]
fn a_refused_file_means_that_nothing_at_all_is_written() {
    let home = Home::new();
    home.write("config", b"\xef\xbb\xbfHost a\n");
    let refused = block_on(settle(&home.tools, &change(&session("1001"), None, Some(key(1)))));
    assert!(matches!(refused, Err(SettleError::SshFiles(SshFilesError::Refused { .. }))), "{refused:?}");
    assert_eq!(home.file("known_hosts"), "");
    assert!(!home.tools.dirs.sessions_file().exists() && !home.tools.dirs.pins_file().exists());
}

#[test]
fn a_file_that_is_locked_leaves_session_and_pins_as_they_were() {
    let home = Home::new();
    let first = session("1001");
    block_on(settle(&home.tools, &change(&first, None, Some(key(1))))).unwrap();
    let files = || {
        let dirs = &home.tools.dirs;
        (fs::read(dirs.sessions_file()).unwrap(), fs::read(dirs.pins_file()).unwrap(), home.file("config"))
    };
    let before = files();
    // Something stands where the lock belongs, which a preview does not look at.
    fs::create_dir(home.tools.dirs.ssh.join(".known_hosts.moorline-lock")).unwrap();
    let failed = block_on(settle(&home.tools, &change(&session("1002"), Some(&first), Some(key(2)))));
    assert!(matches!(failed, Err(SettleError::SshFiles(_))), "{failed:?}");
    assert_eq!(files(), before);
}

#[test]
fn an_entry_that_ssh_would_read_differently_is_never_put_in_place() {
    let home = Home::new();
    // Every host goes through a proxy, ours too, and ssh would dial something else than was compared.
    let theirs = "Host *\n  ProxyCommand /bin/false\n";
    home.write("config", theirs.as_bytes());
    let refused = block_on(settle(&home.tools, &change(&session("1001"), None, Some(key(1)))));
    assert!(matches!(refused, Err(SettleError::Verify(_))), "{refused:?}");
    assert_eq!((home.file("config").as_str(), home.file("known_hosts").as_str()), (theirs, ""));
    assert!(!home.tools.dirs.sessions_file().exists());
}

#[test]
fn a_change_that_was_overtaken_is_refused() {
    let home = Home::new();
    let (first, second, third) = (session("1001"), session("1002"), session("1003"));
    block_on(settle(&home.tools, &change(&first, None, Some(key(1))))).unwrap();
    block_on(settle(&home.tools, &change(&second, Some(&first), Some(key(2))))).unwrap();
    let before = home.file("config");
    let late = block_on(settle(&home.tools, &change(&third, Some(&first), Some(key(3)))));
    assert!(matches!(late, Err(SettleError::Overtaken(_))), "{late:?}");
    assert_eq!(home.file("config"), before);
}

#[test]
fn healing_brings_back_what_was_broken_by_hand() {
    let home = Home::new();
    let session = session("1001");
    block_on(settle(&home.tools, &change(&session, None, Some(key(1))))).unwrap();
    let (config, known) = (home.file("config"), home.file("known_hosts"));
    home.write("config", config.replace("Port 1001", "Port 9").as_bytes());
    home.write("known_hosts", b"");
    let report = block_on(heal(&home.tools, &session, Timestamp::UNIX_EPOCH)).unwrap();
    assert_eq!((home.file("config"), home.file("known_hosts")), (config, known));
    assert!(report.config.backup.is_some(), "what a hand wrote into the block is kept");
}

#[test]
fn what_was_expected_at_one_address_is_not_taken_to_another() {
    let home = Home::new();
    let (first, second) = (session("1001"), session("1002"));
    let pins = || Pins::load(&home.tools.dirs.pins_file()).unwrap().get(&first.name).unwrap().clone();
    let print = key(9).fingerprint();
    let waiting = Change { expected: vec![print], ..change(&first, None, None) };
    block_on(settle(&home.tools, &waiting)).unwrap();
    assert_eq!(pins().expected, [print]);
    block_on(settle(&home.tools, &change(&second, Some(&first), None))).unwrap();
    assert!(pins().expected.is_empty());
}

#[test]
fn sessions_that_go_round_in_circles_are_refused_also_when_edited_by_hand() {
    let home = Home::new();
    let toml = "[session.a]\nlink = \"relay\"\nrelay = \"me@b\"\nport = 1\n\
                [session.b]\nlink = \"direct\"\nhost = \"h\"\nport = 2\n";
    Dirs::create_private(&home.tools.dirs.config).unwrap();
    fs::write(home.tools.dirs.sessions_file(), toml).unwrap();
    let refused = block_on(settle(&home.tools, &change(&session("1001"), None, Some(key(1)))));
    assert!(matches!(refused, Err(SettleError::RelayIsSession { .. })), "{refused:?}");
    assert_eq!(home.file("config"), THEIRS);
}

#[test]
fn a_preview_shows_the_outcome_and_touches_nothing() {
    let home = Home::new();
    let report = block_on(preview(&home.tools, &change(&session("1001"), None, Some(key(1))))).unwrap();
    assert!(report.config.changed() && report.known_hosts.changed());
    assert_eq!((home.file("config").as_str(), home.file("known_hosts").as_str()), (THEIRS, ""));
    assert!(!home.tools.dirs.state.exists() && !home.tools.dirs.config.exists());
}

#[test]
fn what_is_made_is_for_the_person_alone() {
    let home = Home::new();
    fs::remove_file(home.tools.dirs.ssh.join("config")).unwrap();
    fs::remove_dir(&home.tools.dirs.ssh).unwrap();
    block_on(settle(&home.tools, &change(&session("1001"), None, Some(key(1))))).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dirs = &home.tools.dirs;
    for dir in [&dirs.ssh, &dirs.config, &dirs.state, &dirs.backups()] {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
    for file in
        [dirs.ssh.join("config"), dirs.ssh.join("known_hosts"), dirs.sessions_file(), dirs.pins_file()]
    {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}
