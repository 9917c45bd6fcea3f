//! What is said of sessions that dropped.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use moorline_model::cause::Cause;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

use super::silence::{is_wanted, send};
use super::slots::ALL;
use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, Told};
use crate::agent::notice::{Notice, NoticeAction};
use crate::agent::phase::Phase;
use crate::agent::state::State;
use crate::agent::wording::cause_words;

/// A drop that would be told so soon after another one of the same cause is told with it.
const JOIN: SignedDuration = SignedDuration::from_secs(1);

/// Drops whose time has come; several with one cause are one message.
pub(in crate::agent) fn drops(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let wanted = is_wanted(state, NoticeKind::Dropped, now);
    let mut due: Vec<(Cause, Vec<Alias>)> = Vec::new();
    let told_now = causes_due(state, now);
    for (name, followed) in &mut state.sessions {
        let Some(moment) = followed.course.phase().tell_at() else { continue };
        let joins = down(followed).is_some_and(|cause| told_now.contains(cause));
        if moment > now && !(joins && moment.duration_since(now) <= JOIN) {
            continue;
        }
        followed.course.drop_told();
        let Some(cause) = down(followed).cloned() else { continue };
        if !wanted {
            // What nobody heard of is no news when it is over; while it lasts, it is told when the silence ends.
            continue;
        }
        followed.told = Told::Dropped(cause.clone());
        match due.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, names)) => names.push(name.clone()),
            None => due.push((cause, vec![name.clone()])),
        }
    }
    let notebooks: BTreeMap<Alias, bool> =
        state.sessions.iter().map(|(name, followed)| (name.clone(), followed.notebook.is_some())).collect();
    for (_, names) in &due {
        state.together.retain(|name| !names.contains(name));
        if names.len() > 1 {
            state.together.extend(names.iter().cloned());
        }
    }
    let notices = due.into_iter().map(|(cause, names)| dropped(&cause, &names, &notebooks)).collect();
    send(state, notices, now)
}

fn causes_due(state: &State, now: Timestamp) -> Vec<Cause> {
    let due = |followed: &&Followed| followed.course.phase().tell_at().is_some_and(|moment| moment <= now);
    state.sessions.values().filter(due).filter_map(down).cloned().collect()
}

fn down(followed: &Followed) -> Option<&Cause> {
    match followed.course.phase() {
        Phase::Down { cause, .. } => Some(cause),
        _ => None,
    }
}

/// Takes the message about several sessions away when it is true of none of them any more.
pub(in crate::agent) fn withdraw_together(state: &mut State, effects: &mut Vec<Effect>) {
    let State { together, sessions, .. } = state;
    if together.is_empty() {
        return;
    }
    together
        .retain(|name| sessions.get(name).is_some_and(|followed| matches!(followed.told, Told::Dropped(_))));
    let replaced =
        effects.iter().any(|effect| matches!(effect, Effect::Notify(notice) if notice.slot == ALL));
    if together.is_empty() && !replaced {
        effects.push(Effect::Unnotify(ALL.to_owned()));
    }
}

fn dropped(cause: &Cause, names: &[Alias], notebooks: &BTreeMap<Alias, bool>) -> Notice {
    let why = cause_words(cause);
    if let [name] = names {
        let notebook = notebooks.get(name).copied().unwrap_or(false);
        let (step, action) = if notebook {
            ("Open notebook", NoticeAction::OpenNotebook(name.clone()))
        } else {
            ("Run the cell again, and paste what it prints", NoticeAction::ShowWindow)
        };
        return Notice::new(NoticeKind::Dropped, name, format!("{name} dropped: {why}"), format!("{step}."))
            .about(names)
            .offering(action);
    }
    let list: Vec<&str> = names.iter().map(Alias::as_str).collect();
    Notice::new(
        NoticeKind::Dropped,
        ALL,
        format!("{} sessions dropped: {why}", names.len()),
        format!("{}.", list.join(", ")),
    )
    .about(names)
    .offering(NoticeAction::ShowWindow)
}
