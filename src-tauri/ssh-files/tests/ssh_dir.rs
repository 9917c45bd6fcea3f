//! What happens around the two files: backups, remarks, modes, order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set up must stop")]

mod common;

use std::fs;

use common::{Home, NEW_KEY, OLD_KEY, THIRD_KEY, session};

fn backups(home: &Home, file: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(home.backups()) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| {
            let name = p.file_name().unwrap().to_str().unwrap();
            name.strip_prefix(file).is_some_and(|r| r[1..].bytes().all(|b| b.is_ascii_digit()))
        })
        .collect();
    paths.sort();
    paths.into_iter().map(|p| fs::read(p).unwrap()).collect()
}

#[test]
fn a_backup_before_the_first_change_and_before_foreign_text_goes() {
    let home = Home::new().with_config(b"Host a\n").with_known_hosts(b"a b c\n");
    let one = session("colab", "h", 1, &[OLD_KEY]);
    let two = session("colab", "h", 2, &[NEW_KEY]);
    home.write(&one, None);
    assert_eq!(backups(&home, "config"), [b"Host a\n"]);
    assert_eq!(backups(&home, "known_hosts"), [b"a b c\n"]);
    let report = home.write(&two, Some(&one));
    assert!(report.config.changed() && report.known_hosts.changed());
    assert_eq!(
        report.config.backup.or(report.known_hosts.backup),
        None,
        "only lines of our own were replaced"
    );

    let mut text = home.known_hosts();
    text.extend_from_slice(format!("[h]:2 {THIRD_KEY} by ssh itself\n").as_bytes());
    fs::write(home.path("known_hosts"), &text).unwrap();
    home.write(&two, None);
    assert_eq!(backups(&home, "known_hosts")[1], text, "a line that we did not write went");
}

#[test]
fn edits_inside_the_block_are_kept_aside_and_said() {
    let home = Home::new().with_config(b"");
    let one = session("colab", "h", 1, &[OLD_KEY]);
    assert!(home.write(&one, None).remarks.is_empty());
    let edited =
        String::from_utf8(home.config()).unwrap().replace("Host *\n", "Host mine\n    Port 5\nHost *\n");
    fs::write(home.path("config"), &edited).unwrap();
    let preview = home.ssh().preview(&one.pin(None), &[one.entry()]).unwrap();
    assert!(preview.config.changed() && preview.remarks.len() == 1, "{:?}", preview.remarks);
    let report = home.write(&one, None);
    let backup = report.config.backup.expect("the person's text is kept");
    assert_eq!(fs::read_to_string(&backup).unwrap(), edited);
    assert_eq!(report.remarks[0], "Edits inside Moorline's block of the config were replaced.");
    assert!(report.remarks[1].contains(backup.to_str().unwrap()), "{:?}", report.remarks);
    assert!(home.write(&one, None).remarks.is_empty(), "said once");
}

#[test]
fn a_preview_says_the_same_and_touches_nothing() {
    let home = Home::without_ssh_dir();
    let one = session("colab", "h", 1, &[OLD_KEY]);
    let preview = home.ssh().preview(&one.pin(None), &[one.entry()]).unwrap();
    assert!(fs::read_dir(home.root()).unwrap().next().is_none(), "not even a directory");
    let report = home.write(&one, None);
    assert_eq!(report, preview);
    assert_eq!(report.config.after(), Some(&home.config()[..]));
    assert_eq!(report.known_hosts.after(), Some(&home.known_hosts()[..]));
}

#[test]
fn an_empty_file_that_was_there_stays() {
    let home = Home::new().with_config(b"").with_known_hosts(b"");
    let one = session("colab", "h", 1, &[OLD_KEY]);
    home.write(&one, None);
    let report = home.forget(&one);
    assert_eq!((report.config.after(), home.config()), (Some(&[][..]), Vec::new()));
    assert_eq!(home.known_hosts(), b"");
}

#[test]
fn a_created_file_that_others_used_meanwhile_stays() {
    let home = Home::new();
    let one = session("colab", "h", 1, &[OLD_KEY]);
    home.write(&one, None);
    let mut text = home.known_hosts();
    text.extend_from_slice(b"x y z\n");
    fs::write(home.path("known_hosts"), text).unwrap();
    home.forget(&one);
    assert_eq!(home.known_hosts(), b"x y z\n");
    assert!(!home.path("config").exists());
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_is_made_is_private() {
        let home = Home::without_ssh_dir();
        let one = session("colab", "h", 1, &[OLD_KEY]);
        home.write(&one, None);
        assert_eq!(mode(&home.ssh_dir()), 0o700);
        assert_eq!((mode(&home.path("config")), mode(&home.path("known_hosts"))), (0o600, 0o600));
        assert_eq!(mode(&home.backups()), 0o700);
        for entry in fs::read_dir(home.backups()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_config_that_others_may_write_is_kept_so_and_said() {
        let home = Home::new().with_config(b"Host a\n");
        fs::set_permissions(home.path("config"), fs::Permissions::from_mode(0o664)).unwrap();
        let report = home.write(&session("colab", "h", 1, &[OLD_KEY]), None);
        assert_eq!(mode(&home.path("config")), 0o664);
        assert!(report.remarks.iter().any(|r| r.contains("chmod go-w")), "{:?}", report.remarks);
    }

    #[test]
    fn a_read_only_config_stops_everything_unless_it_needs_no_change() {
        let home = Home::new().with_config(b"Host a\n").with_known_hosts(b"a b c\n");
        let one = session("colab", "h", 1, &[OLD_KEY]);
        let read_only = fs::Permissions::from_mode(0o444);
        fs::set_permissions(home.path("config"), read_only.clone()).unwrap();
        let error = home.try_write(&one, None).unwrap_err().to_string();
        assert!(error.contains("config is read-only; add the lines by hand"), "{error}");
        assert!(home.ssh().preview(&one.pin(None), &[one.entry()]).is_err());
        assert_eq!(home.known_hosts(), b"a b c\n", "refused before anything was written");

        fs::set_permissions(home.path("config"), fs::Permissions::from_mode(0o644)).unwrap();
        home.write(&one, None);
        fs::set_permissions(home.path("config"), read_only).unwrap();
        let new_key = session("colab", "h", 1, &[NEW_KEY]);
        assert!(home.write(&new_key, Some(&one)).known_hosts.changed(), "a new key needs no new config");
    }

    #[test]
    fn a_symlinked_tree_is_written_through() {
        let home = Home::new();
        let dotfiles = home.root().join("dotfiles");
        fs::create_dir(&dotfiles).unwrap();
        fs::write(dotfiles.join("config"), "Host d\n  HostName 10.0.0.1\n").unwrap();
        std::os::unix::fs::symlink("../dotfiles/config", home.path("config")).unwrap();
        let one = session("colab", "h", 1, &[OLD_KEY]);
        home.write(&one, None);
        assert_eq!(fs::read_link(home.path("config")).unwrap(), std::path::Path::new("../dotfiles/config"));
        home.forget(&one);
        assert_eq!(fs::read_to_string(dotfiles.join("config")).unwrap(), "Host d\n  HostName 10.0.0.1\n");
        assert_eq!(fs::read_dir(&dotfiles).unwrap().count(), 1, "the lock is gone too");
    }

    #[test]
    fn a_large_private_file_is_backed_up_as_it_was() {
        let line = format!("host.example {OLD_KEY}\n");
        let text = line.repeat(12_000);
        let home = Home::new().with_known_hosts(text.as_bytes());
        fs::set_permissions(home.path("known_hosts"), fs::Permissions::from_mode(0o600)).unwrap();
        let one = session("colab", "h", 1, &[OLD_KEY]);
        let report = home.write(&one, None);
        assert_eq!(fs::read(report.known_hosts.backup.unwrap()).unwrap(), text.as_bytes());
        home.forget(&one);
        assert_eq!(home.known_hosts(), text.as_bytes());
    }
}
