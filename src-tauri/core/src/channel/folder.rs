//! A folder that some other program keeps in step with the runtime's: a mounted Drive, Syncthing, Dropbox.
//!
//! The announcement is the only line of `moorline-<kid>.txt`. Programs that sync write beside and rename, or write in
//! place and in pieces; a piece is no line with the right signature, so it is read again until it is. The system says
//! when something happens in the folder; where it does not (network file systems), it is looked at now and then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::{Channel, Ear, Heard, Post};
use crate::announcement::{self, LONGEST};
use crate::regular;

/// How often the folder is looked at when nothing is heard of it.
const LOOK: Duration = Duration::from_secs(5);

/// One folder.
pub(super) struct Folder {
    dir: PathBuf,
    file: PathBuf,
    /// What was handed on last.
    last: Option<String>,
}

impl Folder {
    pub(super) fn new(post: &Post) -> Option<Self> {
        let dir = post.settings.folder.clone()?;
        let file = dir.join(format!("moorline-{}.txt", post.kid));
        Some(Self { dir, file, last: None })
    }

    async fn run(mut self, ear: Ear) {
        let (stir, mut stirred) = mpsc::channel(1);
        let mut watching: Option<RecommendedWatcher> = None;
        loop {
            if watching.is_none() {
                // The folder may come later: a drive that is not mounted yet.
                watching = watch(&self.dir, stir.clone()).ok();
            }
            if !self.look(&ear).await {
                return;
            }
            tokio::select! {
                _ = stirred.recv() => {}
                () = tokio::time::sleep(LOOK) => {
                    // A folder that was removed and made anew is another one to the system.
                    if !self.dir.is_dir() {
                        watching = None;
                    }
                }
                () = ear.closed() => return,
            }
        }
    }

    /// Hands on what the file holds, if it is something else than before; `false` when nobody listens.
    async fn look(&mut self, ear: &Ear) -> bool {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || read(&file)).await;
        let Ok(Ok(Some(line))) = read else { return true };
        if self.last.as_ref() == Some(&line) {
            return true;
        }
        self.last = Some(line.clone());
        ear.hear(Heard::line(line)).await
    }
}

impl Channel for Folder {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear))
    }
}

/// The first line, if the file is a regular one of a sensible length and has a whole line that looks right.
fn read(file: &Path) -> io::Result<Option<String>> {
    let short = fs::metadata(file).is_ok_and(|found| found.len() <= LONGEST as u64 + 2);
    if !short {
        return Ok(None);
    }
    let text = regular::read(file)?.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let line = text.trim_end_matches(['\n', '\r']);
    // A file that is being written in pieces is no news yet; that it is whole is heard of, too.
    Ok(announcement::key_id(line).is_ok().then(|| line.to_owned()))
}

fn watch(dir: &Path, stir: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
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
    use super::super::ChannelKind;
    use super::*;
    use crate::session_key::SessionKey;

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
        let folder = Folder { dir: dir.clone(), file: file.clone(), last: None };
        let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to)));
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
        let folder = Folder { dir: dir.clone(), file: file.clone(), last: None };
        let listening = tokio::spawn(folder.run(Ear::new(ChannelKind::Folder, to)));
        fs::create_dir(&dir).unwrap();
        fs::write(&file, &line).unwrap();
        let (_, found) = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
        assert_eq!(found, Heard::line(line));
        listening.abort();
    }
}
