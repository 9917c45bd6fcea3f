//! A secret stays with what it was given for, whatever fails in between.

use std::sync::Arc;

use jiff::Timestamp;
use moorline_model::trust::Trust;
use moorline_ssh_files::{HostKey, Place};
use secrecy::ExposeSecret;

use super::*;
use crate::repoint::change::Change;
use crate::repoint::write;
use crate::ssh::SystemSsh;
use crate::store::installed_programs;
use crate::store::vault::MemoryVault;

struct Home {
    _dir: tempfile::TempDir,
    tools: Tools,
    vault: Arc<MemoryVault>,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(dir.path());
        Dirs::create_private(&dirs.ssh).unwrap();
        installed_programs::pretend(&dirs);
        let vault = Arc::new(MemoryVault::default());
        let ssh = SystemSsh::find(Some(dir.path())).unwrap();
        let tools = Tools { dirs, vault: Box::new(Arc::clone(&vault)), ssh, askpass: None };
        Self { _dir: dir, tools, vault }
    }

    fn settle(&self, was: Option<&Session>, now: &Session, key: &HostKey, trust: Trust) {
        let change = Change {
            was: was.cloned(),
            keys: vec![(key.clone(), trust)],
            ..Change::of(now.clone(), Timestamp::UNIX_EPOCH)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(write::settle(&self.tools, &change)).unwrap();
    }

    /// The password for the session as it is on disk by now: what would be sent, and where.
    fn usable(&self) -> Option<String> {
        let (dirs, name) = (&self.tools.dirs, "colab".parse().unwrap());
        let sessions = SessionsFile::load(&dirs.sessions_file()).unwrap();
        let pinned = Pins::load(&dirs.pins_file()).unwrap().keys_of(&name);
        match password_for(&self.tools, sessions.get(&name).unwrap(), &pinned).unwrap() {
            Kept::Here(password) => Some(password.expose_secret().to_owned()),
            Kept::GivenFor(_) | Kept::None => None,
        }
    }

    /// What the person is shown.
    fn shown(&self) -> String {
        text(password_to_show(&self.tools.dirs, &*self.tools.vault, &"colab".parse().unwrap()).unwrap())
    }
}

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn session(port: u16) -> Session {
    let place = Place { host: "127.0.0.1".parse().unwrap(), port: port.try_into().unwrap() };
    Session {
        name: "colab".parse().unwrap(),
        link: Link::Direct(place),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    }
}

fn through_relay(relay: &str) -> Session {
    let (relay, port) = (relay.parse().unwrap(), 7423.try_into().unwrap());
    let link = Link::Relay(moorline_model::session::RelayLink { relay, port, mine_alone: false });
    Session { link, ..session(1) }
}

fn text(kept: Kept) -> String {
    match kept {
        Kept::Here(secret) => secret.expose_secret().to_owned(),
        Kept::GivenFor(other) => format!("for {other}"),
        Kept::None => "none".to_owned(),
    }
}

#[test]
fn a_password_is_for_its_user_link_and_key() {
    let home = Home::new();
    let here = session(1001);
    let look = |session: &Session, keys: &[HostKey]| text(password_for(&home.tools, session, keys).unwrap());
    assert_eq!(look(&here, &[key(1)]), "none");
    keep_password(&home.tools, &here, &key(1), &"pw".into()).unwrap();
    assert_eq!(look(&here, &[key(2), key(1)]), "pw");
    let print = key(1).fingerprint();
    let for_it = format!("for direct 127.0.0.1:1001 (user root, host key {print})");
    assert_eq!(look(&here, &[key(2)]), for_it);
    assert_eq!(look(&here, &[]), for_it, "nothing is pinned");
    assert_eq!(look(&session(1002), &[key(1)]), for_it);
    assert_eq!(look(&Session { user: "ada".parse().unwrap(), ..here.clone() }, &[key(1)]), for_it);
    let other = Session { name: "trainer".parse().unwrap(), ..here };
    assert_eq!(look(&other, &[key(1)]), "none", "it is not another session's");
}

#[test]
fn the_only_key_that_may_get_it_is_the_one_it_was_given_for() {
    let home = Home::new();
    keep_password(&home.tools, &session(1001), &key(2), &"pw".into()).unwrap();
    let found = password_and_key(&*home.tools.vault, &session(1001), &[key(1), key(2)]).unwrap();
    assert!(matches!(found, Password::Here(_, given) if given == key(2)));
}

#[test]
fn what_does_not_say_what_it_is_for_is_used_for_nothing_and_said() {
    let home = Home::new();
    let name = SecretName::of("colab".parse().unwrap(), SecretKind::Password);
    home.vault.set(&name, &"hunter2".into()).unwrap();
    let found = text(password_for(&home.tools, &session(1001), &[key(1)]).unwrap());
    assert_eq!(found, "for something that it does not name");
    assert_eq!(delete(&*home.tools.vault, &"colab".parse().unwrap(), SecretKind::Password), Ok(1));
    assert_eq!(home.vault.list(), Ok(vec![]));
}

#[test]
fn what_is_stale_goes_and_nothing_else() {
    let home = Home::new();
    let (old, new) = (session(1001), session(1002));
    let other = Session { name: "trainer".parse().unwrap(), ..session(1001) };
    for (session, key, password) in [(&old, key(1), "old"), (&new, key(2), "new"), (&other, key(1), "other")]
    {
        keep_password(&home.tools, session, &key, &password.into()).unwrap();
    }
    drop_stale(&home.tools, &new, &key(2));
    assert_eq!(home.vault.list().unwrap().len(), 2);
    assert_eq!(text(password_for(&home.tools, &new, &[key(2)]).unwrap()), "new");
    assert_eq!(text(password_for(&home.tools, &other, &[key(1)]).unwrap()), "other");
    keep_password_without_key(&home.tools, &old, &"early".into()).unwrap();
    drop_stale_without_key(&home.tools, &old);
    let found = text(password_for(&home.tools, &old, &[key(1), key(2)]).unwrap());
    assert_eq!(found, "for direct 127.0.0.1:1001 (user root, before a host key was known)");
}

#[test]
fn a_key_that_a_person_vouched_for_takes_the_password_along() {
    for (trust, follows) in [
        (Trust::FirstUse, false),
        (Trust::Channel, true),
        (Trust::Approved, true),
        (Trust::Pasted, true),
        (Trust::Announced, true),
        (Trust::Derived, true),
    ] {
        let home = Home::new();
        let here = session(1001);
        home.settle(None, &here, &key(1), Trust::Pasted);
        keep_password(&home.tools, &here, &key(1), &"pw".into()).unwrap();
        home.settle(Some(&here), &here, &key(2), trust);
        assert_eq!(home.usable().is_some(), follows, "{trust:?}");
        assert_eq!(home.vault.list().unwrap().len(), 1, "{trust:?}: there is one password still");
    }
}

#[test]
fn no_trust_takes_the_password_to_another_address() {
    for trust in [Trust::Channel, Trust::Approved, Trust::Pasted, Trust::Announced, Trust::Derived] {
        let home = Home::new();
        let (here, there) = (session(1001), session(1002));
        home.settle(None, &here, &key(1), Trust::Pasted);
        keep_password(&home.tools, &here, &key(1), &"pw".into()).unwrap();
        assert_eq!(home.shown(), "pw");
        home.settle(Some(&here), &there, &key(2), trust);
        assert_eq!(home.usable(), None, "{trust:?}");
        assert!(home.shown().starts_with("for direct 127.0.0.1:1001 "), "{trust:?}: {}", home.shown());
        home.settle(Some(&there), &there, &key(3), trust);
        assert_eq!(home.usable(), None, "{trust:?}: nor does staying there");
    }
}

#[test]
fn what_was_given_before_a_key_was_known_waits_for_one_at_that_very_link() {
    let home = Home::new();
    let (here, there) = (session(1001), session(1002));
    home.settle(None, &here, &key(1), Trust::Pasted);
    keep_password_without_key(&home.tools, &there, &"pw".into()).unwrap();
    home.settle(Some(&here), &here, &key(2), Trust::Approved);
    assert_eq!(home.usable(), None, "it is for another link");
    home.settle(Some(&here), &there, &key(3), Trust::FirstUse);
    assert_eq!(home.usable(), None, "the move itself proves nothing of the link");
    assert_eq!(home.shown(), "pw", "it is the person's to see");
    home.settle(Some(&there), &there, &key(3), Trust::FirstUse);
    assert_eq!(home.usable().as_deref(), Some("pw"));
}

#[test]
fn a_password_that_was_just_given_is_not_replaced_by_the_one_before() {
    let home = Home::new();
    let here = session(1001);
    home.settle(None, &here, &key(1), Trust::Pasted);
    keep_password(&home.tools, &here, &key(1), &"old".into()).unwrap();
    keep_password(&home.tools, &here, &key(2), &"new".into()).unwrap();
    home.settle(Some(&here), &here, &key(2), Trust::Approved);
    assert_eq!(home.usable().as_deref(), Some("new"));
}

/// What a change does to the vault, interrupted before each of its writes in turn, as a crash or a keyring that fails
/// does: what is usable after that was given for where the session is.
#[test]
fn wherever_a_change_is_interrupted_each_password_is_for_its_own() {
    for moves in [true, false] {
        for writes in 0..4 {
            let home = Home::new();
            let old = session(1001);
            let new = if moves { session(1002) } else { old.clone() };
            home.settle(None, &old, &key(1), Trust::Pasted);
            keep_password(&home.tools, &old, &key(1), &"old".into()).unwrap();
            // Keep the new, commit, let go of the old: the order of `moorline add`.
            home.vault.fail_after_writes(writes);
            let kept = keep_password(&home.tools, &new, &key(2), &"new".into());
            assert_eq!(kept.is_ok(), writes > 0, "the first write is this one");
            let before = home.usable();
            home.vault.fail_with(None);
            assert_eq!(before.as_deref(), Some("old"), "{writes}: not committed, so the old one for the old");
            home.vault.fail_after_writes(writes.saturating_sub(1));
            home.settle(Some(&old), &new, &key(2), Trust::Approved);
            home.vault.stop_failing();
            let after = home.usable();
            let wanted = match (kept.is_ok(), moves) {
                (true, _) => Some("new"),
                (false, true) => None,
                // The keyring failed at this write, too; or it was taken along, as the person vouched for the key.
                (false, false) => after.as_deref().filter(|password| *password == "old"),
            };
            assert_eq!(after.as_deref(), wanted, "{writes}, moves: {moves}");
            if moves {
                let there = text(password_for(&home.tools, &old, &[key(1)]).unwrap());
                assert_eq!(there, "old", "{writes}: still there for where it was given, and nowhere else");
            }
            drop_stale(&home.tools, &new, &key(2));
            assert_eq!(home.vault.list().unwrap().len(), usize::from(after.is_some()), "{writes}");
        }
    }
}

/// Taking along is two writes, new and old; either may fail, and so may both.
#[test]
fn a_keyring_that_fails_while_a_password_is_taken_along_loses_and_opens_nothing() {
    for (writes, usable, left) in [(0, None, 1), (1, Some("pw"), 2), (2, Some("pw"), 1)] {
        let home = Home::new();
        let here = session(1001);
        home.settle(None, &here, &key(1), Trust::Pasted);
        keep_password(&home.tools, &here, &key(1), &"pw".into()).unwrap();
        home.vault.fail_after_writes(writes);
        home.settle(Some(&here), &here, &key(2), Trust::Approved);
        home.vault.stop_failing();
        assert_eq!((home.usable().as_deref(), home.vault.list().unwrap().len()), (usable, left), "{writes}");
    }
    let home = Home::new();
    let here = session(1001);
    home.settle(None, &here, &key(1), Trust::Pasted);
    keep_password(&home.tools, &here, &key(1), &"pw".into()).unwrap();
    home.vault.fail_with(Some(VaultError::Locked));
    home.settle(Some(&here), &here, &key(2), Trust::Approved);
    home.vault.fail_with(None);
    assert_eq!(home.usable(), None, "what could not be read is not taken along");
    let found = text(password_for(&home.tools, &here, &[key(2)]).unwrap());
    assert!(found.contains(&key(1).fingerprint().to_string()), "and it is said: {found}");
}

#[test]
fn a_relay_password_is_for_its_relay_as_ssh_understands_it() {
    let home = Home::new();
    let config = |host: &str| {
        let text = format!("Host home\n  HostName {host}\n  User me\n");
        std::fs::write(home.tools.dirs.ssh.join("config"), text).unwrap();
    };
    let look = |session: &Session| text(relay_password_for(&home.tools, session).unwrap());
    config("10.0.0.1");
    let here = through_relay("home");
    keep_relay_password(&home.tools, &here, &"pw".into()).unwrap();
    assert_eq!(look(&here), "pw");
    assert_eq!(look(&through_relay("me@other")), "for home, which was me@10.0.0.1:22");
    config("10.0.0.2");
    assert_eq!(look(&here), "for home, which was me@10.0.0.1:22", "the name leads elsewhere by now");
    keep_relay_password(&home.tools, &through_relay("me@other"), &"another".into()).unwrap();
    drop_stale_relay_passwords(&home.tools, &through_relay("me@other"));
    assert_eq!((look(&through_relay("me@other")), home.vault.list().unwrap().len()), ("another".into(), 1));
    assert_eq!(
        look(&session(1001)),
        "for me@other, which was me@other:22",
        "nor is it for a session without a relay"
    );
    assert!(keep_relay_password(&home.tools, &session(1001), &"pw".into()).is_err());
}

#[test]
fn a_service_token_is_for_its_host_name() {
    let vault = MemoryVault::default();
    let (colab, trainer): (Alias, Alias) = ("colab".parse().unwrap(), "trainer".parse().unwrap());
    let (here, there) = ("a.example".parse().unwrap(), "b.example".parse().unwrap());
    keep_service_token(&vault, &colab, &here, &"id secret".into()).unwrap();
    assert!(service_token_for(&vault, &colab, &here).unwrap().is_some());
    assert!(service_token_for(&vault, &colab, &there).unwrap().is_none());
    assert!(service_token_for(&vault, &trainer, &here).unwrap().is_none());
    drop_stale_service_tokens(&vault, &colab, &there);
    assert_eq!(vault.list(), Ok(vec![]));
}

#[test]
fn no_secret_shows() {
    let kept = Kept::Here(SecretString::from("correct horse"));
    assert!(!format!("{kept:?}").contains("horse"));
}
