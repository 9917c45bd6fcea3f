//! When and in which words a person is told. All notifications are made here.

mod colab;
mod returns;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use moorline_model::announcement::RuntimeId;
use moorline_model::cause::Cause;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

pub(super) use colab::offered;
pub(super) use returns::returns;

use super::effect::Effect;
use super::followed::{Followed, Told};
use super::notice::{Notice, NoticeAction};
use super::phase::Phase;
use super::state::State;
use super::wording::cause_words;

/// Warnings before the end of a runtime's life, in minutes, earliest first.
const END_WARNINGS: [i64; 2] = [60, 15];

/// The slot of the notice about files that cannot be read; no alias has a space.
pub(super) const UNREADABLE: &str = "our files";

/// A drop that would be told so soon after another one of the same cause is told with it.
const JOIN: SignedDuration = SignedDuration::from_secs(1);

/// The slot of what is said of several sessions.
const ALL: &str = "all";

/// A disk that was warned of is warned of again only after it fell this far below the mark, in percent.
const DISK_SLACK: u64 = 5;

pub(super) fn new_key(name: &Alias) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} shows a fingerprint seen for the first time"),
        body: "A new machine has a new one; so would somebody in between.".to_owned(),
        actions: vec![NoticeAction::Compare(name.clone())],
    }
}

pub(super) fn key_changed_again(name: &Alias) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} shows another fingerprint than the one you compared"),
        body: "Nothing was changed. Check it again.".to_owned(),
        actions: vec![NoticeAction::Compare(name.clone())],
    }
}

/// The slot of the question about another way; no alias has a space.
pub(super) fn rival_slot(name: &Alias) -> String {
    format!("{name} other runtime")
}

/// Another runtime announces itself, or the very one says that it `moved`, while the one that is followed is `online`
/// or may still be there.
pub(super) fn rival(name: &Alias, runtime: &RuntimeId, moved: bool, online: bool) -> Notice {
    let title = if moved { "its runtime says that it moved" } else { "another runtime announces itself" };
    let body = match (moved, online) {
        (true, true) => "It still answers where it was. Follow it to the new place?",
        (false, true) => "The one that you use is still online. Follow the new one?",
        (_, false) => "Nothing shows that the one before is gone. Follow the new one?",
    };
    Notice {
        slot: rival_slot(name),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name}: {title}"),
        body: body.to_owned(),
        actions: vec![NoticeAction::TakeOver(name.clone(), runtime.clone())],
    }
}

pub(super) fn vault_shut(name: &Alias) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} needs a password, and the keyring is locked"),
        body: "Unlock the keyring; Moorline goes on by itself then.".to_owned(),
        actions: vec![NoticeAction::Repair(name.clone())],
    }
}

pub(super) fn not_approved(name: &Alias) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} does not answer any more"),
        body: "So nothing was changed. When it shows its fingerprint again, check it again.".to_owned(),
        actions: vec![NoticeAction::Compare(name.clone())],
    }
}

pub(super) fn login_refused(name: &Alias, why: &str) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} refuses this computer's access"),
        body: why.to_owned(),
        actions: vec![NoticeAction::Repair(name.clone())],
    }
}

pub(super) fn files_refused(name: &Alias, sentence: &str) -> Notice {
    Notice {
        slot: name.to_string(),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name}: the ssh files could not be written"),
        body: sentence.to_owned(),
        actions: vec![NoticeAction::ShowWindow],
    }
}

pub(super) fn not_opened(name: &Alias, sentence: &str) -> Notice {
    Notice {
        slot: format!("{name} open"),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name} could not be opened"),
        body: sentence.to_owned(),
        actions: vec![NoticeAction::ShowWindow],
    }
}

pub(super) fn not_kept(name: &Alias, sentence: &str) -> Notice {
    Notice {
        slot: format!("{name} kept"),
        kind: NoticeKind::Needed,
        sessions: vec![name.clone()],
        title: format!("{name}: pausing or resuming it is not kept over a restart"),
        body: format!("{sentence}. Once that is mended, choose it again."),
        actions: vec![NoticeAction::ShowWindow],
    }
}

pub(super) fn unreadable(sentence: &str) -> Notice {
    Notice {
        slot: UNREADABLE.to_owned(),
        kind: NoticeKind::Needed,
        sessions: Vec::new(),
        title: "Moorline's files cannot be read".to_owned(),
        body: sentence.to_owned(),
        actions: vec![NoticeAction::ShowWindow],
    }
}

/// Drops whose time has come; several with one cause are one message.
pub(super) fn drops(state: &mut State, now: Timestamp) -> Vec<Effect> {
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
pub(super) fn withdraw_together(state: &mut State, effects: &mut Vec<Effect>) {
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
        return Notice {
            slot: name.to_string(),
            kind: NoticeKind::Dropped,
            sessions: names.to_vec(),
            title: format!("{name} dropped: {why}"),
            body: format!("{step}."),
            actions: vec![action],
        };
    }
    let list: Vec<&str> = names.iter().map(Alias::as_str).collect();
    Notice {
        slot: ALL.to_owned(),
        kind: NoticeKind::Dropped,
        title: format!("{} sessions dropped: {why}", names.len()),
        body: format!("{}.", list.join(", ")),
        actions: vec![NoticeAction::ShowWindow],
        sessions: names.to_vec(),
    }
}

/// Little life left, little disk left.
pub(super) fn warnings(state: &mut State, now: Timestamp) -> Vec<Effect> {
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
    Some(Notice {
        slot: format!("{name} lifetime"),
        kind: NoticeKind::Lifetime,
        sessions: vec![name.clone()],
        title: format!("{name}: {about} {left} min of {hours} h left"),
        body: "Save what you need: the disk goes with the machine.".to_owned(),
        actions: vec![NoticeAction::OpenEditor(name.clone())],
    })
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
    Some(Notice {
        slot: format!("{name} disk"),
        kind: NoticeKind::Disk,
        sessions: vec![name.clone()],
        title: format!("{name}: the disk is {percent} % full"),
        body: "Delete what you do not need, before a job fails.".to_owned(),
        actions: vec![NoticeAction::OpenEditor(name.clone())],
    })
}

/// Drops what the person does not want to hear.
fn send(state: &State, notices: Vec<Notice>, now: Timestamp) -> Vec<Effect> {
    notices.into_iter().filter(|notice| is_wanted(state, notice.kind, now)).map(Effect::Notify).collect()
}

/// What was told of each session, where something may have to be held back.
pub(super) fn told(state: &State) -> BTreeMap<Alias, Told> {
    if state.snoozed_until.is_none() && state.settings.silent.is_empty() {
        return BTreeMap::new();
    }
    state.sessions.iter().map(|(name, followed)| (name.clone(), followed.told.clone())).collect()
}

/// Keeps book of what stands on the desktop, and leaves out what would take away a notification that is not there.
pub(super) fn keep_track(state: &mut State, effects: &mut Vec<Effect>) {
    effects.retain(|effect| match effect {
        Effect::Notify(notice) => {
            state.standing.insert(notice.slot.clone());
            true
        }
        Effect::Unnotify(slot) => state.standing.remove(slot),
        _ => true,
    });
}

/// Every slot that speaks of a session alone.
pub(super) fn all_slots(name: &Alias) -> impl Iterator<Item = String> {
    let others = ["lifetime", "disk", "idle", "open", "kept"].map(|what| format!("{name} {what}"));
    [name.to_string(), rival_slot(name)].into_iter().chain(others)
}

/// Takes out what the person does not want to hear now. A session that needs somebody is told of again, if it still
/// does, when the silence is over.
pub(super) fn hold_back(
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

fn is_wanted(state: &State, kind: NoticeKind, now: Timestamp) -> bool {
    let snoozed = state.snoozed_until.is_some_and(|until| until > now);
    !snoozed && !state.settings.silent.contains(&kind)
}
