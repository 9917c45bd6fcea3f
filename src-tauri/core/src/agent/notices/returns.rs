//! What is said of sessions that are back.

use jiff::{SignedDuration, Timestamp};
use moorline_model::editor::Editor;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

use super::silence::is_wanted;
use super::slots::ALL;
use crate::agent::effect::Effect;
use crate::agent::followed::{Followed, Told};
use crate::agent::notice::{Notice, NoticeAction};
use crate::agent::state::State;

/// How long a return waits for the sessions that dropped together with it.
const TOGETHER: SignedDuration = SignedDuration::from_secs(3);

/// Returns whose files are written and whose machine is known. A return from a drop that nobody was told of is not
/// told either, unless the machine is another one. Sessions that were told of together come back together, if they
/// do so within a moment.
pub(in crate::agent) fn returns(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut notices = Vec::new();
    let ready = ready_to_tell(state, now);
    let mut several: Vec<(Alias, bool)> = Vec::new();
    for name in ready {
        let joins = state.together.contains(&name);
        let Some(followed) = state.sessions.get_mut(&name) else { continue };
        let Some(returning) = followed.course.take_return() else { continue };
        let new_machine = returning.is_new_machine();
        let told = std::mem::replace(&mut followed.told, Told::Nothing);
        // Files that could not be written are no drop, and their writing is no return.
        let owed = !matches!(told, Told::Nothing | Told::FilesRefused { back_is_owed: false, .. });
        let news = owed || (new_machine && followed.machine.told);
        followed.machine.told = true;
        if news && joins {
            several.push((name, new_machine));
        } else if news {
            notices.push(back(&name, new_machine, followed));
        } else {
            effects.push(Effect::Unnotify(name.to_string()));
        }
    }
    match &several[..] {
        [] => {}
        [(name, new_machine)] => {
            notices.extend(state.sessions.get(name).map(|followed| back(name, *new_machine, followed)));
        }
        _ => notices.push(all_back(&several)),
    }
    for notice in notices {
        // What was said before is not true any more, whether the person wants to hear of the return or not.
        let wanted = is_wanted(state, notice.kind, now);
        effects.push(if wanted { Effect::Notify(notice) } else { Effect::Unnotify(notice.slot) });
    }
    effects
}

/// Sessions of whose return everything is known, and that need not wait for others.
fn ready_to_tell(state: &mut State, now: Timestamp) -> Vec<Alias> {
    let mut ready = Vec::new();
    for (name, followed) in &mut state.sessions {
        let since = followed.course.returning_mut().and_then(|returning| returning.ready_since(now));
        ready.extend(since.map(|since| (name.clone(), since)));
    }
    let all_are_here = state.together.iter().all(|name| ready.iter().any(|(known, _)| known == name));
    let waited = |since: Timestamp| now.duration_since(since) >= TOGETHER;
    let over = ready.iter().any(|(name, since)| state.together.contains(name) && waited(*since));
    ready.retain(|(name, _)| all_are_here || over || !state.together.contains(name));
    ready.into_iter().map(|(name, _)| name).collect()
}

fn all_back(names: &[(Alias, bool)]) -> Notice {
    let list = |new: bool| {
        let of_kind = names.iter().filter(|(_, new_machine)| *new_machine == new);
        of_kind.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (new, same) = (list(true), list(false));
    let mut body = Vec::new();
    if !new.is_empty() {
        body.push(format!("New machines, with empty disks: {new}."));
    }
    if !same.is_empty() {
        body.push(format!("The same machines: {same}. In VS Code: Reload Window."));
    }
    Notice::new(NoticeKind::Back, ALL, format!("{} sessions are back", names.len()), body.join(" "))
        .about(names.iter().map(|(name, _)| name))
        .offering(NoticeAction::ShowWindow)
}

fn back(name: &Alias, new_machine: bool, followed: &Followed) -> Notice {
    let editor = followed.last_used.editor.map_or("VS Code", Editor::display_name);
    let (title, body) = if new_machine {
        (
            format!("{name} has a new machine; the disk is empty"),
            format!("`ssh {name}` moved to the new machine. Open it in {editor}."),
        )
    } else {
        (format!("{name} is back on the same machine"), "In VS Code: Reload Window.".to_owned())
    };
    Notice::new(NoticeKind::Back, name, title, body)
        .about([name])
        .offering(NoticeAction::OpenEditor(name.clone()))
}
