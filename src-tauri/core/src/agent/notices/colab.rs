//! What is told of runtimes of a Google account.

use jiff::{SignedDuration, Timestamp};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::settings::NoticeKind;
use moorline_model::vitals::Units;
use moorline_ssh_files::Alias;

use super::send;
use crate::agent::effect::Effect;
use crate::agent::followed::Followed;
use crate::agent::notice::{Notice, NoticeAction};
use crate::agent::state::State;

/// The slot of the warning about compute units: they are the account's. No alias has a space.
const UNITS: &str = "colab units";

/// A person is asked whether a session is to go on with another runtime.
pub fn offered(name: &Alias, runtime: &EndpointId) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name}: its runtime has ended"),
        body: format!("Another one of yours runs: {runtime}. Follow it?"),
        actions: vec![NoticeAction::Follow(name.clone(), runtime.clone())],
    }
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
    Some(Notice {
        slot: format!("{name} idle"),
        kind: NoticeKind::Idle,
        sessions: vec![name.clone()],
        title: format!("{name}: its notebook has done nothing for {minutes} min"),
        body: "Colab ends idle runtimes, and work over SSH may not count. Save what you need.".to_owned(),
        actions: vec![NoticeAction::OpenEditor(name.clone())],
    })
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
    Some(Notice {
        slot: UNITS.to_owned(),
        kind: NoticeKind::Units,
        sessions: vec![name.clone()],
        title: format!("Colab: compute units for about {} min", whole(hours * 60.0)),
        body: format!(
            "{:.1} units are left, {:.2} go in an hour. Save what you need.",
            units.left.max(0.0),
            units.per_hour
        ),
        actions: vec![NoticeAction::ShowWindow],
    })
}

/// Whole minutes, for words.
#[expect(clippy::cast_possible_truncation, reason = "the value is clamped to what fits")]
fn whole(minutes: f64) -> i64 {
    minutes.clamp(0.0, 1e9) as i64
}
