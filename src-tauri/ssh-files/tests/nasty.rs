//! Every trap under `fixtures/`: add, update and forget restore it byte for byte, or it is refused and untouched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set up must stop")]

mod common;

use moorline_ssh_files::{KnownHostsEdit, SshFilesError};

use common::{Home, NEW_KEY, OLD_KEY, fixture, session};

#[test]
fn configs_come_back_byte_for_byte() {
    for name in [
        "c01_globals_first_then_hosts",
        "c02_ends_in_host_no_newline",
        "c03_ends_in_match_exec",
        "c04_crlf",
        "c09_latin1_and_nbsp_comment",
        "c11_include_inside_host",
        "c12_foreign_managed_blocks",
        "c14_user_edited_inside_our_block",
        "c16_unknown_and_ignoreunknown",
    ] {
        let original = fixture(&format!("{name}.config"));
        let home = Home::new().with_config(&original);
        let one = session("colab", "0.tcp.eu.ngrok.io", 15873, &[OLD_KEY]);
        let two = session("colab", "4.tcp.ngrok.io", 1, &[NEW_KEY]);
        let added = home.write(&one, None);
        assert!(added.config.changed() && added.config.backup.is_some(), "{name}");
        let text = home.config();
        assert!(
            text.starts_with(b"# >>> moorline >>>") && text.ends_with(&original),
            "{name}: ours is at the top"
        );
        assert!(!home.write(&one, None).config.changed(), "{name}: a second run writes nothing");
        home.write(&two, Some(&one));
        assert!(home.config().ends_with(&original), "{name}");
        home.forget(&two);
        assert_eq!(home.config(), original, "{name}");
        assert!(home.leftovers().is_empty(), "{name}: {:?}", home.leftovers());
    }
}

#[test]
fn crlf_files_get_crlf_lines() {
    let original = fixture("c04_crlf.config");
    let home = Home::new().with_config(&original);
    home.write(&session("colab", "h", 1, &[OLD_KEY]), None);
    let text = home.config();
    assert!(text.split_inclusive(|b| *b == b'\n').all(|l| l.ends_with(b"\r\n")), "no bare LF");
}

#[test]
fn configs_that_ssh_misreads_are_refused_with_the_next_step() {
    for (name, words) in [
        ("c06_utf8_bom", "byte-order mark, which ssh cannot read; save it as UTF-8 without BOM"),
        ("c07_utf16le_powershell", "UTF-16, which ssh cannot read; save it as UTF-8 without BOM"),
        (
            "c17_cr_only_classic_mac",
            "CR alone, so ssh reads them as one line; save the file with LF line ends",
        ),
    ] {
        let original = fixture(&format!("{name}.config"));
        let home = Home::new().with_config(&original).with_known_hosts(b"a b c\n");
        let error = home.try_write(&session("colab", "h", 1, &[OLD_KEY]), None).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, SshFilesError::Refused { line: Some(1), .. }), "{name}: {text}");
        assert!(text.contains("config, line 1: ") && text.contains(words), "{name}: {text}");
        assert_eq!(home.config(), original, "{name}");
        assert_eq!(home.known_hosts(), b"a b c\n", "{name}: refused before anything is written");
        assert!(home.leftovers().is_empty(), "{name}");
    }
}

#[test]
fn known_hosts_come_back_byte_for_byte() {
    for name in ["k01_mixed_forms", "k03_markers", "k04_invalid_lines_block_R", "k06_bom_no_final_newline"] {
        let original = fixture(&format!("{name}.known_hosts"));
        let home = Home::new().with_known_hosts(&original);
        let one = session("colab", "0.tcp.eu.ngrok.io", 15873, &[OLD_KEY]);
        let two = session("colab", "4.tcp.ngrok.io", 22, &[NEW_KEY]);
        assert!(home.write(&one, None).known_hosts.changed(), "{name}");
        assert!(!home.write(&one, None).known_hosts.changed(), "{name}: a second run writes nothing");
        home.write(&two, Some(&one));
        home.forget(&two);
        assert_eq!(home.known_hosts(), original, "{name}");
    }
}

/// The lines of a fixture, as they must stand after the endpoint `[127.0.0.1]:7423` got a new key.
fn repaired(name: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let original = String::from_utf8_lossy(&fixture(name)).into_owned();
    let home = Home::new().with_known_hosts(&fixture(name));
    let report = home.write(&session("colab", "127.0.0.1", 7423, &[common::THIRD_KEY]), None);
    assert!(report.known_hosts.backup.is_some(), "{name}: the first change is backed up");
    assert_eq!(std::fs::read(report.known_hosts.backup.unwrap()).unwrap(), fixture(name));
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    (lines(&original), lines(&String::from_utf8_lossy(&home.known_hosts())), report.remarks)
}

fn pinned() -> String {
    format!("colab,[127.0.0.1]:7423 {}\n", common::THIRD_KEY)
}

#[test]
fn a_stale_endpoint_leaves_every_form_and_nothing_else() {
    let (before, after, _) = repaired("k01_mixed_forms.known_hosts");
    let shared = before[4].replacen("[127.0.0.1]:7423,", "", 1);
    let kept = [&before[0], &before[3], &shared, &before[6], &before[7], &before[8], &before[9], &pinned()];
    assert_eq!(
        after.iter().collect::<Vec<_>>(),
        kept,
        "lines 2 and 3, and the hashed line 6, are ours and stale"
    );
}

#[test]
fn marker_lines_stay() {
    let (before, after, remarks) = repaired("k03_markers.known_hosts");
    let mut kept = before[..5].to_vec();
    kept.push(pinned());
    assert_eq!(after, kept);
    assert_eq!(remarks.iter().filter(|r| r.contains("left as it is")).count(), 3, "{remarks:?}");
}

#[test]
fn invalid_lines_do_not_stop_a_repair() {
    let (before, after, _) = repaired("k04_invalid_lines_block_R.known_hosts");
    let mut kept = before[..7].to_vec();
    kept.extend([before[8].clone(), pinned()]);
    assert_eq!(after, kept);
}

#[test]
fn a_byte_order_mark_is_kept_and_reported() {
    let (before, after, remarks) = repaired("k06_bom_no_final_newline.known_hosts");
    assert_eq!(after, [before[0].clone(), pinned(), before[1].clone()]);
    assert!(remarks.iter().any(|r| r.contains("byte-order mark")), "{remarks:?}");
}

#[test]
fn known_hosts_that_ssh_misreads_are_refused() {
    for (bytes, words) in
        [(&b"\xff\xfea\0 \0"[..], "UTF-16"), (b"a b c\nd\0\n", "line 2: there is a NUL byte")]
    {
        let home = Home::new().with_known_hosts(bytes);
        let error = home.try_write(&session("colab", "h", 1, &[OLD_KEY]), None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(home.known_hosts(), bytes);
        assert!(!home.path("config").exists(), "nothing was written");
    }
}

#[test]
fn a_machine_without_ssh_files_is_left_as_it_was() {
    let home = Home::without_ssh_dir();
    let one = session("colab", "h", 1, &[OLD_KEY]);
    assert!(!home.try_write_edit(&KnownHostsEdit::default(), &[]).unwrap().config.changed());
    assert!(!home.ssh_dir().exists(), "nothing to write, nothing to make");
    home.write(&one, None);
    let report = home.forget(&one);
    assert_eq!((report.config.after(), report.known_hosts.after()), (None, None));
    assert!(!home.path("config").exists() && !home.path("known_hosts").exists());
}
