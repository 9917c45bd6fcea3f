//! Entries that switch host key checking off: found, commented out, brought back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set up must stop")]

mod common;

use std::fs;

use moorline_ssh_files::{Alias, SshFilesError, config};

use common::{Home, OLD_KEY, fixture, session};

fn alias(name: &str) -> Alias {
    name.parse().unwrap()
}

#[test]
fn exactly_the_runtimes_entries_are_found() {
    for (name, expected) in [
        ("t01_pasted_over_the_years", &[("colab", 17, 25), ("trainer", 34, 38), ("gpu", 44, 49)][..]),
        ("t02_windows", &[("colab", 1, 4)]),
        ("t03_google_cli_at_the_end", &[("colab", 3, 7)]),
        ("t04_vagrant_and_machines_at_home", &[]),
        ("c01_globals_first_then_hosts", &[]),
        ("c04_crlf", &[]),
        ("c11_include_inside_host", &[]),
        ("c12_foreign_managed_blocks", &[]),
        ("c16_unknown_and_ignoreunknown", &[]),
    ] {
        let found = config::loose_entries(&fixture(&format!("{name}.config")));
        let found: Vec<_> = found.iter().map(|e| (e.alias.as_str(), e.line, e.last_line)).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_file_comes_back_byte_for_byte_after_a_session_came_and_went() {
    for name in ["t01_pasted_over_the_years", "t02_windows", "t03_google_cli_at_the_end"] {
        let original = fixture(&format!("{name}.config"));
        let home = Home::new().with_config(&original);
        let colab = session("colab", "0.tcp.eu.ngrok.io", 15873, &[OLD_KEY]);
        let ssh = home.ssh();

        let preview = ssh.preview_comment_out(&colab.alias).unwrap();
        assert_eq!(home.config(), original, "{name}: a preview writes nothing");
        let change = ssh.comment_out(&colab.alias).unwrap();
        assert_eq!((&preview.before, preview.after()), (&change.before, change.after()), "{name}");
        assert_eq!(change.after(), Some(&home.config()[..]));
        let backup = change.backup.clone().expect("foreign text changes");
        assert_eq!(fs::read(backup).unwrap(), original, "{name}");
        assert_eq!(config::foreign_entry(&home.config(), &colab.alias), None, "{name}: the name is free");
        assert!(!ssh.comment_out(&colab.alias).unwrap().changed(), "{name}: a second run writes nothing");

        home.write(&colab, None);
        let both = home.config();
        let forgotten = home.forget(&colab).config;
        let preview = ssh.preview_bring_back(&colab.alias).unwrap();
        assert!(preview.changed() && home.config() != original, "{name}");
        let back = ssh.bring_back(&colab.alias).unwrap();
        assert!(back.backup.is_some(), "{name}: a backup before each change of foreign text");
        assert_eq!(home.config(), original, "{name}");
        assert!(!ssh.bring_back(&colab.alias).unwrap().changed(), "{name}: a second run writes nothing");
        let whole = forgotten.then(back);
        assert_eq!((whole.before, home.leftovers()), (Some(both), Vec::new()), "{name}");
    }
}

#[test]
fn two_changes_make_one() {
    let original = fixture("t03_google_cli_at_the_end.config");
    let home = Home::new().with_config(&original);
    let ssh = home.ssh();
    let out = ssh.comment_out(&alias("colab")).unwrap();
    let nothing = ssh.comment_out(&alias("colab")).unwrap();
    assert_eq!(out.clone().then(nothing.clone()), out, "nothing came after");
    let back = ssh.bring_back(&alias("colab")).unwrap();
    assert_eq!(nothing.then(back.clone()).after(), back.after());
    let both = out.clone().then(back);
    assert_eq!((both.after(), both.backup.is_some()), (Some(&original[..]), true));
    assert!(!both.changed(), "there and back again");
    assert_eq!(both.backup, out.backup, "the older backup is of the file as it was");
}

#[test]
fn where_nothing_is_to_do_nothing_is_needed() {
    let home = Home::without_ssh_dir();
    for change in [home.ssh().comment_out(&alias("colab")), home.ssh().bring_back(&alias("colab"))] {
        assert!(!change.unwrap().changed());
    }
    assert!(fs::read_dir(home.root()).unwrap().next().is_none(), "not even a directory");
}

#[test]
fn what_cannot_be_edited_is_refused_and_stays() {
    let text = b"\xef\xbb\xbfHost colab\n StrictHostKeyChecking no\n";
    let home = Home::new().with_config(text);
    let refused = home.ssh().comment_out(&alias("colab"));
    assert!(matches!(refused, Err(SshFilesError::Refused { line: Some(1), .. })), "{refused:?}");
    assert_eq!(home.config(), text);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_and_a_link_are_treated_as_for_every_edit() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let home = Home::new();
    let dotfiles = home.root().join("dotfiles");
    fs::write(&dotfiles, fixture("t02_windows.config")).unwrap();
    symlink(&dotfiles, home.path("config")).unwrap();
    let mode = |mode| fs::set_permissions(&dotfiles, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o444);
    for refused in [home.ssh().preview_comment_out(&alias("colab")), home.ssh().comment_out(&alias("colab"))]
    {
        assert!(matches!(refused, Err(SshFilesError::ReadOnly { .. })), "{refused:?}");
    }
    assert!(!home.ssh().bring_back(&alias("colab")).unwrap().changed(), "nothing to write, nothing refused");
    mode(0o640);
    assert!(home.ssh().comment_out(&alias("colab")).unwrap().changed());
    assert!(home.path("config").is_symlink());
    assert_eq!(fs::metadata(&dotfiles).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read(&dotfiles).unwrap().starts_with(b"#moorline colab# Host colab\r\n"));
}
