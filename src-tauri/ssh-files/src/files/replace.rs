//! Replacing a file's content in one step, without losing what other programs write meanwhile.
//!
//! At every moment the path names the whole old or the whole new content. Programs that ignore our lock are dealt
//! with thus: the file is read again right before the swap; on Linux and macOS the two files are *exchanged*, so
//! that what was displaced can be compared with what the edit was based on: an append that slipped in between is
//! appended again, a rewrite is worked into another round; on Linux a lease then tells when nobody can write to the displaced file
//! any more. What is left: a process killed between exchange and comparison loses an append of that very moment, a
//! program that holds the file open for longer than 200 ms before it appends loses that append, and a program that
//! itself replaces the file from what it read earlier undoes our edit, which the next run repeats.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::{Refusal, SshFilesError};
use super::flush::{self, Unflushed};
use super::os::{self, Swapped};
use super::target::{Compared, Target};

/// How often other programs may get in between before we give up.
const ROUNDS: usize = 20;
/// How often an append in between makes us start afresh, which leaves the tidiest file.
const PATIENT_ROUNDS: usize = 2;

/// The bytes before and after; `None` if there was, or is, no file.
#[derive(Debug)]
pub(super) struct Replaced {
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
}

pub(super) type Transform<'t> = dyn FnMut(&[u8]) -> Result<Vec<u8>, Refusal> + 't;
/// Called before anything is changed, with the old content and the new one. What it returns is flushed together with
/// the new content.
pub(super) type BeforeWrite<'t> =
    dyn FnMut(&Target, Option<&[u8]>, &[u8]) -> Result<Vec<Unflushed>, SshFilesError> + 't;

/// Replaces the content by what `transform` makes of it. The caller holds the lock and has just read `expected`, on
/// which `transform` runs first. It must be idempotent: it runs again on its own result when another program got in
/// between. The new content is on the disk when this returns; its name is after [`sync_dir`]. With `staged`, the first
/// round has been made and flushed.
pub(super) fn replace(
    target: &Target,
    mut expected: Option<Vec<u8>>,
    transform: &mut Transform<'_>,
    before_write: &mut BeforeWrite<'_>,
    mut staged: Option<Staged>,
) -> Result<Replaced, SshFilesError> {
    if staged.is_none() {
        remove_leftovers(target);
    }
    let mut first = None;
    // What to transform, where that is not what stands in the file.
    let mut source: Option<Vec<u8>> = None;
    for round in 0..ROUNDS {
        let Staged { temp, content } = if let Some(staged) = staged.take() {
            staged
        } else {
            let basis = source.as_deref().or(expected.as_deref()).unwrap_or_default();
            let content = transform(basis).map_err(|r| refusal(target, r))?;
            if content == expected.as_deref().unwrap_or_default() {
                return Ok(Replaced { before: first.unwrap_or_else(|| expected.clone()), after: expected });
            }
            let (staged, unflushed) = write_beside(target, expected.as_deref(), content, before_write)?;
            flush::flush(unflushed)?;
            staged
        };
        if let Compared::Changed(now) = target.compare(expected.as_deref())? {
            let tail = tail_of(now.as_deref(), expected.as_deref()).map(<[u8]>::to_vec);
            // Somebody appends faster than we can write: swap all the same, and append what was displaced.
            if tail.is_none() || round < PATIENT_ROUNDS {
                source = source.zip(tail).map(|(text, tail)| [text, tail].concat());
                expected = now;
                continue;
            }
        }
        let Some(base) = expected else {
            match temp.put_if_missing(target) {
                Ok(()) => return Ok(Replaced { before: first.flatten(), after: Some(content) }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => expected = target.read()?,
                Err(e) => return Err(SshFilesError::io("create", &target.path)(e)),
            }
            continue;
        };
        let Some(displaced) = temp.swap(target, &base)? else {
            return Ok(Replaced { before: first.unwrap_or(Some(base)), after: Some(content) });
        };
        tracing::debug!(path = %target.path.display(), "another program wrote at the same moment; merging");
        if let Some(tail) = tail_of(Some(&displaced), Some(&base)) {
            append(target, tail)?;
            (source, expected) = (None, target.read()?);
        } else {
            (source, expected) = (Some(displaced), Some(content));
        }
        first.get_or_insert(Some(base));
    }
    Err(SshFilesError::Contended { path: target.path.clone() })
}

/// A new content that stands beside its target.
pub(super) struct Staged {
    temp: Temp,
    content: Vec<u8>,
}

/// Makes the first round of [`replace`] as far as the flush, which the caller sees to before it goes on.
pub(super) fn stage(
    target: &Target,
    expected: Option<&[u8]>,
    content: Vec<u8>,
    before_write: &mut BeforeWrite<'_>,
) -> Result<(Staged, Vec<Unflushed>), SshFilesError> {
    remove_leftovers(target);
    write_beside(target, expected, content, before_write)
}

fn write_beside(
    target: &Target,
    expected: Option<&[u8]>,
    content: Vec<u8>,
    before_write: &mut BeforeWrite<'_>,
) -> Result<(Staged, Vec<Unflushed>), SshFilesError> {
    target.check_writable()?;
    let mut unflushed = before_write(target, expected, &content)?;
    let (temp, file) = Temp::write_unsynced(target, &content, expected.is_some())?;
    // Last, so that the calling thread flushes the largest.
    unflushed.push(Unflushed::file(&temp.path, file));
    Ok((Staged { temp, content }, unflushed))
}

/// What was appended to `before`; `None` if `now` is anything else.
fn tail_of<'n>(now: Option<&'n [u8]>, before: Option<&[u8]>) -> Option<&'n [u8]> {
    now?.strip_prefix(before?)
}

/// Appends as any other program would, to whatever file the path names.
fn append(target: &Target, tail: &[u8]) -> Result<(), SshFilesError> {
    for _ in 0..ROUNDS {
        let mut file = OpenOptions::new()
            .append(true)
            .open(&target.path)
            .map_err(SshFilesError::io("append to", &target.path))?;
        file.write_all(tail)
            .and_then(|()| file.sync_all())
            .map_err(SshFilesError::io("append to", &target.path))?;
        let now = target.read()?.unwrap_or_default();
        if os::is_same_file(&file, &target.path) || memchr::memmem::find(&now, tail).is_some() {
            return Ok(());
        }
    }
    Err(SshFilesError::Contended { path: target.path.clone() })
}

/// Removes an empty file that nobody needs; puts it back if somebody wrote to it at that moment.
pub(super) fn remove_if_empty(target: &Target) -> Result<bool, SshFilesError> {
    if target.read()?.is_none_or(|bytes| !bytes.is_empty()) {
        return Ok(false);
    }
    let aside = temp_path(target)?;
    fs::rename(&target.path, &aside).map_err(SshFilesError::io("remove", &target.path))?;
    let late = os::settle(&aside, b"").map_err(SshFilesError::io("read", &aside))?;
    if late.is_none() {
        let _ = fs::remove_file(&aside);
        sync_dir(target)?;
        return Ok(true);
    }
    os::put_if_missing(&aside, &target.path).map_err(SshFilesError::io("restore", &target.path))?;
    Ok(false)
}

/// Makes a replacement last through a power cut.
pub(super) fn sync_dir(target: &Target) -> Result<(), SshFilesError> {
    flush::flush_dir(target.dir())
}

pub(super) fn refusal(target: &Target, refusal: Refusal) -> SshFilesError {
    SshFilesError::Refused { path: target.named.clone(), line: refusal.line, reason: refusal.reason }
}

/// A temporary file beside the target, gone when dropped unless it took the target's place.
struct Temp {
    path: PathBuf,
    gone: bool,
}

impl Temp {
    fn write(target: &Target, content: &[u8], like_target: bool) -> Result<Self, SshFilesError> {
        let (temp, file) = Self::write_unsynced(target, content, like_target)?;
        file.sync_all().map_err(SshFilesError::io("flush", &temp.path))?;
        Ok(temp)
    }

    fn write_unsynced(
        target: &Target,
        content: &[u8],
        like_target: bool,
    ) -> Result<(Self, File), SshFilesError> {
        let path = temp_path(target)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        os::private(&mut options);
        let file = options.open(&path).map_err(|e| match e.kind() {
            io::ErrorKind::PermissionDenied => SshFilesError::ReadOnly { path: target.path.clone() },
            _ => SshFilesError::io("create", &path)(e),
        })?;
        let temp = Self { path, gone: false };
        if like_target {
            let old = File::open(&target.path).map_err(SshFilesError::io("look at", &target.path))?;
            os::copy_attributes(&old, &file)
                .map_err(SshFilesError::io("keep mode and owner on", &temp.path))?;
        }
        (&file).write_all(content).map_err(SshFilesError::io("write", &temp.path))?;
        Ok((temp, file))
    }

    fn put_if_missing(mut self, target: &Target) -> io::Result<()> {
        os::put_if_missing(&self.path, &target.path)?;
        self.gone = true;
        Ok(())
    }

    /// Takes the target's place; returns what was displaced, if that is not `base` and the system keeps it.
    fn swap(mut self, target: &Target, base: &[u8]) -> Result<Option<Vec<u8>>, SshFilesError> {
        match os::swap(&self.path, &target.path).map_err(SshFilesError::io("replace", &target.path))? {
            Swapped::Exchanged => os::settle(&self.path, base)
                .map_err(SshFilesError::io("read what was displaced to", &self.path)),
            Swapped::Replaced => {
                self.gone = true;
                Ok(None)
            }
        }
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        // What cannot be removed now, the next run removes.
        if !self.gone
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "a temporary file stays behind");
        }
    }
}

fn temp_path(target: &Target) -> Result<PathBuf, SshFilesError> {
    let mut random = [0_u8; 6];
    getrandom::fill(&mut random)
        .map_err(|e| SshFilesError::io("name a temporary file beside", &target.path)(io::Error::other(e)))?;
    let random = random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    Ok(target.sidecar(&format!("{}-{random}.tmp", std::process::id())))
}

/// Removes temporary files of runs that were killed. The caller holds the lock, so none is in use.
pub(super) fn remove_leftovers(target: &Target) {
    for path in leftovers(target) {
        let _ = fs::remove_file(path);
    }
}

/// Temporary files that stand beside the target, in use or not.
pub(super) fn leftovers(target: &Target) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(target.dir()) else { return Vec::new() };
    let prefix = target.sidecar_name("");
    let is_ours = |name: &str| name.strip_prefix(&prefix).is_some_and(is_temp_suffix);
    entries.flatten().filter(|e| is_ours(&e.file_name().to_string_lossy())).map(|e| e.path()).collect()
}

fn is_temp_suffix(rest: &str) -> bool {
    let Some((pid, random)) = rest.strip_suffix(".tmp").and_then(|r| r.split_once('-')) else { return false };
    !pid.is_empty()
        && pid.bytes().all(|b| b.is_ascii_digit())
        && random.len() == 12
        && random.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Writes a small file of our own in one step.
pub(super) fn write_own(path: &Path, content: &[u8]) -> Result<(), SshFilesError> {
    let target = Target { named: path.to_owned(), path: path.to_owned() };
    let mut temp = Temp::write(&target, content, false)?;
    fs::rename(&temp.path, path).map_err(SshFilesError::io("write", path))?;
    temp.gone = true;
    Ok(())
}

/// As [`write_own`], but a power cut may leave the new name with less than the whole content.
pub(super) fn note_own(path: &Path, content: &[u8]) -> Result<(), SshFilesError> {
    let target = Target { named: path.to_owned(), path: path.to_owned() };
    let (mut temp, _) = Temp::write_unsynced(&target, content, false)?;
    fs::rename(&temp.path, path).map_err(SshFilesError::io("write", path))?;
    temp.gone = true;
    Ok(())
}

/// Copies a file's old content to a new private file, which is still to be flushed.
pub(super) fn keep_copy(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    os::private(&mut options);
    let mut file: File = options.open(path)?;
    match file.write_all(content) {
        Ok(()) => Ok(file),
        Err(e) => {
            let _ = fs::remove_file(path);
            Err(e)
        }
    }
}
