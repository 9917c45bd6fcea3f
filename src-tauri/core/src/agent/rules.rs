//! The rules: what follows from what happened. Pure: the time comes in, effects go out.

mod announced;
mod approve;
mod asked;
mod dial;
mod dropped;
mod files;
mod keyring;
mod keys;
mod loaded;
mod login;
mod lone;
mod runtime;
mod sights;

use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, FileJob};
use super::message::{Msg, Request};
use super::moments::later;
use super::notices;
use super::state::State;

/// How long after waking up a failure says nothing about a runtime.
const SETTLE_IN: SignedDuration = SignedDuration::from_secs(30);

/// Takes a message in and says what is to be done.
pub fn update(state: &mut State, msg: Msg, now: Timestamp) -> Vec<Effect> {
    let answers = matches!(msg, Msg::Asked(_) | Msg::NotOpened(..) | Msg::Unreadable(_) | Msg::NotKept(..));
    let told = notices::told(state);
    let mut effects = match msg {
        Msg::Saw(name, sight) => sights::saw(state, &name, sight, now),
        Msg::Loaded(all) => loaded::loaded(state, all),
        Msg::FilesChanged => vec![Effect::File(FileJob::Reload)],
        Msg::Configured(settings) => {
            state.settings = settings;
            Vec::new()
        }
        Msg::Unreadable(sentence) => files::unreadable(state, sentence),
        Msg::Found(editors) => {
            state.editors = editors;
            Vec::new()
        }
        Msg::Announced(name, news) => announced::heard(state, &name, *news, now),
        Msg::Alone(name, lone) => lone::found(state, &name, lone, now),
        Msg::Adopted(name, outcome) => announced::adopted(state, &name, outcome, now),
        Msg::KeyInstalled(name, outcome) => login::installed(state, &name, outcome, now),
        Msg::VaultOpened(name) => keyring::opened(state, &name),
        Msg::NotKept(name, sentence) => vec![Effect::Notify(notices::not_kept(&name, &sentence))],
        Msg::NotOpened(name, sentence) => vec![Effect::Notify(notices::not_opened(&name, &sentence))],
        Msg::Settled(name, outcome) => files::settled(state, &name, outcome, now),
        Msg::Unmended(name, sentence) => files::unmended(state, &name, sentence),
        Msg::Asked(request) => asked::asked(state, request, now),
        Msg::Woke => {
            state.settling_in_until = Some(later(now, SETTLE_IN));
            Vec::new()
        }
        // The watchers know of it, and take their turns.
        Msg::NetworkChanged | Msg::Tick => Vec::new(),
    };
    effects.extend(timed(state, now));
    files::note_writes(state, &effects);
    notices::withdraw_together(state, &mut effects);
    // Whoever asked for something hears what became of it, however quiet the rest is to be.
    if !answers {
        notices::hold_back(state, &told, &mut effects, now);
    }
    notices::keep_track(state, &mut effects);
    // First, so that a crash right after a notification does not have it told again, or its return not told at all.
    let news = state.sessions.iter_mut().filter_map(|(name, followed)| {
        Some(Effect::File(FileJob::RememberTold(name.clone(), followed.news_to_recall()?)))
    });
    news.chain(effects).collect()
}

/// Why a request cannot be met, as one sentence for whoever asks and waits for the answer. [`update`] guards itself:
/// it does the same whether this was asked or not.
pub fn objection(state: &State, request: &Request) -> Option<String> {
    let (Request::Open { name, .. }
    | Request::Repair(name)
    | Request::TakeOver(name, _)
    | Request::Follow { name, .. }
    | Request::Approve(name, _)
    | Request::Pause(name)
    | Request::Resume(name)) = request
    else {
        return None;
    };
    let Some(followed) = state.sessions.get(name) else {
        return Some(format!("there is no session {name}"));
    };
    if let Request::TakeOver(_, runtime) = request {
        return announced::objection(followed, runtime);
    }
    let Request::Approve(_, fingerprint) = request else { return None };
    match followed.course.phase().key_in_question() {
        Some(key) if key.fingerprint() == *fingerprint => None,
        Some(key) => Some(format!(
            "{name} shows {} now, not the fingerprint that you compared; nothing was changed, compare again",
            key.fingerprint()
        )),
        None => Some(format!("{name} shows no fingerprint that waits for an approval; nothing was changed")),
    }
}

/// What is due by now.
fn timed(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
    if past(state.snoozed_until) {
        state.snoozed_until = None;
    }
    if past(state.settling_in_until) {
        state.settling_in_until = None;
    }
    let mut effects = announced::due(state, now);
    effects.extend(files::due(state, now));
    effects.extend(notices::drops(state, now));
    effects.extend(notices::returns(state, now));
    effects.extend(notices::warnings(state, now));
    effects
}

#[cfg(test)]
mod tests;
