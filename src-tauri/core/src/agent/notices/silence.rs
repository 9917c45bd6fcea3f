//! What is left out because the person does not want to hear it now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

use crate::agent::effect::Effect;
use crate::agent::followed::Told;
use crate::agent::notice::Notice;
use crate::agent::state::State;

/// Leaves out what the person does not want to hear.
pub(super) fn send(state: &State, notices: Vec<Notice>, now: Timestamp) -> Vec<Effect> {
    notices.into_iter().filter(|notice| is_wanted(state, notice.kind, now)).map(Effect::Notify).collect()
}

/// What was told of each session, where something may have to be held back.
pub(in crate::agent) fn told(state: &State) -> BTreeMap<Alias, Told> {
    if state.snoozed_until.is_none() && state.settings.silent.is_empty() {
        return BTreeMap::new();
    }
    state.sessions.iter().map(|(name, followed)| (name.clone(), followed.told.clone())).collect()
}

/// Takes out what the person does not want to hear now. A session that needs somebody is told of again, if it still
/// does, when the silence is over.
pub(in crate::agent) fn hold_back(
    state: &mut State,
    before: &BTreeMap<Alias, Told>,
    effects: &mut Vec<Effect>,
    now: Timestamp,
) {
    let mut held = Vec::new();
    effects.retain(|effect| {
        let Effect::Notify(notice) = effect else { return true };
        let wanted = is_wanted(state, notice.kind, now);
        if !wanted {
            held.extend(notice.sessions.iter().cloned());
        }
        wanted
    });
    for name in held {
        if let Some(followed) = state.sessions.get_mut(&name) {
            // What is owed from before is still owed.
            followed.told = before.get(&name).cloned().unwrap_or(Told::Nothing);
        }
    }
}

pub(super) fn is_wanted(state: &State, kind: NoticeKind, now: Timestamp) -> bool {
    let snoozed = state.snoozed_until.is_some_and(|until| until > now);
    !snoozed && !state.settings.silent.contains(&kind)
}
