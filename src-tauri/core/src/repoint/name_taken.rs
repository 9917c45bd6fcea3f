//! Whether a name is the person's already: in their ssh config, in a file that it includes, or in `known_hosts`.
//!
//! A session's entry comes first in the config and its alias is repaired in `known_hosts`, so a session that took the
//! name of another machine would lead that machine's ssh elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use moorline_ssh_files::{Alias, KnownName, config, known_hosts};

use crate::store::read_file;

/// Deeper includes than OpenSSH itself follows (`ssh_config(5)` has a limit of 16) or more files than anybody has are
/// not looked into.
const DEEPEST: usize = 16;
const MOST: usize = 256;

/// Who has the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// A `Host` line names it.
    Entry {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A `Host` line means it by a pattern.
    Pattern {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// `known_hosts` holds a key under it.
    KnownHost,
}

/// Looks for `alias` outside Moorline's block. The strongest claim is given: an entry, then a pattern, then a key.
pub fn claim(ssh_dir: &Path, home: &Path, alias: &Alias) -> Option<Claim> {
    let mut pattern = None;
    for (file, text) in config_files(ssh_dir, home) {
        if let Some(line) = config::foreign_entry(&text, alias) {
            return Some(Claim::Entry { file, line });
        }
        let means = config::foreign_pattern(&text, alias);
        pattern = pattern.or(means.map(|line| Claim::Pattern { file, line }));
    }
    pattern.or_else(|| {
        let known = read(&ssh_dir.join("known_hosts"))?;
        let holds = !known_hosts::keys_of(&known, &KnownName::Alias(alias.clone())).is_empty();
        holds.then_some(Claim::KnownHost)
    })
}

/// The person's ssh config and the files that it includes, with what they hold.
pub(crate) fn config_files(ssh_dir: &Path, home: &Path) -> impl Iterator<Item = (PathBuf, Vec<u8>)> {
    let mut seen = BTreeSet::new();
    let mut open = vec![(ssh_dir.join("config"), 0)];
    std::iter::from_fn(move || {
        loop {
            let (file, depth) = open.pop()?;
            if seen.len() >= MOST || !seen.insert(file.clone()) {
                continue;
            }
            let Some(text) = read(&file) else { continue };
            if depth < DEEPEST {
                let included = config::included_files(&text);
                let files = included.iter().flat_map(|name| expand(name, ssh_dir, home));
                open.extend(files.map(|file| (file, depth + 1)));
            }
            return Some((file, text));
        }
    })
}

/// The files that one name in an `Include` line stands for.
fn expand(name: &[u8], ssh_dir: &Path, home: &Path) -> Vec<PathBuf> {
    let Ok(name) = std::str::from_utf8(name) else { return Vec::new() };
    let whole = match name.strip_prefix("~/") {
        Some(below) => home.join(below),
        None => ssh_dir.join(name),
    };
    let pattern = whole.to_string_lossy();
    glob::glob(&pattern).map(|found| found.flatten().take(MOST).collect()).unwrap_or_default()
}

/// What cannot be read is refused with a sentence when the file is edited; here it claims nothing.
fn read(file: &Path) -> Option<Vec<u8>> {
    read_file::read(file).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd";

    #[test]
    fn a_name_is_found_wherever_the_person_has_it() {
        let home = tempfile::tempdir().unwrap();
        let ssh = home.path().join(".ssh");
        std::fs::create_dir_all(ssh.join("d")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(ssh.join(name), text).unwrap();
        let who = |alias: &str| claim(&ssh, home.path(), &alias.parse().unwrap());
        assert_eq!(who("home"), None, "there is no file at all");
        put("config", "Host bastion\nInclude d/*.conf ~/.ssh/more\nInclude config\nHost gpu*\nHost *\n");
        put("d/one.conf", "Host home\n");
        put("more", "Port 22\nHost attic\n");
        put("known_hosts", &format!("cellar,10.0.0.1 {KEY}\n"));
        let entry = |file: &str, line| Some(Claim::Entry { file: ssh.join(file), line });
        assert_eq!(who("bastion"), entry("config", 1));
        assert_eq!(who("home"), entry("d/one.conf", 1));
        assert_eq!(who("attic"), entry("more", 2));
        assert_eq!(who("gpu1"), Some(Claim::Pattern { file: ssh.join("config"), line: 4 }));
        assert_eq!(who("cellar"), Some(Claim::KnownHost));
        assert_eq!(who("colab"), None);
    }
}
