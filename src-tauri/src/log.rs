//! The log: a file in the state folder that never grows past a cap.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use moorline_core::store::dirs::Dirs;
use tracing::Level;
use tracing_subscriber::fmt::time::SystemTime;

/// Where a file ends and the next begins. With the one before it, twice as much lies on disk.
const CAP: u64 = 1024 * 1024;

/// Sends everything that this process logs to `NAME.log` in the state folder.
///
/// # Errors
/// The folder or the file cannot be made.
pub fn start(dirs: &Dirs, name: &str) -> anyhow::Result<()> {
    let folder = dirs.state.join("logs");
    Dirs::create_private(&folder)?;
    let file = CappedFile::open(folder.join(format!("{name}.log")), CAP)?;
    let level = if cfg!(debug_assertions) { Level::DEBUG } else { Level::INFO };
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(level)
        .with_timer(SystemTime)
        .with_writer(Mutex::new(file))
        .finish();
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(())
}

/// A file that is put aside as `.old` when it is full.
#[derive(Debug)]
pub struct CappedFile {
    path: PathBuf,
    file: File,
    length: u64,
    cap: u64,
}

impl CappedFile {
    /// Goes on with the file, or begins it, readable for its owner alone.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: PathBuf, cap: u64) -> io::Result<Self> {
        let file = appended(&path)?;
        let length = file.metadata()?.len();
        Ok(Self { path, file, length, cap })
    }
}

impl Write for CappedFile {
    /// Takes a whole line.
    fn write(&mut self, said: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(said);
        let line = plain(&text);
        let more = line.len() as u64;
        if self.length > 0 && self.length + more > self.cap {
            fs::rename(&self.path, self.path.with_extension("log.old"))?;
            self.file = appended(&self.path)?;
            self.length = 0;
        }
        self.file.write_all(line.as_bytes())?;
        self.length += more;
        Ok(said.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// One line for what is one: what others said must neither look like a line of ours nor steer a terminal that shows it.
fn plain(line: &str) -> Cow<'_, str> {
    let text = line.strip_suffix('\n').unwrap_or(line);
    if !text.contains(char::is_control) {
        return Cow::Borrowed(line);
    }
    let escaped = text.chars().map(|c| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    });
    Cow::Owned(escaped.chain(line.ends_with('\n').then(|| "\n".to_owned())).collect())
}

fn appended(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_stays_within_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tray.log");
        let mut log = CappedFile::open(path.clone(), 1000).unwrap();
        log.write_all("trainer: gpu \u{1b}[2J\r\n INFO forged\u{9b}31m\tü\n".as_bytes()).unwrap();
        log.write_all(b"next\n").unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written, "trainer: gpu \\u{1b}[2J\\r\\n INFO forged\\u{9b}31m\\tü\nnext\n");
    }

    #[test]
    fn the_log_never_grows_past_twice_its_cap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tray.log");
        let mut log = CappedFile::open(path.clone(), 100).unwrap();
        for n in 0..50 {
            writeln!(log, "line {n:02}").unwrap();
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let (now, old) = (read(&path), read(&path.with_extension("log.old")));
        assert!(now.len() <= 100 && old.len() <= 100, "{} and {} bytes", now.len(), old.len());
        assert!(now.ends_with("line 49\n"), "the newest is kept: {now}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "and nothing else lies there");
        drop(log);
        let mut log = CappedFile::open(path.clone(), 100).unwrap();
        writeln!(log, "after a restart").unwrap();
        assert!(read(&path).ends_with("line 49\nafter a restart\n") || read(&path) == "after a restart\n");
    }
}
