//! Putting the login key on a runtime: the password travels to a proven host only, and once.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[cfg(test)]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use moorline_core::ssh::practice::{PasswordBy, PracticeEvent, PracticeOptions, PracticeRuntime};
use moorline_core::ssh::{
    Installed, LoginError, LoginKey, LoginKeyError, Route, install_login_key, key_login_works,
};
use moorline_ssh_files::{HostKey, UserName};
use secrecy::SecretString;

use support::{LIMIT, Sshd, block_on, user};

fn start(password_by: PasswordBy) -> PracticeRuntime {
    PracticeRuntime::start(PracticeOptions { password_by, ..PracticeOptions::default() }).unwrap()
}

fn key(home: &Path) -> LoginKey {
    LoginKey::ensure(&home.join(".ssh/moorline_ed25519")).unwrap()
}

fn install(
    runtime: &PracticeRuntime,
    pinned: &[HostKey],
    password: &SecretString,
    key: &LoginKey,
) -> Result<Installed, LoginError> {
    let route = Route::Tcp(runtime.place());
    block_on(install_login_key(&route, pinned, runtime.user(), password, key, LIMIT))
}

fn works(runtime: &PracticeRuntime, key: &LoginKey) -> bool {
    let (route, pinned) = (Route::Tcp(runtime.place()), [runtime.host_key().clone()]);
    block_on(key_login_works(&route, &pinned, runtime.user(), key, LIMIT)).unwrap()
}

#[test]
fn a_password_installs_the_key_once() {
    for password_by in [PasswordBy::Password, PasswordBy::KeyboardInteractive] {
        let home = tempfile::tempdir().unwrap();
        let (runtime, key) = (start(password_by), key(home.path()));
        let pinned = [runtime.host_key().clone()];
        assert!(!works(&runtime, &key), "nobody gave it the key yet");
        assert_eq!(install(&runtime, &pinned, runtime.password(), &key).unwrap(), Installed::Added);
        assert!(works(&runtime, &key));
        assert_eq!(install(&runtime, &pinned, runtime.password(), &key).unwrap(), Installed::AlreadyThere);
        let file = runtime.home().join(".ssh/authorized_keys");
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            format!("{}\n", key.public_line()),
            "one line, once"
        );
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let dir = std::fs::metadata(file.parent().unwrap()).unwrap();
        assert_eq!(dir.permissions().mode() & 0o777, 0o700);
        for event in runtime.seen() {
            let PracticeEvent::Ran(Some(line)) = event else { continue };
            assert!(!line.contains("AAAA"), "the key travels on standard input, not in the command: {line}");
        }
    }
}

#[test]
fn what_stood_in_authorized_keys_stays() {
    let home = tempfile::tempdir().unwrap();
    let (runtime, key) = (start(PasswordBy::Password), key(home.path()));
    let dir = runtime.home().join(".ssh");
    let file = dir.join("authorized_keys");
    std::fs::create_dir(&dir).unwrap();
    let half: String = key.public_line().split(' ').take(2).collect::<Vec<_>>().join(" ");
    // No final line end, odd mode, the key itself only in a comment.
    let before = format!("# {half}\r\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGp5 someone\\n else");
    std::fs::write(&file, &before).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let pinned = [runtime.host_key().clone()];
    assert_eq!(install(&runtime, &pinned, runtime.password(), &key).unwrap(), Installed::Added);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{before}\n{}\n", key.public_line()));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640, "its mode is theirs");

    // With another comment it is the same key.
    std::fs::write(&file, format!("{half} renamed\n")).unwrap();
    assert_eq!(install(&runtime, &pinned, runtime.password(), &key).unwrap(), Installed::AlreadyThere);
}

#[test]
fn nothing_is_sent_to_a_host_with_another_key() {
    let home = tempfile::tempdir().unwrap();
    let (runtime, stranger, key) =
        (start(PasswordBy::Password), start(PasswordBy::Password), key(home.path()));
    let error = install(&runtime, &[stranger.host_key().clone()], runtime.password(), &key).unwrap_err();
    assert!(matches!(&error, LoginError::WrongKey { got } if got == runtime.host_key()), "{error:?}");
    assert!(error.to_string().contains(&runtime.host_key().fingerprint().to_string()), "{error}");
    let error = install(&runtime, &[], runtime.password(), &key).unwrap_err();
    assert!(matches!(error, LoginError::NoPinnedKey), "{error:?}");
    assert_eq!(runtime.seen(), [PracticeEvent::Connected], "no authentication request arrived");
}

#[test]
fn a_key_type_that_is_not_pinned_is_a_wrong_key() {
    let home = tempfile::tempdir().unwrap();
    let sshd = Sshd::with(&["ecdsa", "ed25519"], "");
    let stranger = start(PasswordBy::Nothing);
    let login = |pinned: HostKey| {
        let user: UserName = user().parse().unwrap();
        block_on(key_login_works(&sshd.route(), &[pinned], &user, &key(home.path()), LIMIT))
    };
    assert!(matches!(login(stranger.host_key().clone()), Err(LoginError::WrongKey { .. })));
    assert!(!sshd.log().contains("userauth-request"), "{}", sshd.log());
    assert!(
        !login(sshd.host_key("ecdsa")).unwrap(),
        "a server with several keys is asked for the pinned one"
    );
}

#[test]
fn a_wrong_password_is_tried_once() {
    for password_by in [PasswordBy::Password, PasswordBy::KeyboardInteractive] {
        let home = tempfile::tempdir().unwrap();
        let (runtime, key) = (start(password_by), key(home.path()));
        let wrong = SecretString::from("correct horse");
        let error = install(&runtime, &[runtime.host_key().clone()], &wrong, &key).unwrap_err();
        assert!(matches!(error, LoginError::WrongPassword), "{password_by:?}: {error:?}");
        let tried = runtime.seen().iter().filter(|e| matches!(e, PracticeEvent::Password { .. })).count();
        assert_eq!(tried, 1, "{password_by:?}");
        assert!(!format!("{error:?} {error}").contains("horse"));
    }
}

#[test]
fn a_server_that_takes_no_password_gets_none() {
    let home = tempfile::tempdir().unwrap();
    let (runtime, key) = (start(PasswordBy::Nothing), key(home.path()));
    let error = install(&runtime, &[runtime.host_key().clone()], runtime.password(), &key).unwrap_err();
    assert!(
        matches!(&error, LoginError::PasswordNotOffered { offered } if offered == "publickey"),
        "{error:?}"
    );
    assert!(!runtime.seen().iter().any(|e| matches!(e, PracticeEvent::Password { .. })));
}

#[test]
fn a_disk_that_takes_no_key_is_said_so() {
    let home = tempfile::tempdir().unwrap();
    let (runtime, key) = (start(PasswordBy::Password), key(home.path()));
    std::fs::write(runtime.home().join(".ssh"), "a file in the way").unwrap();
    let error = install(&runtime, &[runtime.host_key().clone()], runtime.password(), &key).unwrap_err();
    assert!(matches!(&error, LoginError::NotStored { said } if said.contains(".ssh")), "{error:?}");
}

#[test]
fn the_key_logs_in_to_a_real_sshd() {
    let home = tempfile::tempdir().unwrap();
    let (sshd, key) = (Sshd::start(), key(home.path()));
    let user: UserName = user().parse().unwrap();
    let works =
        || block_on(key_login_works(&sshd.route(), &[sshd.host_key("ed25519")], &user, &key, LIMIT)).unwrap();
    assert!(!works());
    assert!(sshd.log().contains("userauth-request"), "the log would show an attempt: {}", sshd.log());
    std::fs::write(sshd.authorized_keys(), format!("{}\n", key.public_line())).unwrap();
    assert!(works());
    // And OpenSSH's own client takes the file.
    let printed =
        std::process::Command::new("ssh-keygen").arg("-y").arg("-f").arg(key.path()).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(printed.trim(), key.public_line(), "{printed}");
}

#[test]
fn the_key_is_made_once_and_never_replaced() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".ssh/moorline_ed25519");
    let racing: Vec<String> = std::thread::scope(|scope| {
        let makers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| LoginKey::ensure(&path).unwrap().public_line())).collect();
        makers.into_iter().map(|m| m.join().unwrap()).collect()
    });
    assert!(racing.iter().all(|line| line == &racing[0]), "all end with one key: {racing:?}");
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let public = path.with_extension("pub");
    assert_eq!(mode(&public), 0o644);
    assert_eq!(std::fs::read_to_string(&public).unwrap().trim(), racing[0]);
    assert!(racing[0].starts_with("ssh-ed25519 AAAA") && racing[0].contains(" moorline@"), "{}", racing[0]);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "no temporary file stays");

    let private = std::fs::read(&path).unwrap();
    std::fs::remove_file(&public).unwrap();
    LoginKey::ensure(&path).unwrap();
    assert!(public.exists(), "a lost public half is made anew");
    assert_eq!(std::fs::read(&path).unwrap(), private);

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = LoginKey::ensure(&path).unwrap_err();
    assert!(matches!(error, LoginKeyError::TooOpen { mode: 0o644, .. }), "{error:?}");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn foreign_files_in_the_key_s_place_are_refused_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("moorline_ed25519");
    let set = |content: &str| {
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    set("not a key");
    assert!(matches!(LoginKey::ensure(&path), Err(LoginKeyError::Foreign { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    assert!(!path.with_extension("pub").exists());

    let other = home.path().join("other");
    support::keygen("ecdsa", &other);
    set(&std::fs::read_to_string(&other).unwrap());
    let error = LoginKey::ensure(&path).unwrap_err();
    assert!(error.to_string().contains("ecdsa-sha2-nistp256"), "{error}");

    std::fs::remove_file(&path).unwrap();
    LoginKey::ensure(&path).unwrap();
    std::fs::copy(home.path().join("other.pub"), path.with_extension("pub")).unwrap();
    assert!(matches!(LoginKey::ensure(&path), Err(LoginKeyError::StrayPublic { .. })));
}

#[test]
fn the_key_never_shows_in_debug_output() {
    let home = tempfile::tempdir().unwrap();
    let text = format!("{:?}", key(home.path()));
    assert!(text.contains("moorline_ed25519") && !text.contains("PRIVATE") && text.len() < 300, "{text}");
}
