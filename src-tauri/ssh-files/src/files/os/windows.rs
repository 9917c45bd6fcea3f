//! What Windows does its own way. The one module with unsafe code there: `ReplaceFileW` keeps ACLs and has no safe
//! binding.
#![expect(unsafe_code, reason = "ReplaceFileW has no safe wrapper")]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_UNABLE_TO_REMOVE_REPLACED,
};
use windows_sys::Win32::Storage::FileSystem::{REPLACEFILE_IGNORE_MERGE_ERRORS, ReplaceFileW};

pub(in crate::files) const CAN_REMOVE_OPEN_FILES: bool = false;

/// Virus scanners and indexers hold files for moments.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(25);

/// A file in the profile is the user's alone by inheritance.
pub(in crate::files) fn private(_options: &mut OpenOptions) {}

pub(in crate::files) fn create_private_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

pub(in crate::files) fn is_symlink_loop(_error: &io::Error) -> bool {
    false
}

pub(in crate::files) fn owner_may_write(_found: &Metadata) -> bool {
    true
}

pub(in crate::files) fn is_ours(_found: &Metadata) -> bool {
    true
}

pub(in crate::files) fn others_may_write(_found: &Metadata) -> bool {
    false
}

pub(in crate::files) fn hard_links(_found: &Metadata) -> u64 {
    1
}

pub(in crate::files) fn may_create_in(_dir: &Path) -> io::Result<()> {
    Ok(())
}

/// Lock files are never removed here, so the path always names the locked file.
pub(in crate::files) fn is_same_file(_file: &File, _path: &Path) -> bool {
    true
}

/// `ReplaceFileW` carries the replaced file's attributes over.
pub(in crate::files) fn copy_attributes(_old: &File, _to: &File) -> io::Result<()> {
    Ok(())
}

/// `ReplaceFileW` and links do not go together well.
pub(in crate::files) fn link_private(_original: &Path, _dir: &Path, _second: &Path) -> bool {
    false
}

/// NTFS journals renames; a directory cannot be flushed.
pub(in crate::files) fn dir_to_flush(_dir: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// What [`swap`] did.
pub(in crate::files) enum Swapped {
    /// The displaced file now has the new file's old name.
    #[expect(dead_code, reason = "other systems can exchange two files")]
    Exchanged,
    /// The displaced file is gone.
    Replaced,
}

/// Puts `new` in the place of `old` in one step, keeping the old one's ACL.
pub(in crate::files) fn swap(new: &Path, old: &Path) -> io::Result<Swapped> {
    let (new, old) = (wide(new), wide(old));
    let mut tries = 0;
    loop {
        // SAFETY: both strings end with NUL and live through the call; the other pointers may be null.
        let done = unsafe {
            ReplaceFileW(
                old.as_ptr(),
                new.as_ptr(),
                std::ptr::null(),
                REPLACEFILE_IGNORE_MERGE_ERRORS,
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        if done != 0 {
            return Ok(Swapped::Replaced);
        }
        let error = io::Error::last_os_error();
        let passing = matches!(
            error.raw_os_error().and_then(|c| u32::try_from(c).ok()),
            Some(ERROR_SHARING_VIOLATION | ERROR_ACCESS_DENIED | ERROR_UNABLE_TO_REMOVE_REPLACED)
        );
        tries += 1;
        if !passing || tries == TRIES {
            return Err(error);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Gives `new` the name `path`, which must be free: fails with `AlreadyExists` otherwise.
pub(in crate::files) fn put_if_missing(new: &Path, path: &Path) -> io::Result<()> {
    std::fs::hard_link(new, path)?;
    std::fs::remove_file(new)
}

/// Reads a file that was moved aside: its content, if that is not `expected`.
pub(in crate::files) fn settle(displaced: &Path, expected: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let content = std::fs::read(displaced)?;
    Ok((content != expected).then_some(content))
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}
