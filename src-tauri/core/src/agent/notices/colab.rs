//! What is told of runtimes of a Google account.

use jiff::{SignedDuration, Timestamp};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::settings::NoticeKind;
use moorline_model::vitals::Units;
use moorline_ssh_files::Alias;

use super::silence::send;
use crate::agent::effect::Effect;
use crate::agent::followed::Followed;
use crate::agent::notice::{Notice, NoticeAction};
use crate::agent::state::State;

/// The slot of the warning about compute units: they are the account's. No alias has a space.
const UNITS: &str = "colab units";

/// A person is asked whether a session is to go on with another runtime.
pub(in crate::agent) fn offered(name: &Alias, runtime: &EndpointId) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        name,
        format!("{name}: its runtime has ended"),
        format!("Another one of yours runs: {runtime}. Follow it?"),
    )
    .about([name])
    .offering(NoticeAction::Follow(name.clone(), runtime.clone()))
}

/// Long idle, few units.
pub(super) fn warnings(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let (idle, few) = (state.settings.idle, state.settings.units);
    let mut notices = Vec::new();
    let mut units = None;
    for (name, followed) in &mut state.sessions {
        if !followed.course.is_online() {
            continue;
        }
        notices.extend(idle_warning(name, followed, idle));
        let told = followed.course.phase().vitals().and_then(|vitals| vitals.colab.as_ref()?.units);
        units = units.or(told.map(|told| (name.clone(), told)));
    }
    if let Some((name, units)) = units {
        notices.extend(units_warning(&name, units, few, &mut state.warned_of_units));
    }
    send(state, notices, now)
}

fn idle_warning(name: &Alias, followed: &mut Followed, limit: SignedDuration) -> Option<Notice> {
    let minutes = followed.course.phase().vitals()?.colab.as_ref()?.idle_minutes;
    let long = minutes.filter(|minutes| limit.is_positive() && i64::from(*minutes) >= limit.as_mins());
    let Some(minutes) = long else {
        followed.warned.idle = false;
        return None;
    };
    if std::mem::replace(&mut followed.warned.idle, true) {
        return None;
    }
    Some(
        Notice::new(
            NoticeKind::Idle,
            &format!("{name} idle"),
            format!("{name}: its notebook has done nothing for {minutes} min"),
            "Colab ends idle runtimes, and work over SSH may not count. Save what you need.",
        )
        .about([name])
        .offering(NoticeAction::OpenEditor(name.clone())),
    )
}

/// Warned of once; again only after the balance was twice the mark.
fn units_warning(name: &Alias, units: Units, few: SignedDuration, warned: &mut bool) -> Option<Notice> {
    let hours = units.hours_left()?;
    let mark = few.as_secs_f64() / 3600.0;
    if hours > 2.0 * mark {
        *warned = false;
    }
    if hours > mark || mark <= 0.0 || *warned {
        return None;
    }
    *warned = true;
    Some(
        Notice::new(
            NoticeKind::Units,
            UNITS,
            format!("Colab: compute units for about {} min", whole(hours * 60.0)),
            format!(
                "{:.1} units are left, {:.2} go in an hour. Save what you need.",
                units.left.max(0.0),
                units.per_hour
            ),
        )
        .about([name])
        .offering(NoticeAction::ShowWindow),
    )
}

/// Whole minutes, for words.
#[expect(clippy::cast_possible_truncation, reason = "the value is clamped to what fits")]
fn whole(minutes: f64) -> i64 {
    minutes.clamp(0.0, 1e9) as i64
}
