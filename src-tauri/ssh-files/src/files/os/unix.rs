//! What Unix systems do their own way.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Access, AtFlags, CWD, RenameFlags};

use super::lease;
use crate::files::read_capped;

pub(in crate::files) const CAN_REMOVE_OPEN_FILES: bool = true;

const OWNER_WRITE: u32 = 0o200;
const GROUP_OR_OTHERS: u32 = 0o077;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;
/// How long a foreign program may keep the displaced file open for writing before we stop waiting for it.
const LATE_WRITERS: Duration = Duration::from_millis(200);
const LEASE_PAUSE: Duration = Duration::from_millis(1);

/// Only the owner may read what is created.
pub(in crate::files) fn private(options: &mut OpenOptions) {
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
}

pub(in crate::files) fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(in crate::files) fn is_symlink_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

pub(in crate::files) fn owner_may_write(found: &Metadata) -> bool {
    found.mode() & OWNER_WRITE != 0
}

pub(in crate::files) fn is_ours(found: &Metadata) -> bool {
    let me = rustix::process::geteuid();
    me.is_root() || found.uid() == me.as_raw()
}

/// Whether ssh (since OpenSSH 10) refuses the file because others may write it.
pub(in crate::files) fn others_may_write(found: &Metadata) -> bool {
    found.mode() & GROUP_OR_OTHERS_WRITE != 0
}

pub(in crate::files) fn hard_links(found: &Metadata) -> u64 {
    found.nlink()
}

pub(in crate::files) fn may_create_in(dir: &Path) -> io::Result<()> {
    rustix::fs::accessat(CWD, dir, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
        .map_err(io::Error::from)
}

pub(in crate::files) fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

/// Gives a new file the mode, owner and, as far as the system lets us, extended attributes (among them ACLs and
/// security labels) of the one that it will replace.
pub(in crate::files) fn copy_attributes(old: &File, to: &File) -> io::Result<()> {
    let (from, now) = (old.metadata()?, to.metadata()?);
    if now.uid() != from.uid() {
        std::os::unix::fs::fchown(to, Some(from.uid()), None)?;
    }
    let mut mode = from.mode() & 0o7777;
    if now.gid() != from.gid() && std::os::unix::fs::fchown(to, None, Some(from.gid())).is_err() {
        // Another group must not get what was meant for the old one.
        mode &= !0o070;
    }
    to.set_permissions(std::fs::Permissions::from_mode(mode))?;
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    copy_extended_attributes(old, to);
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn copy_extended_attributes(from: &File, to: &File) {
    let mut names = vec![0_u8; 4096];
    let mut value = vec![0_u8; 16 * 1024];
    let Ok(length) = rustix::fs::flistxattr(from, &mut names[..]) else { return };
    for name in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        if let Ok(length) = rustix::fs::fgetxattr(from, name, &mut value[..]) {
            // What only the system may set, it has set by itself.
            let _ = rustix::fs::fsetxattr(to, name, &value[..length], rustix::fs::XattrFlags::empty());
        }
    }
}

/// Links a file under a second name in `dir`, if nobody but its owner can read it or nobody but us can enter `dir`.
pub(in crate::files) fn link_private(original: &Path, dir: &Path, second: &Path) -> bool {
    let found = |path: &Path| std::fs::symlink_metadata(path);
    let closed = |m: &Metadata| m.mode() & GROUP_OR_OTHERS == 0;
    let Ok(file) = found(original) else { return false };
    let private = closed(&file) || found(dir).is_ok_and(|m| m.is_dir() && is_ours(&m) && closed(&m));
    file.is_file() && private && std::fs::hard_link(original, second).is_ok()
}

/// A directory whose flush makes its renames last through a power cut.
pub(in crate::files) fn dir_to_flush(dir: &Path) -> io::Result<Option<File>> {
    File::open(dir).map(Some)
}

/// What [`swap`] did.
pub(in crate::files) enum Swapped {
    /// The displaced file now has the new file's old name.
    Exchanged,
    /// The displaced file is gone.
    Replaced,
}

/// Puts `new` in the place of `old` in one step.
pub(in crate::files) fn swap(new: &Path, old: &Path) -> io::Result<Swapped> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::io::Errno;
        match rustix::fs::renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Swapped::Exchanged),
            // Old kernels and some network file systems.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(e) => return Err(e.into()),
        }
    }
    std::fs::rename(new, old)?;
    Ok(Swapped::Replaced)
}

/// Gives `new` the name `path`, which must be free: fails with `AlreadyExists` otherwise.
pub(in crate::files) fn put_if_missing(new: &Path, path: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::io::Errno;
        match rustix::fs::renameat_with(CWD, new, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(e) => return Err(e.into()),
        }
    }
    std::fs::hard_link(new, path)?;
    std::fs::remove_file(new)
}

/// Waits until nobody can write to a displaced file any more, and reads it a last time: its content, if that is not
/// `expected`.
///
/// A program that opened the file before it was displaced may still append to it. The kernel grants a read lease
/// only while nobody has the file open for writing (Linux, `fcntl(2)`, `F_SETLEASE`). Where there are no leases, or a
/// program holds the file for longer than 200 ms, the content is what it is by then.
pub(in crate::files) fn settle(displaced: &Path, expected: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(displaced)?;
    let started = Instant::now();
    loop {
        let late = started.elapsed() >= LATE_WRITERS;
        let leased = lease::take(&file);
        if late || leased != lease::Lease::Writers {
            let content = content_if_not(&file, expected)?;
            // Somebody who was about to open the file when the lease was taken waits for us: let him, and look again.
            let broken = leased == lease::Lease::Held && !lease::still_held(&file);
            if late || !broken {
                return Ok(content);
            }
            lease::give_back(&file);
        }
        std::thread::sleep(LEASE_PAUSE);
    }
}

fn content_if_not(mut file: &File, expected: &[u8]) -> io::Result<Option<Vec<u8>>> {
    file.rewind()?;
    if read_capped::holds(file, expected)? {
        return Ok(None);
    }
    file.rewind()?;
    read_capped::read_capped(file).map(Some)
}
