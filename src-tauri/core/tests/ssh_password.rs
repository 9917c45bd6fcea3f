//! The password login against OpenSSH's own server, on a machine with a throw-away home and shadow file.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod support;

use moorline_core::ssh::{Installed, LoginError, LoginKey, install_login_key};
use moorline_ssh_files::HostKey;
use moorline_tests::Runtime;
use moorline_tests::machine::Machine;
use secrecy::SecretString;

use support::{LIMIT, block_on, tcp};

#[test]
fn a_password_installs_the_key_on_a_real_sshd() {
    if !Machine::takes_passwords() {
        // Without root sshd cannot be given a password of its own; the practice runtime stands in elsewhere.
        return;
    }
    let runtime = Runtime::start();
    let home = tempfile::tempdir().unwrap();
    let key = LoginKey::ensure(&home.path().join("id")).unwrap();
    let public = runtime.host_key().public();
    let pinned: HostKey = public.split(' ').take(2).collect::<Vec<_>>().join(" ").parse().unwrap();
    let user = runtime.user().parse().unwrap();
    let install = |password: &str| {
        let password = SecretString::from(password);
        let pinned = [pinned.clone()];
        block_on(install_login_key(&tcp(runtime.port()), &pinned, &user, &password, &key, LIMIT))
    };
    let authorized = runtime.machine().disk().join(".ssh/authorized_keys");
    let wrong = install("not the password").unwrap_err();
    assert!(matches!(wrong, LoginError::WrongPassword), "{wrong:?}");
    assert!(!authorized.exists(), "nothing was written");
    assert_eq!(install(runtime.password()).unwrap(), Installed::Added);
    assert_eq!(std::fs::read_to_string(&authorized).unwrap(), format!("{}\n", key.public_line()));
    assert_eq!(install(runtime.password()).unwrap(), Installed::AlreadyThere);
}
