//! The conversations that faces have with the agent about new sessions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::repoint::adding::Wish;
use crate::repoint::adding::clipboard::Clipboard;
use crate::repoint::adding::surroundings::{EXPIRES, Surroundings};
use crate::repoint::adding::talk::Talk;
use crate::repoint::adding::view::{AddingView, ConversationId, Heard, Say};
use crate::ssh::context::Tools;

/// More at a time than anybody has windows for.
const MOST: usize = 16;

/// A face asks every few seconds; one that did not for so long is gone.
const LEFT: Duration = Duration::from_secs(10 * 60);

/// How long somebody who waits for a change is kept waiting: less than a caller's patience.
const WAIT: Duration = Duration::from_secs(3);

/// The conversations by number.
pub struct AddingHost {
    around: Surroundings,
    talks: Mutex<BTreeMap<ConversationId, Held>>,
}

/// A conversation, and when somebody last asked for it.
struct Held {
    talk: Arc<Talk>,
    asked: Instant,
}

impl AddingHost {
    /// No conversation yet. `written` is told whenever one has written something.
    pub fn new(tools: Arc<Tools>, clipboard: Arc<dyn Clipboard>, written: mpsc::UnboundedSender<()>) -> Self {
        let around = Surroundings { tools, clipboard, ssh_may_ask: false, expires: EXPIRES, written };
        Self { around, talks: Mutex::default() }
    }

    /// The places, vault and ssh that they use.
    pub fn tools(&self) -> &Arc<Tools> {
        &self.around.tools
    }

    /// The clipboard that they use.
    pub fn clipboard(&self) -> &Arc<dyn Clipboard> {
        &self.around.clipboard
    }

    /// Begins one. Must be called within a tokio runtime.
    pub fn begin(&self, wish: Wish) -> AddingView {
        let mut talks = self.talks();
        talks.retain(|_, held| !held.talk.is_over() && held.asked.elapsed() < LEFT);
        // Who left without a word asks no more: theirs is the one that nobody asked for the longest.
        if talks.len() >= MOST
            && let Some(oldest) = talks.iter().min_by_key(|(_, held)| held.asked).map(|(id, _)| id.clone())
        {
            talks.remove(&oldest);
        }
        let talk = Talk::begin(self.around.clone(), wish);
        let view = talk.now();
        talks.insert(talk.id.clone(), Held { talk: Arc::new(talk), asked: Instant::now() });
        view
    }

    /// Says something in one; an answer, to the question of this number.
    ///
    /// # Errors
    /// There is no such conversation, or it cannot be done; one sentence.
    pub async fn say(&self, id: &ConversationId, question: u64, say: Say) -> Result<Heard, String> {
        self.talk(id)?.say(question, say).await
    }

    /// How one is, once that is another revision than this one; or after a few seconds all the same.
    ///
    /// # Errors
    /// There is no such conversation.
    pub async fn wait(&self, id: &ConversationId, revision: u64) -> Result<AddingView, String> {
        Ok(self.talk(id)?.next(revision, WAIT).await)
    }

    /// Ends one, and throws away what was pasted.
    pub fn end(&self, id: &ConversationId) {
        self.talks().remove(id);
    }

    fn talk(&self, id: &ConversationId) -> Result<Arc<Talk>, String> {
        let mut talks = self.talks();
        let held = talks.get_mut(id).ok_or_else(|| "this is over; begin again".to_owned())?;
        held.asked = Instant::now();
        Ok(Arc::clone(&held.talk))
    }

    fn talks(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Held>> {
        self.talks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AddingHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddingHost").finish_non_exhaustive()
    }
}
