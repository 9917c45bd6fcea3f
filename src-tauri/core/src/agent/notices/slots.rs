//! The slots of notifications: one in a slot replaces the one before it.

use moorline_ssh_files::Alias;

use crate::agent::effect::Effect;
use crate::agent::state::State;

/// The slot of the notice about files that cannot be read; no alias has a space.
pub(in crate::agent) const UNREADABLE: &str = "our files";

/// The slot of what is said of several sessions.
pub(super) const ALL: &str = "all";

/// The slot of the question about another way; no alias has a space.
pub(in crate::agent) fn rival_slot(name: &Alias) -> String {
    format!("{name} other runtime")
}

/// Every slot that speaks of a session alone.
pub(in crate::agent) fn all_slots(name: &Alias) -> impl Iterator<Item = String> {
    let others = ["lifetime", "disk", "idle", "open", "kept"].map(|what| format!("{name} {what}"));
    [name.to_string(), rival_slot(name)].into_iter().chain(others)
}

/// Keeps book of what stands on the desktop, and leaves out what would take away a notification that is not there.
pub(in crate::agent) fn keep_track(state: &mut State, effects: &mut Vec<Effect>) {
    effects.retain(|effect| match effect {
        Effect::Notify(notice) => {
            state.standing.insert(notice.slot.clone());
            true
        }
        Effect::Unnotify(slot) => state.standing.remove(slot),
        _ => true,
    });
}
