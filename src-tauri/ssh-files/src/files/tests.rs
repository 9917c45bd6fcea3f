use std::fs;
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

const SHORT: Duration = Duration::from_millis(30);

/// Adds a line unless it is there.
fn with_line(line: &'static [u8]) -> impl FnMut(&[u8]) -> Result<Vec<u8>, Refusal> {
    move |text| {
        let there = text.split_inclusive(|b| *b == b'\n').any(|l| l == line);
        Ok(if there { text.to_vec() } else { [text, line].concat() })
    }
}

fn only_file(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_is_made_only_if_it_gets_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let change = edit_file(&path, SHORT, |text| Ok(text.to_vec())).unwrap();
    assert!(!change.changed() && !path.exists());
    let change = edit_file(&path, SHORT, with_line(b"a\n")).unwrap();
    assert_eq!((&change.before, change.after()), (&None, Some(&b"a\n"[..])));
    assert_eq!(only_file(dir.path()), ["f"], "no lock and no temporary file stays");
    #[cfg(unix)]
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_refusal_names_file_and_line_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "a\n").unwrap();
    let refuse = |_: &[u8]| Err(Refusal { line: Some(3), reason: "no; do this".to_owned() });
    let error = edit_file(&path, SHORT, refuse).unwrap_err().to_string();
    assert_eq!(error, format!("{}, line 3: no; do this", path.display()));
    assert_eq!(fs::read(&path).unwrap(), b"a\n");
}

#[test]
fn what_is_written_between_reading_and_swapping_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "base\n").unwrap();
    let mut foreign = vec!["second\n", "first\n"];
    let mut ours = with_line(b"ours\n");
    edit_file(&path, SHORT, |text| {
        if let Some(line) = foreign.pop() {
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(line.as_bytes()).unwrap();
        }
        ours(text)
    })
    .unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "base\nfirst\nsecond\nours\n");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_appended_to_the_displaced_file_is_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "base\n").unwrap();
    let mut ours = with_line(b"ours\n");
    let mut appender = None;
    edit_file(&path, SHORT, |text| {
        appender.get_or_insert_with(|| {
            // Opened before the swap, written after it: the file is no longer what the path names.
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            let path = path.clone();
            std::thread::spawn(move || {
                while os::is_same_file(&file, &path) {
                    std::thread::yield_now();
                }
                file.write_all(b"late\n").unwrap();
            })
        });
        ours(text)
    })
    .unwrap();
    appender.unwrap().join().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "base\nours\nlate\n");
}

#[test]
fn somebody_who_never_stops_writing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let mut n = 0;
    let error = edit_file(&path, SHORT, |text| {
        n += 1;
        fs::write(&path, format!("{n}\n")).unwrap();
        Ok([text, b"ours\n"].concat())
    })
    .unwrap_err();
    assert!(matches!(error, SshFilesError::Contended { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{n}\n"));
    assert_eq!(only_file(dir.path()), ["f"]);
}

#[test]
fn leftovers_of_a_killed_run_go_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let names =
        [".f.moorline-123-0123456789ab.tmp", ".f.moorline-lock", ".f.moorline-x-0123456789ab.tmp", "f.bak"];
    for name in names {
        fs::write(dir.path().join(name), "").unwrap();
    }
    edit_file(&path, SHORT, with_line(b"a\n")).unwrap();
    let mut left = only_file(dir.path());
    left.sort();
    assert_eq!(left, [".f.moorline-x-0123456789ab.tmp", "f", "f.bak"]);
}

#[cfg(unix)]
#[test]
fn links_and_modes_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("dotfiles"), dir.path().join("f"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("config"), "a\n").unwrap();
    fs::set_permissions(real.join("config"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("dotfiles/config", dir.path().join("hop")).unwrap();
    symlink("hop", &link).unwrap();
    edit_file(&link, SHORT, with_line(b"b\n")).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("hop"));
    assert_eq!(fs::read(real.join("config")).unwrap(), b"a\nb\n");
    assert_eq!(fs::metadata(real.join("config")).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(only_file(&real), ["config"]);
}

#[cfg(target_os = "linux")]
#[test]
fn extended_attributes_and_owners_stay() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    use std::os::unix::fs::MetadataExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "a\n").unwrap();
    let labelled = setxattr(&path, "user.note", b"mine", XattrFlags::empty()).is_ok();
    let owned = std::os::unix::fs::chown(&path, Some(12345), Some(23456)).is_ok();
    edit_file(&path, SHORT, with_line(b"b\n")).unwrap();
    let now = fs::metadata(&path).unwrap();
    assert!(!owned || (now.uid(), now.gid()) == (12345, 23456), "only root can give files away");
    let mut note = [0_u8; 8];
    let length = getxattr(&path, "user.note", &mut note[..]).unwrap_or(0);
    assert!(!labelled || &note[..length] == b"mine");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_replaced_is_refused_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("readonly"), "a\n").unwrap();
    fs::set_permissions(at("readonly"), fs::Permissions::from_mode(0o444)).unwrap();
    symlink("readonly", at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("loop2", at("loop")).unwrap();
    symlink("loop", at("loop2")).unwrap();
    fs::create_dir(at("dir")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for (name, words) in [
        ("readonly", "readonly is read-only; add the lines by hand"),
        ("link", "readonly is read-only; add the lines by hand"),
        (
            "dangling",
            "dangling: the symlink leads to a file that does not exist; make that file or remove the link",
        ),
        ("loop", "loop: the symlink leads back to itself; remove it or point it at a file"),
        ("dir", "dir: this is not a regular file; put a regular file there"),
        ("fifo", "fifo: this is not a regular file; put a regular file there"),
    ] {
        let error = edit_file(&at(name), SHORT, with_line(b"b\n")).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    assert!(!at("nowhere").exists(), "the target of a dangling link is not made");
    assert_eq!(fs::read(at("readonly")).unwrap(), b"a\n");
    assert!(only_file(dir.path()).iter().all(|n| !n.contains("moorline")), "no residue");
}

#[test]
fn a_lock_that_is_held_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let target = Target::resolve(&path).unwrap();
    let _held = lock(&target, SHORT).unwrap();
    let error = edit_file(&path, SHORT, with_line(b"a\n")).unwrap_err();
    assert!(matches!(error, SshFilesError::Locked { .. }), "{error}");
    assert!(!path.exists());
}
