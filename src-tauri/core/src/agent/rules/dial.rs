//! Having a session watched.

use crate::agent::effect::Effect;
use crate::agent::followed::Followed;
use crate::watch::order::WatchOrder;

/// Has it watched where it leads. Before its first runtime there is nothing to dial: an announcement, or somebody who
/// leads it elsewhere, is waited for.
pub(super) fn watch(followed: &mut Followed, turn: u16) -> Effect {
    if followed.has_no_runtime_yet() {
        followed.course.wait();
        return Effect::Unwatch(followed.session.name.clone());
    }
    Effect::Watch(WatchOrder { session: followed.session.clone(), pinned: followed.keys(), turn })
}
