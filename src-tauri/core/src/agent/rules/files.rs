//! What became of the files that were to be written or read.

use jiff::{SignedDuration, Timestamp};
use moorline_model::trust::Trust;
use moorline_ssh_files::Alias;

use super::dial::watch;
use crate::agent::effect::{Effect, FileJob};
use crate::agent::followed::{Followed, Told, Writing};
use crate::agent::moments::later;
use crate::agent::notices;
use crate::agent::state::State;

/// How often files that could not be written are tried again.
pub(super) const FILES_RETRY: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn unmended(state: &mut State, name: &Alias, sentence: String) -> Vec<Effect> {
    if let Some(followed) = state.sessions.get_mut(name) {
        followed.files.unmended = true;
        followed.files.under_way.pop_front();
    }
    unreadable(state, sentence)
}

pub(super) fn settled(
    state: &mut State,
    name: &Alias,
    outcome: Result<(), String>,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let written = followed.files.under_way.pop_front().unwrap_or(Writing::Key);
    match outcome {
        // What was mended is overtaken: the key that is being settled is not in the files yet.
        Ok(()) if written == Writing::Mending && followed.course.phase().key_in_question().is_some() => {
            Vec::new()
        }
        Ok(()) => {
            accepted(followed, now);
            // What was written was overtaken by something newer; the files say what is pinned by now.
            let Some(returning) = followed.course.returning_mut() else {
                return vec![Effect::File(FileJob::Reload)];
            };
            returning.files_written(now);
            let Some(key) = followed.course.pinned() else { return Vec::new() };
            followed.lead.moved_from = None;
            // The new key is pinned; now the watcher may log in.
            followed.pinned = vec![(key, Trust::Channel)];
            vec![watch(followed, 0), Effect::File(FileJob::Reload)]
        }
        Err(sentence) => refused(followed, sentence, now),
    }
}

/// Told once for each reason; tried again from time to time.
pub(super) fn refused(followed: &mut Followed, sentence: String, now: Timestamp) -> Vec<Effect> {
    let new_machine = followed.course.take_return().and_then(|returning| returning.new_machine);
    followed.files.retry_at = Some(later(now, FILES_RETRY));
    let (back_is_owed, new_machine) = match &followed.told {
        Told::FilesRefused { back_is_owed, new_machine: known, .. } => {
            (*back_is_owed, new_machine.or(*known))
        }
        Told::Nothing => (false, new_machine),
        _ => (true, new_machine),
    };
    let notice = notices::files_refused(&followed.session.name, &sentence);
    let again = matches!(&followed.told, Told::FilesRefused { sentence: told, .. } if *told == sentence);
    followed.told = Told::FilesRefused { sentence, back_is_owed, new_machine };
    if again { Vec::new() } else { vec![Effect::Notify(notice)] }
}

/// Files that could not be written are by now: what was said of them is taken back, and a return that waited for
/// them is told.
fn accepted(followed: &mut Followed, now: Timestamp) {
    followed.files.retry_at = None;
    let Told::FilesRefused { new_machine, .. } = followed.told else { return };
    followed.course.return_late(new_machine, now);
}

pub(super) fn due(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    for followed in state.sessions.values_mut() {
        if followed.course.is_online() && followed.files.retry_at.is_some_and(|moment| moment <= now) {
            followed.files.retry_at = Some(later(now, FILES_RETRY));
            effects.push(Effect::File(FileJob::Settle { session: followed.session.clone(), key: None }));
        }
    }
    effects
}

/// File work is done in order, and each piece is answered once: so it is known which answer speaks of a new key.
pub(super) fn note_writes(state: &mut State, effects: &[Effect]) {
    for effect in effects {
        let (name, writing) = match effect {
            Effect::File(FileJob::Settle { session, key: None }) => (&session.name, Writing::Mending),
            Effect::File(FileJob::Settle { session, .. } | FileJob::Move { session, .. }) => {
                (&session.name, Writing::Key)
            }
            _ => continue,
        };
        if let Some(followed) = state.sessions.get_mut(name) {
            followed.files.under_way.push_back(writing);
        }
    }
}

/// Told once for each thing that is wrong; what was known goes on.
pub(super) fn unreadable(state: &mut State, sentence: String) -> Vec<Effect> {
    if state.unreadable.as_ref() == Some(&sentence) {
        return Vec::new();
    }
    let notice = notices::unreadable(&sentence);
    state.unreadable = Some(sentence);
    vec![Effect::Notify(notice)]
}
