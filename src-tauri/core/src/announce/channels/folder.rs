//! A folder that some other program keeps in step with the runtime's: a mounted Drive, Syncthing, Dropbox.
//!
//! The announcement is the only line of `moorline-<kid>.txt`. Programs that sync write beside and rename, or write in
//! place and in pieces; a piece is no line with the right signature, so it is read again until it is. The system says
//! when something happens in the folder; where it does not (network file systems), it is looked at now and then.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self as stirring, RecvTimeoutError, SyncSender};
use std::time::Duration;
use std::{fs, io, thread};

use futures_util::future::BoxFuture;
use moorline_model::announcement::{self, LONGEST};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::channel::{Channel, Ear, Heard, Post};
use crate::store::read_file;

/// How often the folder is looked at when nothing is heard of it.
const LOOK: Duration = Duration::from_secs(5);

/// A look that takes longer hangs: a network file system whose server is away gives no answer at all.
const HANGS: Duration = Duration::from_secs(20);

/// One folder.
pub(super) struct Folder {
    dir: PathBuf,
    file: PathBuf,
}

/// The file system as the folder's thread sees it. Each of these may hang for as long as a mount does.
trait Sight: Send + 'static {
    /// Has the system say when something happens in the folder, from now on; `false` if it does not.
    fn watch(&mut self, dir: &Path, stir: SyncSender<()>) -> bool;

    /// Whether the folder is there.
    fn is_there(&mut self, dir: &Path) -> bool;

    /// The whole line that the file holds, if it holds one.
    fn read(&mut self, file: &Path) -> Option<String>;
}

/// The real one.
#[derive(Default)]
struct Disk {
    watching: Option<RecommendedWatcher>,
}

/// Ends the folder's thread, unless it hangs: then as soon as it does no more.
struct Thread(SyncSender<()>);

impl Drop for Thread {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

impl Folder {
    pub(super) fn new(post: &Post) -> Option<Self> {
        let dir = post.settings.folder.clone()?;
        let file = dir.join(format!("moorline-{}.txt", post.kid));
        Some(Self { dir, file })
    }

    async fn run(self, ear: Ear, sight: impl Sight) {
        let shown = self.dir.display().to_string();
        let (looked, mut looks) = mpsc::channel(1);
        let Ok(_thread) = look_on(self, sight, looked) else {
            tracing::warn!(folder = shown, "the system gives no thread to look at it");
            return ear.closed().await;
        };
        let (mut last, mut hangs) = (None, false);
        loop {
            let look = tokio::select! {
                look = tokio::time::timeout(HANGS, looks.recv()) => look,
                () = ear.closed() => return,
            };
            match look {
                Ok(Some(line)) => {
                    hangs = false;
                    if line.is_none() || line == last {
                        continue;
                    }
                    last.clone_from(&line);
                    if let Some(line) = line
                        && !ear.hear(Heard::line(line)).await
                    {
                        return;
                    }
                }
                // It goes on by itself once the mount does; another thread would hang beside it.
                Err(_) if !hangs => {
                    hangs = true;
                    tracing::warn!(
                        folder = shown,
                        "it does not answer; nothing is heard of it until it does"
                    );
                }
                Err(_) => {}
                Ok(None) => return ear.closed().await,
            }
        }
    }
}

impl Channel for Folder {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear, Disk::default()))
    }
}

/// Looks at the folder on a thread of its own, and hands on what each look found. Not on one of the runtime's: a program
/// that ends waits for those, and this one may never come back.
fn look_on(
    folder: Folder,
    mut sight: impl Sight,
    looked: mpsc::Sender<Option<String>>,
) -> io::Result<Thread> {
    let Folder { dir, file } = folder;
    let (stir, stirred) = stirring::sync_channel(1);
    let thread = Thread(stir.clone());
    thread::Builder::new().name("folder".to_owned()).spawn(move || {
        let mut watched = false;
        loop {
            if !watched {
                // The folder may come later: a drive that is not mounted yet.
                watched = sight.is_there(&dir) && sight.watch(&dir, stir.clone());
            }
            if looked.blocking_send(sight.read(&file)).is_err() {
                return;
            }
            let quiet = stirred.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout);
            // A folder that was removed and made anew is another one to the system.
            watched = watched && (!quiet || sight.is_there(&dir));
        }
    })?;
    Ok(thread)
}

impl Sight for Disk {
    fn watch(&mut self, dir: &Path, stir: SyncSender<()>) -> bool {
        self.watching = watch(dir, stir).ok();
        self.watching.is_some()
    }

    fn is_there(&mut self, dir: &Path) -> bool {
        dir.is_dir()
    }

    fn read(&mut self, file: &Path) -> Option<String> {
        read(file).ok().flatten()
    }
}

/// The first line, if the file is a regular one of a sensible length and has a whole line that looks right.
fn read(file: &Path) -> io::Result<Option<String>> {
    let short = fs::metadata(file).is_ok_and(|found| found.len() <= LONGEST as u64 + 2);
    if !short {
        return Ok(None);
    }
    let text = read_file::read(file)?.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let line = text.trim_end_matches(['\n', '\r']);
    // A file that is being written in pieces is no news yet; that it is whole is heard of, too.
    Ok(announcement::key_id(line).is_ok().then(|| line.to_owned()))
}

fn watch(dir: &Path, stir: SyncSender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Our own reading is no news.
        let read_only = |event: &Event| matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
        if !event.as_ref().is_ok_and(read_only) {
            // One stir that waits is as good as several.
            let _ = stir.try_send(());
        }
    })?;
    watcher.watch(dir, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorline_model::channel_settings::ChannelKind;
    use moorline_model::session_key::SessionKey;

    /// Far less than [`LOOK`]: what is heard within it came by the system's word.
    const SOON: Duration = Duration::from_secs(4);

    #[tokio::test]
    async fn a_line_is_heard_at_once_whole_and_once_however_it_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().to_owned();
        let key = SessionKey::random(1).unwrap();
        let line = |n: u8| announcement::seal_bytes(&[n; 40], &key.id(), &key.announcement_key());
        let file = dir.join(format!("moorline-{}.txt", key.id()));
        let (to, mut heard) = mpsc::channel(4);
        let folder = Folder { dir: dir.clone(), file: file.clone() };
        let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to), Disk::default()));
        let mut next = async |limit| {
            let heard = tokio::time::timeout(limit, heard.recv()).await.ok()?;
            heard.map(|(_, heard)| heard)
        };

        fs::write(&file, &line(1)[..60]).unwrap();
        fs::write(dir.join("notes.txt"), "something else").unwrap();
        fs::write(&file, line(1)).unwrap();
        assert_eq!(next(Duration::from_secs(30)).await, Some(Heard::line(line(1))), "not the piece");
        // Beside and renamed; and it has been listening for sure by now.
        fs::write(dir.join(".sync.tmp"), format!("{}\r\n", line(2))).unwrap();
        fs::rename(dir.join(".sync.tmp"), &file).unwrap();
        assert_eq!(next(SOON).await, Some(Heard::line(line(2))));
        fs::write(&file, vec![b'x'; LONGEST * 4]).unwrap();
        fs::write(&file, line(2)).unwrap();
        fs::write(&file, line(3)).unwrap();
        assert_eq!(
            next(Duration::from_secs(30)).await,
            Some(Heard::line(line(3))),
            "what is known is no news"
        );
        drop(heard);
        tokio::time::timeout(Duration::from_secs(30), listening).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_comes_later_is_found() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("not-mounted-yet");
        let key = SessionKey::random(1).unwrap();
        let line = announcement::seal_bytes(b"{}", &key.id(), &key.announcement_key());
        let file = dir.join(format!("moorline-{}.txt", key.id()));
        let (to, mut heard) = mpsc::channel(4);
        let folder = Folder { dir: dir.clone(), file: file.clone() };
        let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to), Disk::default()));
        fs::create_dir(&dir).unwrap();
        fs::write(&file, &line).unwrap();
        let (_, found) = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
        assert_eq!(found, Heard::line(line));
        listening.abort();
    }

    /// A mount that hangs in one of its calls until it is told to go on.
    struct Hung {
        at: &'static str,
        begun: mpsc::UnboundedSender<()>,
        goes_on: stirring::Receiver<()>,
        line: String,
    }

    impl Hung {
        fn hang_at(&self, call: &str) {
            if self.at == call {
                let _ = self.begun.send(());
                let _ = self.goes_on.recv();
            }
        }
    }

    impl Sight for Hung {
        fn watch(&mut self, _: &Path, _: SyncSender<()>) -> bool {
            self.hang_at("watch");
            true
        }

        fn is_there(&mut self, _: &Path) -> bool {
            self.hang_at("is there");
            true
        }

        fn read(&mut self, _: &Path) -> Option<String> {
            self.hang_at("read");
            Some(self.line.clone())
        }
    }

    /// On the test's one thread, as in the agent: whatever blocked it would keep this from going on.
    #[tokio::test]
    async fn a_mount_that_hangs_holds_up_nothing_and_is_heard_when_it_goes_on() {
        for at in ["is there", "watch", "read"] {
            let (begun, mut begins) = mpsc::unbounded_channel();
            let (go_on, goes_on) = stirring::channel();
            let sight = Hung { at, begun, goes_on, line: "a line".to_owned() };
            let (to, mut heard) = mpsc::channel(4);
            let folder = Folder { dir: "/hangs".into(), file: "/hangs/line".into() };
            let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to), sight));
            begins.recv().await.unwrap();
            tokio::task::yield_now().await;
            assert!(heard.try_recv().is_err(), "{at}: nothing yet");
            drop(go_on);
            let (_, line) =
                tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
            assert_eq!(line, Heard::line("a line"), "{at}");
            drop(heard);
            tokio::time::timeout(Duration::from_secs(30), listening).await.unwrap().unwrap();
        }
    }

    /// Nor does it keep anybody from going.
    #[tokio::test]
    async fn listening_ends_while_the_mount_still_hangs() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (_held, goes_on) = stirring::channel();
        let sight = Hung { at: "read", begun, goes_on, line: String::new() };
        let (to, heard) = mpsc::channel(4);
        let folder = Folder { dir: "/hangs".into(), file: "/hangs/line".into() };
        let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to), sight));
        begins.recv().await.unwrap();
        drop(heard);
        tokio::time::timeout(Duration::from_secs(30), listening).await.unwrap().unwrap();
    }
}
