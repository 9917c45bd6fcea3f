//! Who on this computer holds a runtime's one SSH slot.
//!
//! Google answers a second connection with 429 and does not say who has the first. What this computer holds is known
//! here: whoever carries SSH to a runtime locks a file, which the system unlocks however that program ends.

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use moorline_model::colab_runtime::EndpointId;

use crate::store::dirs::Dirs;
use crate::store::file_lock::{self, FileLock};

/// How long Google may take to notice that a connection broke off.
const HALF_OPEN: Duration = Duration::from_secs(120);

/// How old a note is at most whose connection lives: a process that is killed writes nothing at its end.
const REFRESHED: Duration = Duration::from_secs(20);

/// A connection of this computer. Dropped, it is over.
#[derive(Debug)]
pub struct Slot {
    lock: Option<FileLock>,
    /// When the note was written last.
    noted: Instant,
    /// What was noted before, and when.
    before: String,
    written: Option<SystemTime>,
}

/// Who may hold a slot that Google says is taken; its text says so, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// This process of this computer.
    Here(u32),
    /// A connection of this computer, which is over by now: Google has not noticed yet.
    HalfOpen,
    /// Somebody else: another computer, or another program.
    Elsewhere,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(process) => write!(
                f,
                "process {process} of this computer has it; close that window or editor, then try again"
            ),
            Self::HalfOpen => f.write_str(
                "it may still count one of this computer that broke off, if no other computer or program has it; try again in a minute",
            ),
            Self::Elsewhere => f.write_str(
                "another computer or program (`colab ssh`?) has it; close that one, then try again",
            ),
        }
    }
}

impl Slot {
    /// Notes that this process connects to a runtime. Where that cannot be noted, nothing is lost but a better
    /// sentence for the next one.
    pub fn take(dirs: &Dirs, runtime: &EndpointId) -> Self {
        let (mut before, mut written) = (String::new(), None);
        let taken = Self::lock(dirs, runtime).and_then(|lock| {
            written = lock.file().metadata()?.modified().ok();
            lock.file().take(16).read_to_string(&mut before)?;
            lock.note(&std::process::id().to_string())?;
            Ok(lock)
        });
        let lock = taken.inspect_err(|error| tracing::debug!(%error, "the SSH slot is not noted")).ok();
        Self { lock, noted: Instant::now(), before, written }
    }

    /// Something came over the connection just now: the note's age is counted from here.
    pub fn lives(&mut self) {
        if self.noted.elapsed() < REFRESHED {
            return;
        }
        self.noted = Instant::now();
        if let Some(lock) = &self.lock {
            let _ = lock.file().set_modified(SystemTime::now());
        }
    }

    /// It was not had after all: the note stays as it was found, so that its age is that of the last real connection.
    pub fn leave(mut self) {
        if let Some(lock) = self.lock.take() {
            let _ = lock.note(&self.before);
            let _ = self.written.map(|written| lock.file().set_modified(written));
        }
    }

    fn lock(dirs: &Dirs, runtime: &EndpointId) -> io::Result<FileLock> {
        Dirs::create_private(&dirs.runtime).map_err(io::Error::other)?;
        Ok(FileLock::take(&path(dirs, runtime), Duration::ZERO)?)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            // The file's age tells how long ago that was.
            let _ = lock.note("over");
        }
    }
}

/// Who on this computer may hold the runtime's slot.
pub fn holder(dirs: &Dirs, runtime: &EndpointId) -> Holder {
    let Ok(Some(seen)) = file_lock::look(&path(dirs, runtime)) else { return Holder::Elsewhere };
    if seen.held {
        return seen.note.trim().parse().map_or(Holder::Elsewhere, Holder::Here);
    }
    let written = seen.file.metadata().and_then(|found| found.modified()).ok();
    let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
    // A process that was killed wrote nothing at its end: that was shortly after the note was refreshed.
    let killed = seen.note.trim() != "over";
    let limit = if killed { HALF_OPEN + REFRESHED } else { HALF_OPEN };
    let recent = age.is_some_and(|age| age < limit);
    if recent { Holder::HalfOpen } else { Holder::Elsewhere }
}

fn path(dirs: &Dirs, runtime: &EndpointId) -> PathBuf {
    dirs.runtime.join(format!("slot-{runtime}"))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn the_holder_is_known_while_it_holds_and_shortly_after() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let (one, other) = ("gpu-1".parse().unwrap(), "gpu-2".parse().unwrap());
        assert_eq!(holder(&dirs, &one), Holder::Elsewhere, "nothing of ours was ever there");
        let slot = Slot::take(&dirs, &one);
        assert_eq!(holder(&dirs, &one), Holder::Here(std::process::id()));
        assert_eq!(holder(&dirs, &other), Holder::Elsewhere, "each runtime has its own");
        drop(slot);
        assert_eq!(holder(&dirs, &one), Holder::HalfOpen, "it was ours a moment ago");
        let past = SystemTime::now() - Duration::from_secs(200);
        File::options().append(true).open(path(&dirs, &one)).unwrap().set_modified(past).unwrap();
        assert_eq!(holder(&dirs, &one), Holder::Elsewhere, "by now Google has noticed");
    }

    #[test]
    fn a_process_that_was_killed_counts_for_a_while_and_not_for_ever() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let one = "gpu-1".parse().unwrap();
        let mut slot = Slot::take(&dirs, &one);
        let file = || File::options().append(true).open(path(&dirs, &one)).unwrap();
        let age = |seconds| file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        age(600);
        slot.lives();
        let written = || file().metadata().unwrap().modified().unwrap().elapsed().unwrap();
        assert!(written() > Duration::from_secs(500), "not every byte is noted");
        slot.noted = Instant::now().checked_sub(REFRESHED).unwrap();
        slot.lives();
        assert!(written() < Duration::from_secs(60), "that it lives is noted now and then");
        // It is killed: the lock goes, the note stays.
        slot.lock.take().unwrap().file().unlock().unwrap();
        assert_eq!(holder(&dirs, &one), Holder::HalfOpen, "that may have been just now");
        age(130);
        assert_eq!(holder(&dirs, &one), Holder::HalfOpen, "it may have lived for a while after its note");
        age(200);
        assert_eq!(holder(&dirs, &one), Holder::Elsewhere, "by now Google has noticed");
    }

    #[test]
    fn a_second_connection_does_not_take_over_the_first_ones_note() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let one = "gpu-1".parse().unwrap();
        let first = Slot::take(&dirs, &one);
        let second = Slot::take(&dirs, &one);
        assert!(first.lock.is_some() && second.lock.is_none());
        drop(second);
        assert_eq!(holder(&dirs, &one), Holder::Here(std::process::id()));
    }
}
