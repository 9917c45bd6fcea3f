//! What follows from what somebody asks for.

use jiff::{SignedDuration, Timestamp};
use moorline_model::editor::Editor;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;

use super::dial::watch;
use super::{announced, approve, runtime};
use crate::agent::effect::{Effect, FileJob};
use crate::agent::followed::{Followed, LoginKeyWork, Told};
use crate::agent::message::Request;
use crate::agent::moments::later;
use crate::agent::notice::NoticeAction;
use crate::agent::notices;
use crate::agent::state::State;
use crate::editors::LaunchOptions;

pub(super) fn asked(state: &mut State, request: Request, now: Timestamp) -> Vec<Effect> {
    match request {
        Request::Open { name, editor, folder } => open(state, &name, editor, folder),
        Request::Repair(name) => repair(state, &name),
        Request::TakeOver(name, runtime) => announced::take_over(state, &name, &runtime, now),
        Request::Follow { name, runtime } => runtime::follow(state, &name, runtime, now),
        Request::Approve(name, fingerprint) => approve::asked(state, &name, fingerprint),
        Request::Pause(name) => pause(state, &name),
        Request::Resume(name) => {
            let Some(followed) = state.sessions.get_mut(&name) else { return Vec::new() };
            if !followed.course.resume() {
                return Vec::new();
            }
            let mut effects = vec![watch(followed, 0), Effect::File(FileJob::RememberPause(name, false))];
            effects.extend(announced::listen(followed));
            effects
        }
        Request::Pressed(action) => match action {
            NoticeAction::OpenEditor(name) => open(state, &name, None, None),
            NoticeAction::OpenNotebook(name) => {
                let url = state.sessions.get(&name).and_then(|followed| followed.notebook.clone());
                vec![url.map_or(Effect::ShowWindow(None), |url| Effect::OpenNotebook { name, url })]
            }
            NoticeAction::Compare(name) => vec![Effect::ShowWindow(Some(name))],
            NoticeAction::Repair(name) => repair(state, &name),
            NoticeAction::TakeOver(name, runtime) => announced::take_over(state, &name, &runtime, now),
            NoticeAction::Follow(name, runtime) => runtime::follow(state, &name, runtime, now),
            NoticeAction::ShowWindow => vec![Effect::ShowWindow(None)],
        },
        Request::Reload => {
            // The password may be another one.
            state.sessions.values_mut().for_each(|followed| followed.login_key.tried.clear());
            // And so may the session key.
            let listen = state.sessions.values().filter_map(announced::listen).collect();
            [vec![Effect::File(FileJob::Reload)], redial(state), listen].concat()
        }
        Request::Show(compare) => vec![Effect::ShowWindow(compare)],
        Request::Snooze(minutes) => {
            let pause = SignedDuration::from_mins(i64::from(minutes));
            state.snoozed_until = (minutes > 0).then(|| later(now, pause));
            Vec::new()
        }
    }
}

/// What is not online may be by now: a person just changed something.
fn redial(state: &State) -> Vec<Effect> {
    let waiting = state
        .sessions
        .iter()
        .filter(|(_, followed)| !followed.course.is_paused() && !followed.course.is_online())
        .filter(|(_, followed)| !followed.has_no_runtime_yet());
    waiting.map(|(name, _)| Effect::Redial(name.clone())).collect()
}

fn open(state: &mut State, name: &Alias, editor: Option<Editor>, folder: Option<RemotePath>) -> Vec<Effect> {
    let installed = state.editors.iter().copied().find(|editor| *editor != Editor::Terminal);
    let tmux = state.settings.terminal_in_tmux;
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let editor = editor.or(followed.last_used.editor).or(installed).unwrap_or(Editor::VsCode);
    let mut effects = Vec::new();
    let mut folder = folder;
    // A terminal starts in the login directory unless a folder was asked for.
    if editor != Editor::Terminal {
        folder = folder
            .or_else(|| followed.last_used.folder.clone())
            .or_else(|| followed.session.folder.clone())
            .or_else(|| "/content".parse().ok());
        followed.last_used.editor = Some(editor);
        followed.last_used.folder.clone_from(&folder);
        effects.push(Effect::File(FileJob::RememberUsed {
            name: name.clone(),
            editor,
            folder: folder.clone(),
        }));
    }
    let options = LaunchOptions { tmux, user: Some(followed.session.user.clone()) };
    effects.push(Effect::Open { name: name.clone(), editor, folder, options });
    effects
}

fn repair(state: &mut State, name: &Alias) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    if followed.course.phase().key_to_compare().is_some() {
        return vec![Effect::ShowWindow(Some(name.clone()))];
    }
    followed.login_key.tried.clear();
    stop_waiting_for_vault(followed);
    let mut effects = vec![Effect::File(FileJob::Settle { session: followed.session.clone(), key: None })];
    if !followed.has_no_runtime_yet() {
        effects.push(Effect::Redial(name.clone()));
    }
    effects
}

fn pause(state: &mut State, name: &Alias) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    followed.course.pause();
    stop_waiting_for_vault(followed);
    followed.announced.rival = None;
    followed.told = Told::Nothing;
    followed.files.retry_at = None;
    let listened = (!followed.announced.channels.channels.is_empty()).then(|| Effect::Unlisten(name.clone()));
    let mut effects =
        vec![Effect::Unwatch(name.clone()), Effect::File(FileJob::RememberPause(name.clone(), true))];
    effects.extend(notices::all_slots(name).map(Effect::Unnotify));
    effects.extend(listened);
    effects
}

fn stop_waiting_for_vault(followed: &mut Followed) {
    if followed.login_key.work == LoginKeyWork::VaultShut {
        followed.login_key.work = LoginKeyWork::None;
    }
}
