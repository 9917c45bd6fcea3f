//! Whoever runs the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether the tests run as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The name and home of whoever runs the tests, as the password database has them: where OpenSSH looks.
pub fn passwd_entry() -> (String, PathBuf) {
    let id = rustix::process::geteuid().as_raw().to_string();
    let output = Command::new("getent").args(["passwd", &id]).output().expect("getent is installed");
    let line = String::from_utf8(output.stdout).expect("the password database is text");
    let fields: Vec<&str> = line.trim_end().split(':').collect();
    let [name, _, _, _, _, home, ..] = fields.as_slice() else {
        panic!("user {id} is not in the password database")
    };
    assert!(
        Path::new(home).is_dir(),
        "the home {home} of {name} does not exist, so ssh has no place to look"
    );
    ((*name).to_owned(), PathBuf::from(home))
}
