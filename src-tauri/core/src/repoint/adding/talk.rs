//! A conversation that goes on, as a face has it in hand.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::surroundings::{Spoken, Surroundings};
use super::task::Task;
use super::view::{AddingView, ConversationId, Heard, Looking, Say, Stage};

use super::wish::Wish;

/// A conversation that goes on, from outside. It ends when this is dropped.
#[derive(Debug)]
pub struct Talk {
    /// Its number.
    pub id: ConversationId,
    said: mpsc::Sender<Spoken>,
    views: watch::Receiver<AddingView>,
}

impl Talk {
    /// Begins one. Must be called within a tokio runtime.
    pub fn begin(around: Surroundings, wish: Wish) -> Self {
        let id = ConversationId::new();
        let first = AddingView {
            id: id.clone(),
            revision: 0,
            question: 0,
            echo: None,
            read: None,
            draft: None,
            stage: Stage::Looks { at: Looking::Here },
            checks: Vec::new(),
        };
        let (show, views) = watch::channel(first);
        let (said, hears) = mpsc::channel(8);
        tokio::spawn(Task::new(around, wish, show).run(hears));
        Self { id, said, views }
    }

    /// Says something; an answer is to the question of this number, and not taken for another one. What follows from it
    /// is seen in the views.
    ///
    /// # Errors
    /// It cannot be done, such as reading an empty clipboard, or the conversation is over; one sentence.
    pub async fn say(&self, question: u64, say: Say) -> Result<Heard, String> {
        let over = || "this is over; begin again".to_owned();
        let (answer, answered) = oneshot::channel();
        self.said.send(Spoken { question, say, answer }).await.map_err(|_| over())?;
        let taken = answered.await.map_err(|_| over())??;
        Ok(if taken { Heard::Taken(self.now()) } else { Heard::Stale(self.now()) })
    }

    /// How it is now.
    pub fn now(&self) -> AddingView {
        self.views.borrow().clone()
    }

    /// How it is once that is another revision than this one, or after `patience` all the same.
    pub async fn next(&self, revision: u64, patience: Duration) -> AddingView {
        let mut views = self.views.clone();
        let changed = views.wait_for(|view| view.revision != revision);
        // A conversation that has ended stays as it is.
        let _ = tokio::time::timeout(patience, changed).await;
        self.now()
    }

    /// Whether it has ended, and nobody can answer any more.
    pub fn is_over(&self) -> bool {
        self.said.is_closed()
    }
}

#[cfg(test)]
mod tests;
