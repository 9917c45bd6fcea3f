//! Logins that are refused, and installing the login key.

use super::*;

#[test]
fn a_refused_login_is_told_once() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    let tried = play.saw("colab", refused_login());
    assert_eq!(tried, [Effect::InstallKey(session("colab"))]);
    assert!(play.saw("colab", refused_login()).is_empty(), "one try at a time");
    let wrong = installed(KeyInstall::Failed("the runtime refused the password".to_owned()));
    let notice = only(&play.send(wrong));
    assert_eq!(notice.actions, [NoticeAction::Repair(name("colab"))]);
    assert_eq!(notice.body, "the runtime refused the password");
    assert!(matches!(play.health("colab"), Health::AuthFailed { .. }));
    assert!(play.saw("colab", refused_login()).is_empty(), "neither told nor tried again");
    assert!(play.after(60).is_empty());
    play.send(Msg::Asked(Request::Repair(name("colab"))));
    let again = play.saw("colab", refused_login());
    assert!(matches!(again[..], [Effect::InstallKey(_)]), "a person asked: {again:?}");
}

#[test]
fn a_stored_password_brings_a_new_disk_back_without_a_person() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", closed());
    play.saw("colab", new_key(2, true));
    play.send(Msg::Settled(name("colab"), Ok(())));
    let tried = play.saw("colab", refused_login());
    assert_eq!(tried, [Effect::InstallKey(session("colab"))]);
    play.second += 20;
    assert_eq!(play.send(installed(KeyInstall::Done)), [Effect::Redial(name("colab"))]);
    let healed = play.saw("colab", Sight::Online);
    assert!(matches!(healed[..], [Effect::File(FileJob::Settle { key: None, .. })]), "{healed:?}");
    assert!(notices(&play.send(Msg::Settled(name("colab"), Ok(())))).is_empty());
    let notice = only(&play.saw("colab", Sight::Vitals(vitals("boot-2"))));
    assert_eq!(notice.title, "colab has a new machine; the disk is empty");
}

#[test]
fn a_vault_that_is_shut_costs_no_try() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", refused_login());
    let notice = only(&play.send(installed(KeyInstall::NotTried("the keyring is locked".to_owned()))));
    assert_eq!(notice.body, "the keyring is locked");
    let again = play.saw("colab", refused_login());
    assert!(matches!(again[..], [Effect::InstallKey(_)]), "it may be open by now: {again:?}");
    assert!(matches!(play.health("colab"), Health::AuthFailed { .. }), "no flicker meanwhile");
    assert!(play.send(installed(KeyInstall::NotTried("the keyring is locked".to_owned()))).is_empty());
}

#[test]
fn a_locked_keyring_is_told_once_left_alone_and_healed_by_being_unlocked() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", refused_login());
    let told = only(&play.send(installed(KeyInstall::VaultShut)));
    assert_eq!(told.title, "colab needs a password, and the keyring is locked");
    assert_eq!(play.state.snapshot().sessions[0].state, "waits for the keyring, which is locked");
    assert!(play.saw("colab", refused_login()).is_empty(), "no dialog pops up again and again");
    let install = [Effect::InstallKey(session("colab"))];
    assert_eq!(play.send(Msg::VaultOpened(name("colab"))), install);
    assert!(play.send(Msg::VaultOpened(name("colab"))).is_empty(), "once");
    assert_eq!(play.send(installed(KeyInstall::Done)), [Effect::Redial(name("colab"))]);
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    play.saw("colab", Sight::Vitals(vitals("boot-1")));
    assert_eq!(play.state.snapshot().sessions[0].state, "online");
}

#[test]
fn a_key_of_the_person_s_own_is_theirs_to_install() {
    let mut play = Play::new(&[]);
    let mut own = session("colab");
    own.identity_file = Some("~/.ssh/id_work".parse().unwrap());
    play.send(Msg::Loaded(vec![Loaded::new(own, vec![(key(1), Trust::Approved)])]));
    assert!(only(&play.saw("colab", refused_login())).body.contains("your own key"));
}
