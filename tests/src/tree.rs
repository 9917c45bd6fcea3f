//! A folder's whole content as one comparable value.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permission bits.
    pub mode: u32,
    /// A file's bytes, or a link's target; `None` for everything else.
    pub content: Option<Vec<u8>>,
    /// Inode and time of last change in nanoseconds, where a comparison should see even a rewrite with the same bytes.
    pub touched: Option<(u64, i64, i64)>,
}

/// Everything below `folder`, by relative path; empty when there is no such folder.
pub fn content(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    read(folder, false)
}

/// As [`content`], and notices files that were rewritten with the bytes they had.
pub fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    read(folder, true)
}

fn read(folder: &Path, with_times: bool) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        let content = if metadata.is_symlink() {
            fs::read_link(&path).ok().map(|target| target.into_os_string().into_encoded_bytes())
        } else if metadata.is_file() {
            fs::read(&path).ok()
        } else {
            None
        };
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
        let touched = with_times.then(|| (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()));
        let name = path.strip_prefix(folder).expect("it was found below the folder").to_path_buf();
        found.insert(name, Entry { mode: metadata.permissions().mode() & 0o7777, content, touched });
    }
    found
}

/// Makes the folder hold exactly this again.
pub fn restore(folder: &Path, content: &BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        let is_dir = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.expect("it can be emptied");
    }
    for (name, entry) in content.iter().filter(|(name, _)| !name.as_os_str().is_empty()) {
        let path = folder.join(name);
        match &entry.content {
            Some(bytes) => fs::write(&path, bytes),
            None => fs::create_dir(&path),
        }
        .expect("it can be filled");
        fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode)).expect("the mode can be set");
    }
}
