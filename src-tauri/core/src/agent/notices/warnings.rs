//! What a person is warned of in time.

use jiff::{SignedDuration, Timestamp};
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

use super::colab;
use super::silence::send;
use crate::agent::effect::Effect;
use crate::agent::followed::Followed;
use crate::agent::notice::{Notice, NoticeAction};
use crate::agent::state::State;

/// Warnings before the end of a runtime's life, in minutes, earliest first.
const END_WARNINGS: [i64; 2] = [60, 15];

/// A disk that was warned of is warned of again only after it fell this far below the mark, in percent.
const DISK_SLACK: u64 = 5;

/// Little life left, little disk left.
pub(in crate::agent) fn warnings(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let (lifetime, mark) = (state.settings.lifetime, u64::from(state.settings.disk_percent));
    let mut notices = Vec::new();
    for (name, followed) in &mut state.sessions {
        if !followed.course.is_online() {
            continue;
        }
        notices.extend(end_warning(name, followed, lifetime, now));
        notices.extend(disk_warning(name, followed, mark));
    }
    let mut effects = send(state, notices, now);
    effects.extend(colab::warnings(state, now));
    effects
}

fn end_warning(
    name: &Alias,
    followed: &mut Followed,
    lifetime: SignedDuration,
    now: Timestamp,
) -> Option<Notice> {
    let left = followed.ends(lifetime)?.duration_since(now).as_mins();
    // The latest warning that is due; an earlier one that was slept through is not made up for.
    let due = END_WARNINGS.into_iter().rev().find(|minutes| left <= *minutes)?;
    if left < 0 || followed.warned.end.is_some_and(|warned| warned <= due) {
        return None;
    }
    followed.warned.end = Some(due);
    let hours = lifetime.as_hours();
    let booted = followed.course.phase().vitals().is_some_and(|vitals| vitals.booted.is_some());
    let about = if booted { "about" } else { "at most" };
    Some(
        Notice::new(
            NoticeKind::Lifetime,
            &format!("{name} lifetime"),
            format!("{name}: {about} {left} min of {hours} h left"),
            "Save what you need: the disk goes with the machine.",
        )
        .about([name])
        .offering(NoticeAction::OpenEditor(name.clone())),
    )
}

fn disk_warning(name: &Alias, followed: &mut Followed, mark: u64) -> Option<Notice> {
    let disk = followed.course.phase().vitals()?.disk.filter(|disk| disk.total > 0)?;
    let percent = u64::try_from(u128::from(disk.used) * 100 / u128::from(disk.total)).unwrap_or(100);
    if percent + DISK_SLACK < mark {
        followed.warned.disk = false;
    }
    if percent < mark || followed.warned.disk {
        return None;
    }
    followed.warned.disk = true;
    Some(
        Notice::new(
            NoticeKind::Disk,
            &format!("{name} disk"),
            format!("{name}: the disk is {percent} % full"),
            "Delete what you do not need, before a job fails.",
        )
        .about([name])
        .offering(NoticeAction::OpenEditor(name.clone())),
    )
}
